import type { SealedPlace } from '../security/sealed-place.js';
import type { Queryable } from './database.js';

/** A value as it stands in the table, and what it is bound to. */
export interface SealedValue {
  /** Where its row is in the table's file: only good until the row is written again. */
  readonly at: string;
  readonly value: string;
  readonly row: readonly string[];
}

// Tables and columns come from the source, never from outside.
export const resealStore = (db: Queryable, { table, column, row }: SealedPlace) => ({
  /** How long the table's file is. */
  async blocks(): Promise<number> {
    const [found] = await db.query(
      `SELECT (pg_relation_size($1::regclass) / current_setting('block_size')::integer)::integer AS blocks`,
      [table],
    );
    return found?.blocks as number;
  },

  /** What in these blocks is sealed with another key. */
  async sealedOtherwise(kid: string, from: number, to: number): Promise<readonly SealedValue[]> {
    const rows = await db.query(
      `SELECT ctid::text AS at, ${column} AS value, ARRAY[${row.map((part) => `(${part})::text`).join(', ')}] AS row
         FROM ${table}
        WHERE ctid >= $1::tid AND ctid < $2::tid AND ${column} IS NOT NULL AND split_part(${column}, '.', 2) <> $3`,
      [`(${from},0)`, `(${to},0)`, kid],
    );
    return rows.map((found) => ({
      at: found.at as string,
      value: found.value as string,
      row: found.row as readonly string[],
    }));
  },

  /**
   * Writes the new values where the old ones still stand. Waits for nobody: a row that somebody else holds is left for
   * the next pass, so that no person's request can be in a deadlock with this. Answers how many were written.
   */
  async replace(
    values: readonly { readonly at: string; readonly old: string; readonly new: string }[],
  ): Promise<number> {
    const [done] = await db.query(
      // Row by row from what is given, by its place: no other way of joining stays quick for a large table.
      `WITH given AS MATERIALIZED (
         SELECT at, old, new FROM unnest($1::tid[], $2::text[], $3::text[]) AS value (at, old, new)
       ), free AS MATERIALIZED (
         SELECT sealed.ctid AS at, given.new
           FROM given JOIN ${table} AS sealed ON sealed.ctid = given.at
          WHERE sealed.${column} = given.old
            FOR NO KEY UPDATE OF sealed SKIP LOCKED
       ), written AS (
         UPDATE ${table} AS sealed SET ${column} = free.new FROM free WHERE sealed.ctid = free.at
         RETURNING 1)
       SELECT count(*)::integer AS count FROM written`,
      [values.map(({ at }) => at), values.map((value) => value.old), values.map((value) => value.new)],
    );
    return done?.count as number;
  },
});
