import type { Queryable } from './database.js';

/** What processes keep in memory and follow. */
export const REVISIONS = ['clients', 'signing_keys'] as const;
export type Revision = (typeof REVISIONS)[number];

/** For who changes such a thing, in the same transaction: every process reads it again within seconds. */
export async function bumpRevision(tx: Queryable, name: Revision): Promise<void> {
  await tx.query('UPDATE live_revisions SET number = number + 1 WHERE name = $1', [name]);
}

/** The numbers as they stand, by name. */
export async function readRevisions(db: Queryable): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query('SELECT name, number FROM live_revisions');
  return new Map(rows.map((row) => [row.name as string, row.number as string]));
}
