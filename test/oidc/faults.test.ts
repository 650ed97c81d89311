import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseUnavailable } from '#src/storage/postgres.js';
import type { Database, Queryable } from '#src/storage/database.js';
import type { Answer } from './support/browser.js';
import { errorOf, House, tokensOf } from './support/house.js';

/** Statements until one fails; undefined: none does. */
let failAt: number | undefined;
/** Whether the database is well again after the statement that failed. */
let once = false;
/** Runs before each statement. */
let before: (text: string) => Promise<unknown> = () => Promise.resolve();
let failure: Error;
let seen = 0;

const through = (db: Database): Database => {
  const over = (queryable: Queryable): Queryable => ({
    query: async (text, values) => {
      seen += 1;
      if (failAt !== undefined && (once ? seen === failAt : seen >= failAt)) throw failure;
      await before(text);
      return queryable.query(text, values);
    },
  });
  return { ...over(db), transaction: (work) => db.transaction((tx) => work(over(tx))), close: () => db.close() };
};

let house: House;
beforeAll(async () => {
  house = await House.open({ through });
});
afterAll(() => house.close());
beforeEach(() => {
  failAt = undefined;
  once = false;
  before = () => Promise.resolve();
  house.log.length = 0;
});

const failing = async (at: number, error: Error, work: () => Promise<Answer>): Promise<Answer> => {
  seen = 0;
  failure = error;
  failAt = at;
  try {
    return await work();
  } finally {
    failAt = undefined;
  }
};

// Each prepares a request that would succeed.
const requests: Record<string, () => Promise<() => Promise<Answer>>> = {
  async 'an authorization request'() {
    const browser = house.browser();
    await house.tokens({ browser, clientId: 'web', account: await house.person() });
    return () => browser.call(house.request({ clientId: 'other' }).url);
  },
  async 'the end of a sign-in'() {
    const browser = house.browser();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: await house.person() });
    return () => browser.call(resumed.redirect());
  },
  async 'a code'() {
    const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
    return () => house.redeem('web', asked);
  },
  async 'a refresh'() {
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'spa', account: await house.person() });
    return () => house.refresh('spa', tokens.refresh_token);
  },
  async userinfo() {
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'web', account: await house.person() });
    return () => house.userinfo(tokens.access_token);
  },
  async introspection() {
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'web', account: await house.person() });
    return () => house.post('/oidc/introspect', 'web', { token: tokens.access_token });
  },
  'client credentials'() {
    return Promise.resolve(() => house.post('/oidc/token', 'service', { grant_type: 'client_credentials' }));
  },
};

describe.each(Object.entries(requests))('%s', (_, prepare) => {
  it('succeeds only with every statement, and tells a bug to the log alone', async () => {
    const succeeds = await prepare();
    seen = 0;
    const good = await succeeds();
    const statements = seen;
    expect(statements).toBeGreaterThan(0);
    expect([200, 303]).toContain(good.status);

    for (const at of [...Array(statements * 2).keys()].map((i) => (i >> 1) + 1)) {
      once = !once;
      const answer = await failing(at, new Error('boom at 10.0.0.7'), await prepare());
      expect([at, answer.location?.searchParams.get('code') ?? null]).toEqual([at, null]);
      if (answer.location === undefined) expect([at, answer.status]).toEqual([at, 500]);
      expect(errorOf(answer)).toBe('server_error');
      expect(answer.body + (answer.location?.href ?? '')).not.toContain('boom');
      expect(house.log.at(-1)).toMatchObject({
        level: 'error',
        fields: { request_id: 'request-1', detail: 'boom at 10.0.0.7' },
      });
    }
  });

  it('is put off when the database does not answer', async () => {
    const answer = await failing(1, new DatabaseUnavailable(new Error('no route to 10.0.0.7')), await prepare());
    expect(errorOf(answer)).toBe('temporarily_unavailable');
    if (answer.location === undefined) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(5);
      expect(Number(answer.headers['retry-after'])).toBeLessThan(30);
    }
    expect(answer.body).not.toContain('10.0.0.7');
    expect(house.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

it('a failed redemption costs the code, and never gives it twice', async () => {
  const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
  // The code is spent, then its token cannot be written.
  const answer = await failing(4, new Error('boom'), () => house.redeem('web', asked));
  expect(answer.status).toBe(500);
  expect(errorOf(await house.redeem('web', asked))).toBe('invalid_grant');
});

it('a session that is ended while a request is under way stays ended, and the code does not go out', async () => {
  const browser = house.browser();
  const account = await house.person();
  await house.tokens({ browser, clientId: 'web', account });
  before = (text) =>
    text.includes('UPDATE sso_sessions')
      ? house.db.query('DELETE FROM sso_sessions WHERE account_id = $1', [account])
      : Promise.resolve();
  const answer = await browser.call(house.request({ clientId: 'other' }).url);
  before = () => Promise.resolve();
  expect([errorOf(answer), answer.location?.searchParams.get('code')]).toEqual(['login_required', null]);
  expect(await house.rows('sso_sessions', `account_id = '${account}'`)).toBe(0);
});

it('goes on working afterwards', async () => {
  const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
  expect(tokensOf(await house.redeem('web', asked)).access_token).toEqual(expect.any(String));
});
