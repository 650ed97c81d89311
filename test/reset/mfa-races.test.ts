import { setTimeout as pause } from 'node:timers/promises';
import { getById } from '#src/accounts/accounts.js';
import type { AccountId } from '#src/kernel/ids.js';
import { openPostgres } from '#src/storage/postgres.js';
import type { Database } from '#src/storage/database.js';
import { CAPTCHA } from '../support/site.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { openHouse, PASSWORD, type TwoPeople } from '../models/self-reset/house.js';

/** What may happen once is tried sixteen times at once, each on a connection of its own. */
const USES = 16;
const ITEMS = 12;
/** Of two that are against each other, one begins up to half as many milliseconds earlier. */
const ROUNDS = 60;

let database: TestDatabase;
let db: Database;
let house: Awaited<ReturnType<typeof openHouse>>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openPostgres({ url: database.url, maxConnections: USES + 2, onIdleError: () => undefined });
  house = await openHouse(db);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const trace = { requestId: 'request', agent: { browser: 'Chrome', system: 'Android' } };
const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** Two people, the first with a reset that waits, and the secret of the link that stops it. */
async function waiting(): Promise<{ people: TwoPeople; id: AccountId; link: string }> {
  const people = await house.addTwo();
  const driver = house.driver(people);
  const { id } = people.A;
  await db.transaction(async (tx) => house.waitingResets.begin(tx, { account: await getById(tx, id), trace }));
  const link = (await driver.mailed()).find((mail) => mail.link !== undefined)?.link ?? '';
  return { people, id, link };
}
const pass = (hours: number): void => {
  house.parts.clock.at += hours * 3_600_000;
};
const audited = async (id: AccountId, type: string): Promise<number> =>
  (await db.query('SELECT FROM audit_events WHERE account_id = $1 AND type = $2', [id, type])).length;
const stateOf = async (id: AccountId): Promise<{ active: number; epoch: number; states: string }> => {
  const [row] = await db.query(
    `SELECT a.cred_epoch AS epoch,
            (SELECT count(*)::integer FROM devices WHERE account_id = a.id AND status = 'active') AS active,
            (SELECT string_agg(state, ',') FROM waiting_resets WHERE account_id = a.id) AS states
       FROM accounts a WHERE a.id = $1`,
    [id],
  );
  return { active: row?.active as number, epoch: row?.epoch as number, states: row?.states as string };
};

describe('a waiting reset', () => {
  it('begun sixteen times at once waits once, with one mail and one time', async () => {
    for (let item = 0; item < ITEMS; item += 1) {
      const people = await house.addTwo();
      const driver = house.driver(people);
      const { id } = people.A;
      const dues = await times(USES, () =>
        db.transaction(async (tx) => house.waitingResets.begin(tx, { account: await getById(tx, id), trace })),
      );
      expect(new Set(dues.map((due) => due.getTime())).size).toBe(1);
      expect((await driver.mailed()).filter(({ link }) => link !== undefined)).toHaveLength(1);
      expect(await stateOf(id)).toMatchObject({ states: 'waiting' });
    }
  });

  it('that is due takes effect once, whoever types the password how often at once', async () => {
    for (let item = 0; item < ITEMS; item += 1) {
      const { people, id } = await waiting();
      const account = await getById(db, id);
      pass(24);
      const epochs = await times(USES, () => house.waitingResets.complete({ account, trace }));
      expect(epochs.filter((epoch) => epoch !== undefined)).toEqual([{ credEpoch: account.credEpoch + 1 }]);
      expect(await stateOf(id)).toEqual({ active: 0, epoch: account.credEpoch + 1, states: 'done' });
      expect(await audited(id, 'self_reset.done')).toBe(1);
      expect(await audited(id, 'device.ended')).toBe(people.A.devices.length);
      house.driver(people);
    }
  });

  it('takes effect once through its own page and the login at once', async () => {
    const { people, id } = await waiting();
    const driver = house.driver(people);
    pass(24);
    const captchas = await times(8, () => driver.captcha(0));
    await Promise.all([
      ...captchas.map((captchaId) =>
        driver.start(0, { way: 'wait', nip: people.A.nip, password: PASSWORD, captchaId, captcha: CAPTCHA }),
      ),
      times(8, () => driver.login('A', PASSWORD)),
    ]);
    expect(await stateOf(id)).toMatchObject({ active: 0, states: 'done' });
    expect(await audited(id, 'self_reset.done')).toBe(1);
  });

  it('and its cancellation: one of them happens, wholly', async () => {
    const ends = { done: 0, stopped: 0 };
    for (let item = 0; item < ROUNDS; item += 1) {
      const { id, link, people } = await waiting();
      const account = await getById(db, id);
      pass(24);
      // From one that is long ahead, over both at once, to the other long ahead: the rest is PostgreSQL's to decide.
      const lead = item - ROUNDS / 2;
      const [completed, stopped] = await Promise.all([
        pause(Math.max(0, -lead)).then(() => times(4, () => house.waitingResets.complete({ account, trace }))),
        pause(Math.max(0, lead)).then(() =>
          times(4, (index) =>
            index % 2 === 0
              ? house.waitingResets.stopByLink(link, trace)
              : house.waitingResets.stop({ accountId: id, by: 'person', trace }).then(() => undefined),
          ),
        ),
      ]);
      const state = await stateOf(id);
      const done = completed.filter((each) => each !== undefined).length;
      const answers = stopped.flatMap((each) => (each === undefined ? [] : [each.kind]));
      if (state.states === 'done') {
        ends.done += 1;
        expect([done, state.active, state.epoch]).toEqual([1, 0, account.credEpoch + 1]);
        expect(answers).toEqual(['over', 'over']);
      } else {
        ends.stopped += 1;
        expect(state.states).toBe('stopped');
        expect([done, state.active, state.epoch]).toEqual([0, people.A.devices.length, account.credEpoch]);
        expect(answers).toEqual(['stopped', 'stopped']);
        expect(await audited(id, 'self_reset.stopped')).toBe(1);
        expect(await audited(id, 'device.ended')).toBe(0);
      }
      house.driver(people);
    }
    // Each was seen to win.
    expect(ends.done).toBeGreaterThan(0);
    expect(ends.stopped).toBeGreaterThan(0);
  });
});

it('a recovery code typed sixteen times at once is one reset', async () => {
  for (let item = 0; item < ITEMS; item += 1) {
    const people = await house.addTwo();
    const driver = house.driver(people);
    const captchaId = await driver.captcha(0);
    const typed = { way: 'factor', nip: people.A.nip, password: PASSWORD, captchaId, captcha: CAPTCHA } as const;
    const started = await driver.start(0, typed);
    const flow = started.kind === 'started' ? started.flowId : '';
    const answers = await times(USES, () => driver.recovery(0, flow, people.A.codes[0] ?? ''));
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['done']));
    expect(await audited(people.A.id, 'self_reset.done')).toBe(1);
  }
});
