import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import type { Browser } from './support/browser.js';
import { House, resetTime, setTime } from './support/house.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(resetTime);

const START = new Date('2026-11-23T00:30:00Z');
const minutes = (count: number): Date => new Date(START.getTime() + count * 60_000);

const signIn = async (): Promise<{ browser: Browser; account: AccountId }> => {
  setTime(START);
  const browser = house.browser();
  const account = await house.person();
  await house.tokens({ browser, clientId: 'web', account });
  return { browser, account };
};
const isLive = async (browser: Browser): Promise<boolean> =>
  (await browser.call(house.request({ clientId: 'web' }).url)).location?.searchParams.has('code') === true;

describe('a single sign-on session (R-26)', () => {
  it.each([
    [58, true],
    [61, false],
  ])('untouched for %i minutes lives: %s', async (idle, expected) => {
    const { browser } = await signIn();
    setTime(minutes(idle));
    expect(await isLive(browser)).toBe(expected);
  });

  it('used every ten minutes ends 12 hours after its login', async () => {
    const { browser } = await signIn();
    let last = 0;
    for (let at = 10; at <= 730; at += 10) {
      setTime(minutes(at));
      if (!(await isLive(browser))) break;
      last = at;
    }
    expect(last).toBe(710);
  });

  it('does not get longer by a step-up', async () => {
    const { browser, account } = await signIn();
    for (let at = 50; at < 720; at += 50) {
      setTime(minutes(at));
      await house.tokens({ browser, clientId: 'fresh', account });
    }
    setTime(minutes(719));
    expect(await isLive(browser)).toBe(true);
    setTime(minutes(721));
    expect(await isLive(browser)).toBe(false);
    expect(await house.rows('sso_sessions', `account_id = '${account}'`)).toBe(1);
  });

  it('that has ended leads to a login with a new session and a new id', async () => {
    const { browser, account } = await signIn();
    const before = browser.cookie('__Host-sid');
    const [old] = await house.db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [account]);
    setTime(minutes(100));
    await house.tokens({ browser, clientId: 'web', account });
    expect(browser.cookie('__Host-sid')).not.toBe(before);
    const [now] = await house.db.query(
      'SELECT uid, started_at FROM sso_sessions WHERE account_id = $1 ORDER BY started_at DESC',
      [account],
    );
    expect(now?.uid).not.toBe(old?.uid);
    expect(now?.started_at).toEqual(minutes(100));
  });

  it.each([
    ['the account is inactive', "status = 'inactive'"],
    ['the account is frozen', 'frozen_at = now()'],
    ['the credentials changed', 'cred_epoch = cred_epoch + 1'],
  ])('is over at the next request once %s', async (_, change) => {
    const { browser, account } = await signIn();
    await house.db.query(`UPDATE accounts SET ${change} WHERE id = $1`, [account]);
    expect(await isLive(browser)).toBe(false);
  });

  it('remembers with what browser and from where it was begun', async () => {
    setTime(START);
    const browser = house.browser();
    const account = await house.person();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: account });
    await browser.call(resumed.redirect(), { headers: { 'user-agent': `Peramban ${'x'.repeat(400)}` } });
    const [row] = await house.db.query(
      'SELECT user_agent, address, started_at FROM sso_sessions WHERE account_id = $1',
      [account],
    );
    expect(row).toEqual({
      user_agent: `Peramban ${'x'.repeat(291)}`,
      address: expect.stringContaining('127.0.0.1'),
      started_at: START,
    });
  });

  it('without anyone in it takes no row', async () => {
    const before = await house.rows('sso_sessions');
    const browser = house.browser();
    browser.plant('__Host-sid', 'x');
    await browser.call(house.request({ clientId: 'web' }).url);
    expect(await house.rows('sso_sessions')).toBe(before);
  });
});

describe('a refresh token', () => {
  it('dies with the session it is bound to', async () => {
    setTime(START);
    const browser = house.browser();
    const tokens = await house.tokens({ browser, clientId: 'web', account: await house.person() });
    setTime(minutes(59));
    expect((await house.refresh('web', tokens.refresh_token)).status).toBe(200);
    setTime(minutes(61));
    expect((await house.refresh('web', tokens.refresh_token)).status).toBe(400);
  });
});
