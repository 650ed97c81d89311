import { agencyCode, type AgencyCode } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import type { Agency } from './agency.js';

const fromRow = (row: Row): Agency => ({
  code: agencyCode(row.code as string),
  name: row.name as string,
  parentCode: row.parent_code === null ? undefined : agencyCode(row.parent_code as string),
});

export async function selectAgencies(db: Queryable): Promise<readonly Agency[]> {
  return (await db.query('SELECT code, name, parent_code FROM agencies ORDER BY code')).map(fromRow);
}

export async function selectAgency(db: Queryable, code: AgencyCode): Promise<Agency | undefined> {
  const [row] = await db.query('SELECT code, name, parent_code FROM agencies WHERE code = $1', [code]);
  return row === undefined ? undefined : fromRow(row);
}

export async function selectSubtree(db: Queryable, code: AgencyCode): Promise<readonly AgencyCode[]> {
  const rows = await db.query('SELECT code FROM agencies WHERE $1 = ANY (ancestors) ORDER BY code', [code]);
  return rows.map((row) => agencyCode(row.code as string));
}

export async function upsertAgencies(tx: Queryable, agencies: readonly Agency[], now: Date): Promise<void> {
  // All in one statement: parents are looked up at its end, so children may come first.
  await tx.query(
    `INSERT INTO agencies (code, name, parent_code, ancestors, updated_at)
     SELECT code, name, parent_code, array_remove(ARRAY[code, parent_code], NULL), $4
       FROM unnest($1::text[], $2::text[], $3::text[]) AS given (code, name, parent_code)
     ON CONFLICT (code) DO UPDATE
        SET name = excluded.name, parent_code = excluded.parent_code, ancestors = excluded.ancestors,
            updated_at = excluded.updated_at
      WHERE (agencies.name, agencies.parent_code) IS DISTINCT FROM (excluded.name, excluded.parent_code)`,
    [agencies.map(({ code }) => code), agencies.map(({ name }) => name), agencies.map((it) => it.parentCode), now],
  );
}

/** Derives every agency's ancestors anew, since a moved agency takes all below it along. */
export async function deriveAncestors(tx: Queryable): Promise<void> {
  await tx.query(
    `WITH RECURSIVE tree AS (
       SELECT code, ARRAY[code] AS ancestors FROM agencies WHERE parent_code IS NULL
       UNION ALL
       SELECT child.code, tree.ancestors || child.code FROM agencies child JOIN tree ON child.parent_code = tree.code
     )
     UPDATE agencies SET ancestors = tree.ancestors
       FROM tree
      WHERE tree.code = agencies.code AND agencies.ancestors IS DISTINCT FROM tree.ancestors`,
  );
}

/** Waits for whoever else changes the tree: two changes at once could close a loop that neither sees. */
export async function lockAgencies(tx: Queryable): Promise<void> {
  await tx.query('LOCK TABLE agencies IN SHARE ROW EXCLUSIVE MODE');
}
