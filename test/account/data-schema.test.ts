import { HOLDINGS, LEFT_OUT } from '#src/account/my-data/holdings.js';
import { openTestDatabase } from '../support/test-database.js';

/**
 * The list of what a person is given (src/account/my-data/holdings.ts) beside the schema. A table or column that is new
 * fails here until somebody has said what becomes of it (UU PDP, R-45).
 */
const db = await openTestDatabase();
afterAll(() => db.drop());

const columns = await db.query(
  `SELECT c.relname AS table, a.attname AS column, a.atttypid::regtype::text AS type,
          EXISTS (SELECT FROM pg_constraint f
                   WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid = 'accounts'::regclass
                     AND a.attnum = ANY (f.conkey)) AS points_at_an_account
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY 1, a.attnum`,
);
const columnsOf = (table: string) => columns.filter((row) => row.table === table);
const tables = [...new Set(columns.map((row) => String(row.table)))];
const holdings = Object.values(HOLDINGS);

it('every table is in the file, or named with the reason why not', () => {
  const named = [...holdings.map(({ table }) => table), ...Object.keys(LEFT_OUT)];
  expect([...named].sort()).toEqual([...tables].sort());
  for (const { why } of Object.values(LEFT_OUT)) expect(why.length).toBeGreaterThan(10);
});

it.each(Object.entries(HOLDINGS))('%s: every column is given, or named with the reason why not', (_, holding) => {
  const { table, owner, told, withheld } = holding;
  const given = Object.keys(told);
  const named = [...new Set([owner, ...given, ...Object.keys(withheld)])];
  expect(named.sort()).toEqual(
    columnsOf(table)
      .map(({ column }) => String(column))
      .sort(),
  );
  expect(given.filter((column) => Object.hasOwn(withheld, column))).toEqual([]);
  for (const reason of Object.values(withheld)) expect(reason.length).toBeGreaterThan(10);
});

it.each(Object.entries(HOLDINGS))(
  '%s: is found by its owner, with an index, and tells rows apart',
  async (_, holding) => {
    const { table, owner, order } = holding;
    const rows = columnsOf(table);
    expect(rows.find(({ column }) => column === owner)?.type).toBe('uuid');
    expect(order.map(([column]) => rows.find((row) => row.column === column)?.type)).toEqual(
      order.map(([, type]) => (type === 'timestamptz' ? 'timestamp with time zone' : type)),
    );
    // A whole index: one of living rows only would make the rest a search through everybody's.
    const indexes = await db.query(
      `SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = $1::regclass AND a.attname = $2
        AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') IN ('', format('(%I IS NOT NULL)', $2))`,
      [table, owner],
    );
    expect(indexes.length).toBeGreaterThan(0);
  },
);

it('gives no id of somebody else', () => {
  for (const { table, owner, told } of holdings) {
    const others = columnsOf(table).filter(
      ({ column, points_at_an_account: points }) =>
        column !== owner && (points === true || /^(account|actor|session_account)_id$|_by$/.test(String(column))),
    );
    for (const { column } of others)
      expect([table, column, Object.hasOwn(told, String(column))]).toEqual([table, column, false]);
  }
});

it('gives nothing whose name is that of a secret', () => {
  const secrets = /hash|secret|salt|digest|token|pepper|sealed|payload|(^|_)key($|_)|browser$|^uid$|session_uid/;
  const given = holdings.flatMap(({ told }) => Object.keys(told));
  expect(given.filter((column) => secrets.test(column))).toEqual([]);
  // Ids that are not secret are UUIDs or numbers; digests of secrets are bytes.
  for (const { table, told } of holdings) {
    for (const column of Object.keys(told)) {
      const type = columnsOf(table).find((row) => row.column === column)?.type;
      expect([table, column, type === 'bytea']).toEqual([table, column, false]);
    }
  }
});
