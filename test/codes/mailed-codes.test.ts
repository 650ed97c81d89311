import { randomBytes } from 'node:crypto';
import { accountId } from '#src/kernel/ids.js';
import { createMailedCodes, MAILED_CODES_EXPIRY, type CodeAnswer, type CodePurpose } from '#src/codes/mailed-codes.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { openPostgres } from '#src/storage/postgres.js';
import { createPurge } from '#src/storage/purge-store.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

const start = new Date('2026-11-23T00:30:00Z');
const siti = accountId('6a3f1c52-4f0e-4a57-9a5c-0f1f5a1d2b3c');
const WRONG = '00000-00000';

let db: Database & TestDatabase;
let flow: string;
let now: Date;
const codes = createMailedCodes({ keyed: createKeyedDigest(randomBytes(32)) });

const advance = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};
const issue = (more: { flow?: string; accountId?: typeof siti | undefined; purpose?: CodePurpose } = {}) =>
  db.transaction((tx) => codes.issue(tx, { flow, purpose: 'reset', accountId: siti, ttlSeconds: 900, now, ...more }));
const redeem = (typed: string, more: { flow?: string; purpose?: CodePurpose } = {}): Promise<CodeAnswer> =>
  codes.redeem(db, { flow, purpose: 'reset', typed, now, ...more });
const check = (typed: string): Promise<CodeAnswer> => codes.check(db, { flow, purpose: 'reset', typed, now });
const consume = (): Promise<boolean> => db.transaction((tx) => codes.consume(tx, { flow, purpose: 'reset', now }));
const waste = async (tries: number): Promise<CodeAnswer | undefined> => {
  let answer: CodeAnswer | undefined;
  for (let i = 0; i < tries; i += 1) answer = await redeem(WRONG);
  return answer;
};

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(() => {
  flow = randomBytes(16).toString('base64url');
  now = start;
});
afterAll(() => db.drop());

test('a right code is accepted once', async () => {
  const code = await issue();
  expect(await redeem(code.toLowerCase().replace('-', ' '))).toEqual({ kind: 'right' });
  expect(await redeem(code)).toEqual({ kind: 'none' });
});

test('of sixteen that redeem the same code at once, over two pools, one is right and none spends a try', async () => {
  const second = openPostgres({ url: db.url, maxConnections: 8, onIdleError: () => undefined });
  try {
    for (let round = 0; round < 20; round += 1) {
      flow = `race-${round}`;
      const typed = await issue();
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, i) => codes.redeem(i % 2 ? db : second, { flow, purpose: 'reset', typed, now })),
      );
      expect(answers.map(({ kind }) => kind).sort()).toEqual([...Array<string>(15).fill('none'), 'right']);
    }
  } finally {
    await second.close();
  }
});

test('counts down the wrong tries and ends the flow with the fifth, even for the right code', async () => {
  const code = await issue();
  const answers = [];
  for (let i = 0; i < 5; i += 1) answers.push(await redeem(WRONG));
  expect(answers).toEqual([
    { kind: 'wrong', triesLeft: 4 },
    { kind: 'wrong', triesLeft: 3 },
    { kind: 'wrong', triesLeft: 2 },
    { kind: 'wrong', triesLeft: 1 },
    { kind: 'exhausted' },
  ]);
  expect(await redeem(code)).toEqual({ kind: 'exhausted' });
  expect(await check(code)).toEqual({ kind: 'exhausted' });
});

test('the right code still opens after four wrong ones', async () => {
  const code = await issue();
  await waste(4);
  expect(await redeem(code)).toEqual({ kind: 'right' });
});

test('fifty wrong tries at once are five', async () => {
  const code = await issue();
  const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(WRONG)));
  expect(answers.filter(({ kind }) => kind === 'wrong')).toHaveLength(4);
  expect(await redeem(code)).toEqual({ kind: 'exhausted' });
  expect(answers.filter(({ kind }) => kind === 'exhausted')).toHaveLength(46);
});

test('a new code voids the old one and does not forget the wrong tries', async () => {
  const old = await issue();
  await waste(2);
  const fresh = await issue();
  expect(await redeem(old)).toEqual({ kind: 'wrong', triesLeft: 2 });
  await waste(1);
  expect(await redeem(fresh)).toEqual({ kind: 'right' });

  const third = await issue();
  await waste(2);
  expect(await redeem(third)).toEqual({ kind: 'exhausted' });
  const fourth = await issue();
  expect(await redeem(fourth)).toEqual({ kind: 'exhausted' });
});

test('lives as long as it was issued for', async () => {
  const code = await issue();
  advance(899);
  expect(await check(WRONG)).toEqual({ kind: 'wrong', triesLeft: 4 });
  advance(1);
  expect(await redeem(code)).toEqual({ kind: 'none' });
});

test.each(['', ' ', 'x', '1234567890123', "';--", '\0', '🦀'.repeat(100)])(
  'takes %j for a wrong try, not for an error',
  async (typed) => {
    await issue();
    expect(await redeem(typed)).toEqual({ kind: 'wrong', triesLeft: 4 });
  },
);

test('opens neither another flow nor another purpose', async () => {
  const code = await issue();
  await issue({ flow: 'another' });
  await issue({ purpose: 'mailbox' });
  expect(await redeem(code, { flow: 'another' })).toMatchObject({ kind: 'wrong' });
  expect(await redeem(code, { purpose: 'mailbox' })).toMatchObject({ kind: 'wrong' });
  expect(await redeem(code, { flow: 'never begun' })).toEqual({ kind: 'none' });
  expect(await redeem(code)).toEqual({ kind: 'right' });
});

