import type { Queryable, Row } from '../../storage/database.js';
import type { Holding } from './holdings.js';

/** Where a batch ended: the texts of its order columns. */
export type Place = readonly string[];

export interface Batch {
  /** What the person is given, newest first. */
  readonly rows: readonly Row[];
  /** Where the next batch begins; undefined on the last. */
  readonly next: Place | undefined;
}

const KEY = 'held_key_';

/** Only names and expressions of `holdings.ts` reach this text; values are parameters. */
function statement({ table, owner, told, added = {}, order }: Holding, isFirst: boolean): string {
  const columns = [
    ...Object.keys(told).map((column) => `t.${column}`),
    ...Object.entries(added).map(([name, { sql }]) => `${sql} AS ${name}`),
    // As texts: a time that was read into the program and sent back would have lost its microseconds.
    ...order.map(([column], index) => `t.${column}::text AS ${KEY}${index}`),
  ];
  const keys = order.map(([column]) => `t.${column}`);
  const place = order.map(([, type], index) => `$${index + 3}::text::${type}`);
  const [[first]] = order;
  const behind = isFirst ? '' : `AND t.${first} <= ${place[0] ?? ''} AND (${keys.join(', ')}) < (${place.join(', ')})`;
  return `SELECT ${columns.join(', ')} FROM ${table} t WHERE t.${owner} = $1 ${behind}
    ORDER BY ${keys.map((key) => `${key} DESC`).join(', ')} LIMIT $2`;
}

const withoutKeys = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith(KEY)));

/** At most `limit` rows of one person, behind a place. */
export async function selectHeld(
  db: Queryable,
  holding: Holding,
  { accountId, behind, limit }: { accountId: string; behind?: Place | undefined; limit: number },
): Promise<Batch> {
  const rows = await db.query(statement(holding, behind === undefined), [accountId, limit, ...(behind ?? [])]);
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    rows: rows.map(withoutKeys),
    next: last && holding.order.map((_, index) => String(last[`${KEY}${index}`])),
  };
}
