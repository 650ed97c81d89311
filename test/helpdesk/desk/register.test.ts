import { randomBytes } from 'node:crypto';
import type { DeskOfficer, Search } from '#src/helpdesk/desk/desk.js';
import { SEARCH_BY_NAME, SEARCH_BY_NIP } from '#src/helpdesk/desk/search-store.js';
import { grantRole } from '#src/accounts/roles.js';
import { accountId, agencyCode } from '#src/kernel/ids.js';
import { fillRegister, LARGE_TREE, nipAt, SMALL_TREE } from '../../support/register.js';
import { openTestDatabase } from '../../support/test-database.js';
import { deskParts } from './parts.js';

/**
 * A register large enough for the planner to choose as it does with everybody in it; the times themselves are measured by
 * `npm run bench:search` (docs/performance.md).
 */
const PEOPLE = 100_000;
const now = new Date('2026-11-20T03:00:00Z');
const db = await openTestDatabase();
afterAll(() => db.drop());
const { desk } = deskParts(db, { clock: { now: () => now }, secret: randomBytes(32) });

let officer: DeskOfficer;
beforeAll(async () => {
  await fillRegister(db.url, { people: PEOPLE, now });
  const [row] = await db.query('SELECT id FROM accounts WHERE nip = $1', [nipAt(1)]);
  const id = accountId(row?.id as string);
  await db.transaction((tx) =>
    grantRole(tx, { accountId: id, role: 'helpdesk', agencyCode: agencyCode(LARGE_TREE), now }),
  );
  officer = { accountId: id, trace: { requestId: 'request-1' } };
}, 120_000);

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly Node[];
}
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** How the statement is carried out: as prepared, for parameters of any value. */
async function planOf(statement: string, values: readonly unknown[]): Promise<Node[]> {
  return db.transaction(async (tx) => {
    await tx.query('SET LOCAL plan_cache_mode = force_generic_plan');
    const [row] = await tx.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`, values);
    const [{ Plan: plan }] = row?.['QUERY PLAN'] as [{ Plan: Node }];
    return nodesOf(plan);
  });
}

const LARGE = new Set(['accounts', 'account_name_words', 'nip_history']);
const scans = (nodes: readonly Node[]): string[] =>
  nodes.flatMap((node) =>
    LARGE.has(node['Relation Name'] ?? '') && !/^(Index|Index Only) Scan$/.test(node['Node Type'])
      ? [`${node['Node Type']} of ${node['Relation Name'] ?? ''}`]
      : [],
  );
/** Rows of names that were looked at. */
const namesRead = (nodes: readonly Node[]): number =>
  nodes
    .filter((node) => node['Relation Name'] === 'account_name_words')
    .reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0);

const place = ['siti', 'siti nurhaliza', '00000000-0000-0000-0000-000000000000'];
const searching = (word: string, others: readonly string[] = [], agency = LARGE_TREE): unknown[] => [
  officer.accountId,
  now,
  agency,
  word,
  `${word}~`,
  others,
  51,
];

it.each<[string, string, () => unknown[]]>([
  ['a common name', SEARCH_BY_NAME.first, () => searching('siti')],
  ['its next page', SEARCH_BY_NAME.next, () => [...searching('siti'), ...place]],
  ['the beginning of many', SEARCH_BY_NAME.first, () => searching('s')],
  ['two words', SEARCH_BY_NAME.first, () => searching('nurhaliza', ['siti'])],
  ['nobody', SEARCH_BY_NAME.first, () => searching('xyzzy')],
  ['a small agency', SEARCH_BY_NAME.first, () => searching('siti', [], SMALL_TREE)],
])('a search for %s reads no table from end to end, and at most a page of each unit', async (_, statement, values) => {
  const nodes = await planOf(statement, values());
  expect(scans(nodes)).toEqual([]);
  expect(namesRead(nodes)).toBeLessThanOrEqual(121 * 51);
});

it.each([nipAt(77), `1970${nipAt(107).slice(4)}`, '299901012099011001'])('nor does one for a NIP', async (nip) => {
  expect(scans(await planOf(SEARCH_BY_NIP, [officer.accountId, now, nip]))).toEqual([]);
});

it('pages through everybody of a name, each once, in order', async () => {
  const [row] = await db.query(
    `SELECT count(*)::int AS siti FROM accounts a JOIN agencies g ON g.code = a.agency_code
      WHERE $1 = ANY (g.ancestors) AND ' ' || plain_name(a.name) LIKE '% nurhaliza%'`,
    [LARGE_TREE],
  );
  const names: string[] = [];
  const ids = new Set<string>();
  let search: Search | undefined = { query: 'nurhaliza' };
  while (search !== undefined) {
    const answer = await desk.search(officer, search);
    if (answer.kind !== 'found') throw new Error(answer.kind);
    for (const { id, name } of answer.people) {
      ids.add(id);
      names.push(name.toLowerCase());
    }
    search = answer.next === undefined ? undefined : { query: 'nurhaliza', cursor: answer.next };
  }
  expect(ids.size).toBe(row?.siti);
  expect(ids.size).toBe(names.length);
  expect(names.length).toBeGreaterThan(100);
  const plain = names.map((name) => name.replaceAll(/[^a-z]+/g, ' '));
  expect(plain).toEqual(plain.toSorted());
});
