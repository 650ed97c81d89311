import type { SealedPlace } from '../security/sealed-place.js';
import type { Queryable } from './database.js';

interface Place {
  readonly table: string;
  /** The key id of a row, or what holds it. */
  readonly key: string;
  readonly where: string;
}

const sealed = ({ table, column }: SealedPlace): Place => ({
  table,
  key: `split_part(${column}, '.', 2)`,
  where: `${column} IS NOT NULL`,
});

/** Where secrets are peppered with PASSWORD_PEPPERS. */
const PEPPERED: readonly Place[] = [
  { table: 'credentials', key: `split_part(password_hash, '$', 2)`, where: `password_hash LIKE '$pepper=%'` },
  { table: 'recovery_code_sets', key: 'pepper_kid', where: 'ended_at IS NULL' },
];

/** The different keys of one table: one step in its index for each, however many rows there are. */
async function keysOf(db: Queryable, { table, key, where }: Place): Promise<string[]> {
  const rows = await db.query(
    `WITH RECURSIVE used AS (
       (SELECT ${key} AS kid FROM ${table} WHERE ${where} ORDER BY 1 LIMIT 1)
       UNION ALL
       SELECT (SELECT ${key} FROM ${table} WHERE ${where} AND ${key} > used.kid ORDER BY 1 LIMIT 1)
         FROM used WHERE used.kid IS NOT NULL)
     SELECT kid FROM used WHERE kid IS NOT NULL`,
  );
  return rows.map((row) => row.kid as string);
}

export interface KeysInUse {
  /** By key id the tables whose rows need it. */
  readonly encryption: ReadonlyMap<string, readonly string[]>;
  readonly peppers: ReadonlyMap<string, readonly string[]>;
}

/** Key ids that rows in the database need, and which tables they are in. */
export async function findKeysInUse(db: Queryable, places: readonly SealedPlace[]): Promise<KeysInUse> {
  const find = async (among: readonly Place[]): Promise<Map<string, readonly string[]>> => {
    const found = new Map<string, readonly string[]>();
    for (const place of among) {
      for (const used of await keysOf(db, place)) {
        const kid = used.replace(/^pepper=/, '');
        found.set(kid, [...(found.get(kid) ?? []), place.table]);
      }
    }
    return found;
  };
  return { encryption: await find(places.map(sealed)), peppers: await find(PEPPERED) };
}

/** What stands under a pepper. */
export interface UnderPepper {
  readonly passwords: number;
  readonly codeSets: number;
}

/** By key id. Counts every password: seconds, for millions. */
export async function countUnderPeppers(db: Queryable): Promise<ReadonlyMap<string, UnderPepper>> {
  const rows = await db.query(
    `SELECT kid, sum(passwords)::integer AS passwords, sum(sets)::integer AS sets
       FROM (SELECT substr(split_part(password_hash, '$', 2), 8) AS kid, count(*) AS passwords, 0 AS sets
               FROM credentials WHERE password_hash LIKE '$pepper=%' GROUP BY split_part(password_hash, '$', 2)
             UNION ALL
             SELECT pepper_kid, 0, count(*) FROM recovery_code_sets WHERE ended_at IS NULL GROUP BY pepper_kid) AS used
      GROUP BY kid ORDER BY kid`,
  );
  return new Map(
    rows.map((row) => [row.kid as string, { passwords: row.passwords as number, codeSets: row.sets as number }]),
  );
}
