/**
 * `npm run bench:search`: how long officers wait for a search among two million people (docs/performance.md). The whole
 * use-case on a real database: scope, quota, search, audit row, commit.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { grantRole } from '../src/accounts/roles.js';
import { agencyCode, accountId } from '../src/kernel/ids.js';
import { migrate } from '../src/storage/migrate.js';
import { openPostgres as openPool } from '../src/storage/postgres.js';
import { fillRegister, LARGE_TREE, nipAt, SMALL_TREE } from '../test/support/register.js';
import { deskParts } from '../test/helpdesk/desk/parts.js';
import type { Search } from '../src/helpdesk/desk/desk.js';
import { quantile, repeat } from './measure.js';
import { openPostgres, type Closers } from './stores.js';

const { values: options } = parseArgs({
  options: {
    people: { type: 'string', default: '2000000' },
    times: { type: 'string', default: '300' },
    lanes: { type: 'string', default: '2' },
  },
});
const [people, times, lanes] = [options.people, options.times, options.lanes].map(Number) as [number, number, number];

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function bench(closers: Closers): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sso-asn-search-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const { url, name } = await openPostgres({ folder, dataDir: join(folder, 'data'), closers });
  if (url === undefined) throw new Error('no PostgreSQL: set DATABASE_URL');
  const silent = (): void => undefined;
  await migrate({ url, log: { debug: silent, info: silent, warn: silent, error: silent } });
  const began = performance.now();
  await fillRegister(url, { people, now: new Date(), say });
  say(`filled in ${Math.round((performance.now() - began) / 1000)} s`);

  const db = openPool({ url, maxConnections: 10, onIdleError: silent });
  closers.push(() => db.close());
  // Nobody's quota: an hour passes with every search.
  let hours = 0;
  const clock = { now: () => new Date(Date.now() + (hours += 1) * 3_600_000) };
  const { desk } = deskParts(db, { clock, secret: randomBytes(32) });

  const officerOf = async (role: 'helpdesk' | 'operator', agency: string | undefined) => {
    const index = people - 1 - officers;
    officers += 1;
    const [row] = await db.query('SELECT id FROM accounts WHERE nip = $1', [nipAt(index)]);
    const id = accountId(row?.id as string);
    const code = agency === undefined ? undefined : agencyCode(agency);
    await db.transaction((tx) => grantRole(tx, { accountId: id, role, agencyCode: code, now: new Date() }));
    return { accountId: id, clientId: 'console', trace: { requestId: 'bench' } };
  };
  let officers = 0;
  const large = await officerOf('helpdesk', LARGE_TREE);
  const small = await officerOf('helpdesk', SMALL_TREE);
  const operator = await officerOf('operator', undefined);

  const cursorAfter = async (pages: number): Promise<string> => {
    let cursor: string | undefined;
    for (let page = 0; page < pages; page += 1) {
      const found = await desk.search(large, { query: 'siti', cursor });
      cursor = found.kind === 'found' ? found.next : undefined;
    }
    if (cursor === undefined) throw new Error('there are too few pages');
    return cursor;
  };
  const [second, hundredth] = [await cursorAfter(1), await cursorAfter(Math.min(100, Math.floor(people / 20_000)))];
  const anywhere = (index: number): number => (index * 7919) % people;

  const kinds: [string, typeof large, (index: number) => Search][] = [
    ['NIP', operator, (index) => ({ nip: nipAt(anywhere(index)) })],
    ['NIP of before', operator, (index) => ({ nip: `1970${nipAt(anywhere(index) * 100 + 7).slice(4)}` })],
    ['NIP of nobody', operator, (index) => ({ nip: `2090${nipAt(index).slice(4)}` })],
    ['NIP out of scope', small, (index) => ({ nip: nipAt(anywhere(index)) })],
    ['common name, large tree', large, () => ({ query: 'siti' })],
    ['the same, page 2', large, () => ({ query: 'siti', cursor: second })],
    ['the same, far page', large, () => ({ query: 'siti', cursor: hundredth })],
    ['beginning of many names, large tree', large, () => ({ query: 'sit' })],
    ['two common words, large tree', large, () => ({ query: 'siti nurhaliza' })],
    ['three letters beside a common name', large, () => ({ query: 'siti zul' })],
    ['common words that never meet', large, () => ({ query: 'siti muhammad' })],
    ['name of nobody, large tree', large, () => ({ query: 'xyzzy' })],
    ['common name, small tree', small, () => ({ query: 'siti' })],
    ['name of nobody, small tree', small, () => ({ query: 'xyzzy' })],
    ['common name, operator, one agency', operator, () => ({ query: 'muhammad', agency: LARGE_TREE })],
  ];
  const client = new pg.Client(url);
  await client.connect();
  closers.push(() => client.end());
  const { rows } = await client.query<{ people: string; words: string; size: string }>(
    `SELECT count(*) AS people, (SELECT count(*) FROM account_name_words) AS words,
            pg_size_pretty(pg_total_relation_size('account_name_words')) AS size FROM accounts`,
  );
  const [inTree] = (
    await client.query<{ n: string; siti: string }>(
      `SELECT count(*) AS n, count(*) FILTER (WHERE a.name LIKE 'Siti %') AS siti
         FROM accounts a JOIN agencies g ON g.code = a.agency_code WHERE '${LARGE_TREE}' = ANY (g.ancestors)`,
    )
  ).rows;
  print(`${name}; ${rows[0]?.people} people, ${rows[0]?.words} words (${rows[0]?.size})`);
  print(`the large tree: ${inTree?.n} people, ${inTree?.siti} of them called Siti; ${lanes} at once\n`);
  print('| search | found | p50 | p95 | p99 |\n| --- | ---: | ---: | ---: | ---: |');
  for (const [kind, officer, search] of kinds) {
    let found = 0;
    const ask = async (index: number): Promise<void> => {
      const answer = await desk.search(officer, search(index));
      if (answer.kind !== 'found') throw new Error(`${kind}: ${answer.kind}`);
      found = Math.max(found, answer.people.length);
    };
    await repeat(20, lanes, ask);
    const took = await repeat(times, lanes, ask);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(took, share).toFixed(1));
    print(`| ${kind} | ${found} | ${p50} ms | ${p95} ms | ${p99} ms |`);
  }
}

const closers: Closers = [];
try {
  await bench(closers);
} finally {
  for (const close of closers.toReversed()) await close();
}
