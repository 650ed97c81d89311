import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { addAuditCommands } from '#src/cli/audit.js';
import type { RunWithServices } from '#src/cli/run.js';
import { trailHouse } from '../helpdesk/trail/house.js';
import { addPerson, plantAgencies } from '../helpdesk/people.js';
import { auditOf } from '../helpdesk/reset-parts.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { openTestDatabase } from '../support/test-database.js';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let house: ReturnType<typeof trailHouse>;
let folder: string;

beforeEach(async () => {
  db = await openTestDatabase();
  house = trailHouse(db);
  await house.audit.prepare(db);
  await plantAgencies(db);
  folder = await makeTemporaryFolder('sso-asn-export-');
});
afterEach(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

async function sso(...argv: string[]): Promise<{ code: number | undefined; out: string; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  let code: number | undefined;
  const run: RunWithServices = async (work) => {
    code = await work({ db, trailExports: house.exports } as unknown as Parameters<typeof work>[0]);
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => err.push(text) });
  addAuditCommands(program, run);
  const write = process.stdout.write.bind(process.stdout);
  const { error } = console;
  Object.assign(process.stdout, { write: (text: string) => out.push(text) > 0 });
  Object.assign(console, { error: (line: string) => err.push(line) });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (refusal) {
    code = (refusal as { exitCode: number }).exitCode;
  } finally {
    Object.assign(process.stdout, { write });
    Object.assign(console, { error });
  }
  return { code, out: out.join(''), err };
}

it('writes what happened to one person on the days asked for, into a file that nobody else reads', async () => {
  const person = await addPerson(db);
  const [row] = await db.query('SELECT nip FROM accounts WHERE id = $1', [person]);
  for (const [at, type] of [
    // 18 November begins in Jakarta at 17:00 UTC of the 17th.
    ['2026-11-17T16:59:59Z', 'before'],
    ['2026-11-17T17:00:00Z', 'first'],
    ['2026-11-19T16:59:59Z', 'last'],
    ['2026-11-19T17:00:00Z', 'after'],
  ]) {
    await db.query('INSERT INTO audit_events (at, type, account_id) VALUES ($1, $2, $3)', [at, type, person]);
  }
  await db.query(`INSERT INTO audit_events (at, type) VALUES ('2026-11-18T03:00:00Z', 'of somebody else')`);
  const file = join(folder, 'trail.csv');
  const days = ['--from', '2026-11-18', '--to', '2026-11-19'];
  const ran = await sso('audit', 'export', ...days, '--account-nip', row?.nip as string, '--out', file);
  expect(ran).toEqual({ code: 0, out: '', err: [`2 rows written to ${file}`] });
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\r\n');
  expect(lines.slice(1).map((line) => line.split('","')[1])).toEqual(['last', 'first']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await auditOf(db, 'audit.exported')).toMatchObject([{ account_id: person, actor_id: null }]);
});

it('writes to stdout, as JSON Lines', async () => {
  await house.audit.record(db, { type: 'key.generated', detail: { kid: 'k', alg: 'ES256' } });
  house.later(1);
  const { code, out } = await sso('audit', 'export', '--format', 'jsonl', '--type', 'key.generated');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ event: 'key.generated', detail: { kid: 'k', alg: 'ES256' } });
});

it.each([
  [['--from', '2026-11-19', '--to', '2026-11-01'], 'lies behind'],
  [['--from', '2020-01-01'], 'at most a year'],
  [['--from', 'yesterday'], 'takes a day'],
  [['--from', '2026-11-01T07:00'], 'with its zone'],
  [['--type', 'mfa_reset.don'], 'no event is called mfa_reset.don; did you mean mfa_reset.done'],
  [['--account-nip', '198609262015051001'], 'no account has this NIP'],
])('refuses %j', async (options, words) => {
  const { code, err } = await sso('audit', 'export', ...options);
  expect(code).toBeGreaterThan(0);
  expect(err.join('\n')).toContain(words);
});
