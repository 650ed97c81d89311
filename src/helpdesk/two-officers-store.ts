import { agencyCode, type AccountId, type AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { isAbove, withinReachOf } from './authority-store.js';

/** The agency, where this officer administers it at this very moment; to switch it off, one above it. */
export async function setTwoOfficers(
  tx: Queryable,
  order: { officerId: AccountId; agency: string; on: boolean; now: Date },
): Promise<AgencyCode | undefined> {
  const [row] = await tx.query(
    `UPDATE agencies g SET two_officers = $4, updated_at = $2
      WHERE g.code = $3 AND ${withinReachOf({ officer: '$1', now: '$2' }, 'watch')}
        AND ($4::boolean OR ${isAbove({ officer: '$1', now: '$2' })})
     RETURNING g.code`,
    [order.officerId, order.now, order.agency, order.on],
  );
  return row && agencyCode(row.code as string);
}

/** The same for whoever operates the server. */
export async function setTwoOfficersOf(
  tx: Queryable,
  order: { agency: AgencyCode; on: boolean; now: Date },
): Promise<boolean> {
  const rows = await tx.query('UPDATE agencies SET two_officers = $2, updated_at = $3 WHERE code = $1 RETURNING code', [
    order.agency,
    order.on,
    order.now,
  ]);
  return rows.length === 1;
}

/** The nearest agency, the one asked for or one above it, that demands two officers. */
export async function selectStrict(
  db: Queryable,
  agency: AgencyCode,
): Promise<{ readonly code: AgencyCode; readonly name: string } | undefined> {
  const [row] = await db.query(
    `SELECT strict.code, strict.name FROM agencies g JOIN agencies strict ON strict.code = ANY (g.ancestors)
      WHERE g.code = $1 AND strict.two_officers
      ORDER BY cardinality(strict.ancestors) DESC LIMIT 1`,
    [agency],
  );
  return row && { code: agencyCode(row.code as string), name: row.name as string };
}
