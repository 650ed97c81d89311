import { createHmac, randomInt } from 'node:crypto';
import { jest } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { secretContext } from '#src/devices/device.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { DeviceId } from '#src/kernel/ids.js';
import { sessionStore } from '#src/oidc/storage/session-store.js';
import { insertSession } from '#src/portal/page-session-store.js';
import { digest } from '#src/security/digests.js';
import { randomId } from '#src/security/secrets.js';
import { addEmployees, PASSWORD, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { openInstallation, type Installation } from '../support/installation.js';
import { attribute } from '../support/person.js';
import { eventually, type ServerProcess } from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { totp } from '../support/totp.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';

/**
 * people add an authenticator and move to a new phone, and the process is killed with -9 under their hands, 200
 * times. The account holds the old or the new factor, never none, never one whose code was not typed.
 */
jest.setTimeout(300_000);

const INTERRUPTIONS = 200;
/** How many people are on their way when one process dies. */
const AT_ONCE = 8;

/**
 * What the confirming transaction writes, in its order. While one of them is held, everybody waits at that statement,
 * and dies there; the other half of the processes dies at random moments, of the whole way or of its last request.
 */
const STATEMENTS = [
  'accounts',
  'failure_counters',
  'devices',
  'oidc_grants',
  'sso_sessions',
  'sign_in_attempts',
  'audit_events',
  'outbox',
] as const;

let database: TestDatabase;
let house: Installation;
beforeAll(async () => {
  database = await createTestDatabase();
  house = await openInstallation({ databaseUrl: database.url });
});
afterAll(async () => {
  await house.stop();
  await database.drop();
});

const stepNow = (): number => Math.floor(Date.now() / 30_000);

/** An authenticator app, which shows no code twice. */
class App {
  readonly secret: string;
  #shown = 0;

  constructor(secret: string) {
    this.secret = secret;
  }

  code(): string {
    this.#shown = Math.max(this.#shown + 1, stepNow());
    return totp(this.secret, new Date(this.#shown * 30_000));
  }
}

interface Mover {
  readonly person: Employee;
  readonly journey: 'add' | 'move';
  readonly browser: Visitor;
  /** Asks in the person's session. */
  readonly ask: (path: string, form?: Record<string, string>) => Promise<Answer>;
  readonly old: App;
  readonly oldId: DeviceId;
  /** What the page has shown, once it has. */
  fresh: App | undefined;
  /** What came of the confirming code, once it was sent. */
  answer: Answer | undefined;
}

let addresses = 0;
const visitorAt = ({ port }: ServerProcess): Visitor => {
  addresses += 1;
  return house.visitor({ ports: [port], address: `10.12.${addresses >> 8}.${addresses & 255}` });
};

/** A whole login on our own pages. */
async function logIn(browser: Visitor, { nip }: Employee, app: App): Promise<Answer> {
  const login = await browser.follow('/login');
  let page = await browser.submit(login, '/password', { username: nip, password: PASSWORD });
  // A busy machine asks people back, and does not count the try.
  for (let tries = 0; page.status === 503 && tries < 5; tries += 1) {
    await pause(1_000);
    page = await browser.submit(login, '/password', { username: nip, password: PASSWORD });
  }
  return browser.submit(page, '/otp', { otp: app.code() });
}

/** A session on our own pages as a login just made would have left it: the cookies that hold it. */
async function openSession({ id: accountId }: Employee): Promise<string> {
  const { db, config } = house.services;
  const [secret, uid] = [randomId(16), randomId(16)];
  const now = new Date();
  const login = { credEpoch: 1, at: now, userAgent: undefined, address: undefined };
  await sessionStore(db).insert({ uid, id: randomId(16), accountId, login, payload: {}, authorizations: {}, now });
  const page = { pages: 'portal', accountId, sessionUid: uid, authenticatedAt: now, acr: 'urn:asn:aal2' } as const;
  await insertSession(db, { ...page, id: digest(secret), now, expiresAt: secondsAfter(now, 3600) });
  const key = config.cookieKeys.all[0]?.bytes.toString('base64') ?? '';
  const signature = createHmac('sha1', key).update(`portal=${secret}`).digest('base64url');
  return `portal=${secret}; portal.sig=${signature}`;
}

/** People who are logged in, half of whom will add an authenticator, and half move. */
async function gather(process: ServerProcess): Promise<Mover[]> {
  const people: Employee[] = await addEmployees(house.services, { count: AT_ONCE, state: 'enrolled' });
  return Promise.all(
    people.map(async (person, index): Promise<Mover> => {
      const [device] = await house.services.devices.activeOf(house.services.db, person.id);
      if (person.secret === undefined || device === undefined) throw new Error('this person has no authenticator');
      const [browser, session] = [visitorAt(process), await openSession(person)];
      return {
        person,
        journey: index % 2 === 0 ? 'add' : 'move',
        browser,
        ask: (path, form) =>
          browser.ask(path, {
            headers: { cookie: `${browser.cookiesFor(path)}; ${session}` },
            ...(form === undefined ? {} : { form }),
          }),
        old: new App(person.secret),
        oldId: device.id,
        fresh: undefined,
        answer: undefined,
      };
    }),
  );
}

/** From the first press to the page that shows the key. False when nobody answered any more. */
async function begin(mover: Mover): Promise<boolean> {
  const { journey, ask } = mover;
  const path = `/account/devices/${journey}`;
  const start = await ask(path);
  if (start.status === 0) return false;
  const { form } = formOn(start, path);
  const begun = await ask(path, form);
  if (begun.status === 0) return false;
  expect(begun.location).toBe(`${path}/app`);
  const page = await ask(`${path}/app`);
  if (page.status === 0) return false;
  mover.fresh = new App(attribute(page.body, 'data-secret') ?? '');
  return true;
}

async function confirm(mover: Mover): Promise<void> {
  const { journey, ask, fresh } = mover;
  if (fresh === undefined) throw new Error('there is no key to type a code of');
  const path = `/account/devices/${journey}/app`;
  const page = await ask(path);
  if (page.status === 0) return;
  const { form } = formOn(page, path);
  mover.answer = await ask(path, { ...form, otp: fresh.code(), device_name: 'Baru' });
}

/** Kills while everybody waits at one statement. */
async function killAt(process: ServerProcess, movers: readonly Mover[], table: string): Promise<void> {
  expect(await Promise.all(movers.map(begin))).not.toContain(false);
  const { db } = house.services;
  let underWay: Promise<unknown> = Promise.resolve();
  // Where a machine is slow, the first would have waited too long before the last comes: then some are still on the way.
  let since: number | undefined;
  const hasWaited = (waiting: number): boolean => {
    if (waiting > 0) since ??= performance.now();
    return since !== undefined && performance.now() - since > 500;
  };
  await db.transaction(async (tx) => {
    await tx.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    underWay = Promise.all(movers.map(confirm));
    await eventually(`everybody to wait for ${table}`, async () => {
      const [row] = await db.query(
        `SELECT count(DISTINCT pid)::integer AS waiting FROM pg_locks
          WHERE relation = $1::regclass AND NOT granted AND mode IN ('RowExclusiveLock', 'RowShareLock')`,
        [table],
      );
      return Number(row?.waiting) >= movers.length || hasWaited(Number(row?.waiting));
    });
    await process.kill();
  });
  await underWay;
}

/** Kills at a random moment of everybody's way. */
async function killOnTheWay(process: ServerProcess, movers: readonly Mover[], usualMs: number): Promise<void> {
  const underWay = Promise.all(
    movers.map(async (mover) => {
      await pause(randomInt(usualMs));
      if (await begin(mover)) await confirm(mover);
    }),
  );
  await pause(usualMs / 2 + randomInt(usualMs));
  await process.kill();
  await underWay;
}

/** Kills at a random moment of the last request, its COMMIT and its answer included. */
async function killAtTheCode(process: ServerProcess, movers: readonly Mover[], usualMs: number): Promise<void> {
  expect(await Promise.all(movers.map(begin))).not.toContain(false);
  const underWay = Promise.all(movers.map(confirm));
  await pause(usualMs / 3 + randomInt(usualMs));
  await process.kill();
  await underWay;
}

/** What the books say of one person; the complaints, best none. */
async function audit({ person, journey, old, oldId, fresh, answer }: Mover): Promise<string[]> {
  const { db, devices, box } = house.services;
  const active = await devices.activeOf(db, person.id);
  const held = active.map(({ id, sealedSecret }) => {
    const secret = box.open(sealedSecret ?? '', secretContext(id)).toString();
    if (secret === old.secret) return 'old';
    return secret === fresh?.secret ? 'new' : 'unknown';
  });
  const [row] = await db.query(
    `SELECT count(*) FILTER (WHERE type = 'device.enrolled')::integer AS enrolled,
            count(*) FILTER (WHERE type = 'device.ended')::integer AS ended
       FROM audit_events WHERE account_id = $1`,
    [person.id],
  );
  const changed = held.includes('new');
  const right = changed ? (journey === 'add' ? ['old', 'new'] : ['new']) : ['old'];
  const problems: string[] = [];
  if (held.join() !== right.join()) problems.push(`${journey}: holds ${held.join() || 'nothing'}`);
  if (answer === undefined && changed) problems.push('an authenticator whose code was not typed');
  if (answer?.status === 303 && !changed) problems.push('a change that the person was told of is lost');
  if (row?.enrolled !== (changed ? 1 : 0)) problems.push('a change without its event, or an event without its change');
  if (row?.ended !== (changed && journey === 'move' ? 1 : 0)) problems.push('an end without its event');
  const ended = await devices.endedOf(db, person.id, 20);
  if (ended.length !== Number(row?.ended) || ended.some(({ id }) => id !== oldId)) problems.push('a wrong history');
  return problems.map((problem) => `${person.id}: ${problem}`);
}

it('killed at any statement: old or new, never none, never unconfirmed, and the person gets in', async () => {
  let process = await house.start();
  // How long the way takes here, with nobody in it.
  const first = await gather(process);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return Math.ceil(performance.now() - began);
  };
  const beginMs = await timed(() => Promise.all(first.map(begin)));
  const codeMs = await timed(() => Promise.all(first.map(confirm)));
  for (const mover of first) expect([mover.answer?.location, await audit(mover)]).toEqual(['/account/devices', []]);

  const outcomes: Record<string, number> = {};
  const all: Mover[] = [];
  let interrupted = 0;
  for (let life = 0; interrupted < INTERRUPTIONS; life += 1) {
    const next = house.start();
    const movers = await gather(process);
    const table = life % 2 === 0 ? STATEMENTS[(life / 2) % STATEMENTS.length] : undefined;
    if (table !== undefined) await killAt(process, movers, table);
    else if (life % 4 === 1) await killAtTheCode(process, movers, codeMs);
    else await killOnTheWay(process, movers, beginMs + codeMs);
    house.remove(process);
    process = await next;
    // What had come to its COMMIT is through, or not: the server of the database knows by now.
    await eventually('no transaction to be open', async () => {
      const open = await house.services.db.query(
        `SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`,
      );
      return open.length === 0;
    });

    const problems = await Promise.all(movers.map(audit));
    expect(problems.flat()).toEqual([]);
    for (const [index, mover] of movers.entries()) {
      const { person, answer, oldId, old, fresh } = mover;
      const { db, devices, otp } = house.services;
      const changed = (await devices.activeOf(db, person.id)).some(({ id }) => id !== oldId);
      const where = answer === undefined ? 'on the way' : answer.status === 0 ? 'at the code' : 'after';
      if (where !== 'after') interrupted += 1;
      const outcome = `${table ?? 'any moment'}, ${where}: ${changed ? 'new' : 'old'}`;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      // The code of what they hold is good; one of them goes the whole way to prove it, over HTTP.
      const app = changed && fresh !== undefined ? fresh : old;
      if (index === life % AT_ONCE) {
        const browser = visitorAt(process);
        expect((await logIn(browser, person, app)).page).toBe('launcher');
        browser.close();
      } else {
        const typed = app.code();
        const verdict = await db.transaction((tx) => otp.check(tx, { accountId: person.id, typed }));
        expect(verdict.kind).toBe('accepted');
      }
      mover.browser.close();
    }
    all.push(...movers);
  }
  figures('killed', { beginMs, codeMs, interrupted, lives: all.length / AT_ONCE, outcomes });

  // Everybody is told of what happened, or will be when the claims of the dead run out; and nobody of what did not.
  const { db, devices } = house.services;
  const [row] = await db.query('SELECT count(*)::integer AS waiting FROM outbox');
  const untold: string[] = [];
  for (const { person, oldId } of all) {
    const changed = (await devices.activeOf(db, person.id)).some(({ id }) => id !== oldId);
    const told = house.mailbox.mails.some(({ to }) => to.includes(person.email));
    if (told) expect([person.id, changed]).toEqual([person.id, true]);
    else if (changed) untold.push(person.id);
  }
  expect(untold.length).toBeLessThanOrEqual(Number(row?.waiting));
  expect(house.errors().slice(0, 3)).toEqual([]);
});