test('a code moved to the row of another flow opens nothing', async () => {
  await db.query('TRUNCATE mailed_codes');
  const code = await issue();
  const [mine] = await db.query('SELECT code_digest FROM mailed_codes');
  await issue({ flow: 'target' });
  await db.query('UPDATE mailed_codes SET code_digest = $1', [mine?.code_digest]);
  expect(await redeem(code, { flow: 'target' })).toMatchObject({ kind: 'wrong' });
  expect(await redeem(code)).toEqual({ kind: 'right' });
});

test('a name that does not exist gets the same answers, and no code opens its flow', async () => {
  const code = await issue({ accountId: undefined });
  expect(code).toMatch(/^.{5}-.{5}$/);
  expect(await check(code)).toEqual({ kind: 'wrong', triesLeft: 4 });
  expect(await redeem(code)).toEqual({ kind: 'wrong', triesLeft: 3 });
});

describe('checked before it is used', () => {
  test('stays right for ten minutes without being typed again, and is consumed once', async () => {
    const code = await issue();
    expect(await consume()).toBe(false);
    expect(await check(code)).toEqual({ kind: 'right' });
    advance(599);
    expect(await check('')).toEqual({ kind: 'right' });
    expect(await check(code)).toEqual({ kind: 'right' });
    const consumed = await Promise.all(Array.from({ length: 8 }, consume));
    expect(consumed.filter(Boolean)).toHaveLength(1);
    expect(await check('')).toEqual({ kind: 'none' });
    expect(await check(code)).toEqual({ kind: 'none' });
  });

  test('is over after ten minutes, however often it is typed in between', async () => {
    const code = await issue();
    await check(code);
    advance(300);
    await check(code);
    advance(300);
    expect(await check(code)).toEqual({ kind: 'none' });
    expect(await check('')).toEqual({ kind: 'none' });
    expect(await consume()).toBe(false);
  });

  test('stays right beyond the fifteen minutes when it was checked in the last of them', async () => {
    const code = await issue();
    advance(890);
    await check(code);
    advance(500);
    expect(await consume()).toBe(true);
  });

  test('burns no try, and a wrong one typed later counts', async () => {
    const code = await issue();
    for (let i = 0; i < 10; i += 1) expect(await check(code)).toEqual({ kind: 'right' });
    expect(await check(WRONG)).toEqual({ kind: 'wrong', triesLeft: 4 });
    expect(await check('')).toEqual({ kind: 'right' });
  });

  test('an empty field is wrong before', async () => {
    await issue();
    expect(await check('')).toEqual({ kind: 'wrong', triesLeft: 4 });
  });

  test('a new code asks to be checked anew', async () => {
    await check(await issue());
    await issue();
    expect(await check('')).toEqual({ kind: 'wrong', triesLeft: 4 });
    expect(await consume()).toBe(false);
  });

  test('is given back when the transaction that consumed it fails', async () => {
    await check(await issue());
    const failing = db.transaction(async (tx) => {
      expect(await codes.consume(tx, { flow, purpose: 'reset', now })).toBe(true);
      throw new Error('the password was not changed');
    });
    await expect(failing).rejects.toThrow('not changed');
    expect(await consume()).toBe(true);
  });
});

test("voiding an account ends all its codes, checked or not, and nobody else's", async () => {
  const dewi = accountId('0b8f1c52-4f0e-4a57-9a5c-0f1f5a1d2b3c');
  const code = await issue({ flow: 'open' });
  await check(await issue());
  const hers = await issue({ flow: 'hers', accountId: dewi });
  await db.transaction((tx) => codes.voidAll(tx, siti));
  expect(await redeem(code, { flow: 'open' })).toEqual({ kind: 'none' });
  expect(await consume()).toBe(false);
  expect(await redeem(hers, { flow: 'hers' })).toEqual({ kind: 'right' });
});

test('a voided flow remembers its wrong tries', async () => {
  await issue();
  await waste(4);
  await db.transaction((tx) => codes.voidAll(tx, siti));
  await issue();
  expect(await redeem(WRONG)).toEqual({ kind: 'exhausted' });
});

test('the table knows neither code nor flow', async () => {
  const code = await issue();
  const dump = await db.query(
    `SELECT encode(flow, 'hex') || encode(flow, 'escape') || encode(code_digest, 'hex') || encode(code_digest, 'escape')
            || mailed_codes::text AS line FROM mailed_codes`,
  );
  const text = JSON.stringify(dump).toUpperCase();
  const bare = code.replace('-', '');
  for (const form of [code, bare, Buffer.from(bare).toString('hex'), Buffer.from(code).toString('hex'), flow]) {
    expect(text).not.toContain(form.toUpperCase());
  }
});

test('rows are forgotten a day after their code, not sooner: they hold the wrong tries', async () => {
  await db.query('TRUNCATE mailed_codes');
  await issue();
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const purge = createPurge({ db, clock: { now: () => now }, log, expiries: [MAILED_CODES_EXPIRY] });
  advance(900 + 86_400);
  expect((await purge.runOnce()).size).toBe(0);
  advance(1);
  expect((await purge.runOnce()).get('mailed_codes')).toBe(1);
});
