import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { SEALED_NOTICE } from '#src/accounts/account-mail.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { SEALED_PLACES } from '#src/sealed-places.js';
import { Interrupted, logIn } from '../faults/working-day.js';
import { builtProgram } from '../support/built-program.js';
import { addEmployees, hasFreshOtp, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { openInstallation, type Installation } from '../support/installation.js';
import { eventually } from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

// F-17b, R-55: the encryption key is exchanged while people log in, and the command that seals anew is killed halfway.
jest.setTimeout(240_000);

const key = (kid: string, fill: number): string => `${kid}:${Buffer.alloc(32, fill).toString('base64')}`;
const OLD = key('k-old', 1);
const NEW = key('k-new', 2);
const FIXED = { PASSWORD_PEPPERS: key('p', 3), COOKIE_KEYS: key('c', 4) };
/** So many that the command is at it for a while. */
const ROWS = 40_000;
const PEOPLE = 40;

let database: TestDatabase;
let house: Installation;
let people: Employee[];

beforeAll(async () => {
  database = await createTestDatabase();
  house = await openInstallation({
    databaseUrl: database.url,
    settings: { ...FIXED, ENCRYPTION_KEYS: `${OLD},${NEW}` },
  });
  await house.start();
  await house.start();
  people = await addEmployees(house.services, { count: PEOPLE, state: 'enrolled' });
  const old = createSealedBox(parseKeyRing(OLD));
  const ids = Array.from({ length: ROWS }, () => randomUUID());
  for (let from = 0; from < ROWS; from += 10_000) {
    const some = ids.slice(from, from + 10_000);
    // Due when nobody is there any more.
    await house.services.db.query(
      `INSERT INTO account_notices (id, account_id, notice, happened_at, due_at)
       SELECT id, gen_random_uuid(), notice, now(), now() + interval '1 day'
         FROM unnest($1::uuid[], $2::text[]) AS given (id, notice)`,
      [some, some.map((id) => old.seal(`notice ${id}`, SEALED_NOTICE.context(id)))],
    );
  }
});
afterAll(async () => {
  await house.stop();
  await database.drop();
});

const environment = (encryption: string) => ({
  PATH: process.env.PATH,
  ...house.settings,
  ENCRYPTION_KEYS: encryption,
});
const keys = async (encryption: string, ...argv: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [await builtProgram(), 'keys', ...argv], {
    env: environment(encryption),
  });
  return stdout;
};
const sealedWith = async (kid: string): Promise<number> => {
  const [row] = await house.services.db.query(
    `SELECT count(*)::integer AS n FROM account_notices WHERE split_part(notice, '.', 2) = $1`,
    [kid],
  );
  return row?.n as number;
};

/** People log in, one after the other, until they are told to stop. */
function logins(): { readonly done: () => number; readonly end: () => Promise<readonly unknown[]> } {
  let going = true;
  let done = 0;
  let turn = 0;
  const failures: unknown[] = [];
  const all = Promise.all(
    Array.from({ length: 2 }, async (_, line) => {
      while (going) {
        const at = people.findIndex(hasFreshOtp);
        const [person] = at === -1 ? [] : people.splice(at, 1);
        if (person === undefined) {
          await pause(200);
          continue;
        }
        turn += 1;
        const visitor = house.visitor({ address: `10.7.${line}.${turn % 250}`, ports: [house.balancer.port] });
        try {
          await logIn(visitor, person);
          done += 1;
        } catch (error) {
          failures.push(error instanceof Interrupted ? error.message : error);
        }
        visitor.close();
        people.push(person);
      }
    }),
  );
  return {
    done: () => done,
    end: async () => {
      going = false;
      await all;
      return failures;
    },
  };
}

/** In the place of the processes there are, two with these keys, without a gap. */
async function restart(encryption: string): Promise<void> {
  const before = house.processes;
  await house.start({ ENCRYPTION_KEYS: encryption });
  await house.start({ ENCRYPTION_KEYS: encryption });
  for (const each of before) {
    house.remove(each);
    each.signal('SIGTERM');
    expect(await each.ended).toEqual({ code: 0, signal: null });
  }
}

it('a key that rows still need cannot be taken out', async () => {
  await expect(keys(NEW, 'list')).rejects.toThrow('ENCRYPTION_KEYS lacks the key k-old');
});

it('the key is made the first, everything is sealed anew though the command is killed halfway, and people log in', async () => {
  await restart(`${NEW},${OLD}`);
  const load = logins();
  await eventually('people to log in', () => load.done() > 1);

  const child = spawn(process.execPath, [await builtProgram(), 'keys', 'reseal'], {
    env: environment(`${NEW},${OLD}`),
    stdio: 'ignore',
  });
  await eventually('a part to be sealed anew', async () => (await sealedWith('k-new')) > ROWS / 5);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [resealed, left] = [await sealedWith('k-new'), await sealedWith('k-old')];
  expect(left).toBeGreaterThan(0);
  expect(resealed + left).toBe(ROWS);

  const began = performance.now();
  const told = await keys(`${NEW},${OLD}`, 'reseal');
  const tookMs = Math.round(performance.now() - began);
  expect(told).toContain('everything is sealed with k-new: take k-old out of ENCRYPTION_KEYS');
  expect(told).toMatch(/devices: \d+ values sealed with k-new|account_notices: \d+ values sealed with k-new/);
  expect(await sealedWith('k-old')).toBe(0);
  figures('reseal', { killedAt: resealed, rest: left, tookMs, logins: load.done() });
  expect(await load.end()).toEqual([]);
});

it('then the old key may go: every value opens with the new one alone, and people log in', async () => {
  const box = createSealedBox(parseKeyRing(NEW));
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  let opened = 0;
  for (const { table, column, row, context } of SEALED_PLACES) {
    // All of a table at once: longer than the program's own statements may take.
    const { rows: values } = await reader.query<{ value: string; row: string[] }>(
      `SELECT ${column} AS value, ARRAY[${row.map((part) => `(${part})::text`).join(', ')}] AS row
         FROM ${table} WHERE ${column} IS NOT NULL`,
    );
    for (const { value, row: of } of values) {
      box.open(value, context(...of));
      opened += 1;
    }
  }
  await reader.end();
  expect(opened).toBeGreaterThan(ROWS + PEOPLE);
  const load = logins();
  await restart(NEW);
  const before = load.done();
  await eventually('people to log in at the new processes', () => load.done() > before + 2, 60_000);
  expect(await load.end()).toEqual([]);
  expect(house.errors()).toEqual([]);
});
