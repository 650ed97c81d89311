import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import type { PartySession } from '#src/oidc/logout/logout-notices.js';
import type { Browser } from './support/browser.js';
import { claimsOf, errorOf, House, type Tokens } from './support/house.js';

// every way a session ends queues one message for each relying party's share in it, in the same transaction.
let house: House;
let account: AccountId;
beforeAll(async () => {
  house = await House.open();
});
beforeEach(async () => {
  account = await house.person();
  await house.notices();
});
afterAll(() => house.close());

const PARTIES = ['other', 'legacy'];

/** A browser signed in at two relying parties that want to be told, and at one that does not. */
async function signIn(who = account, browser = house.browser()): Promise<{ browser: Browser; tokens: Tokens[] }> {
  const tokens: Tokens[] = [];
  for (const clientId of [...PARTIES, 'web']) tokens.push(await house.tokens({ browser, clientId, account: who }));
  return { browser, tokens };
}
const byClient = (notices: readonly PartySession[]): PartySession[] =>
  notices.toSorted((a, b) => `${a.clientId}${a.sid}`.localeCompare(`${b.clientId}${b.sid}`));
const expected = (tokens: readonly Tokens[], who = account): PartySession[] =>
  byClient(
    tokens
      .map(({ id_token: idToken }) => claimsOf(idToken))
      .filter(({ aud }) => PARTIES.includes(String(aud)))
      .map(({ aud, sid }) => ({ clientId: String(aud), accountId: who, sid: String(sid) })),
  );
const told = async (): Promise<PartySession[]> => byClient(await house.notices());
const uidOf = async (sid: unknown): Promise<string> => {
  const [row] = await house.db.query(
    `SELECT uid FROM sso_sessions, jsonb_each(authorizations) AS party WHERE party.value->>'sid' = $1`,
    [sid],
  );
  return row?.uid as string;
};
const sessionOf = (tokens: readonly Tokens[]): Promise<string> => uidOf(claimsOf(tokens[0]?.id_token ?? '').sid);
const isDead = async ({ access_token: token, id_token: idToken, refresh_token: refreshToken }: Tokens) => {
  const { aud } = claimsOf(idToken);
  const answers = [(await house.userinfo(token)).status, errorOf(await house.refresh(String(aud), refreshToken))];
  return answers.join(' ') === '401 invalid_grant';
};
const signOut = async (browser: Browser, form: Record<string, string>): Promise<void> => {
  const page = await browser.call(house.address('/oidc/logout?client_id=other'), { headers: { accept: 'text/html' } });
  const { xsrf } = JSON.parse(/\{.*\}/.exec(page.body)?.[0] ?? '{}') as { xsrf: string };
  await browser.call(house.address('/oidc/logout/confirm'), { form: { xsrf, ...form } });
};

describe('relying parties are told of', () => {
  it('a logout at the provider', async () => {
    const { browser, tokens } = await signIn();
    await signOut(browser, { logout: 'yes' });
    expect(await told()).toEqual(expected(tokens));
  });

  it('a logout from one relying party alone: that one', async () => {
    const { browser, tokens } = await signIn();
    await signOut(browser, {});
    expect(await told()).toEqual(expected(tokens.slice(0, 1)));
    await signOut(browser, { logout: 'yes' });
    expect(await told()).toEqual(expected(tokens.slice(1)));
  });

  it('the end of one session, by its uid', async () => {
    const { tokens } = await signIn();
    const uid = await sessionOf(tokens);
    expect(await house.db.transaction((tx) => house.endSessions.one(tx, uid))).toBe(true);
    expect(await told()).toEqual(expected(tokens));
    expect(await house.db.transaction((tx) => house.endSessions.one(tx, uid))).toBe(false);
    expect(await told()).toEqual([]);
  });

  it('the end of all sessions of some accounts, and of nobody else', async () => {
    const colleague = await house.person();
    const mine = [await signIn(), await signIn(), await signIn()].flatMap(({ tokens }) => tokens);
    const theirs = (await signIn(colleague)).tokens;
    const bystander = (await signIn(await house.person())).tokens;
    await house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account, colleague]));
    expect(await told()).toEqual(byClient([...expected(mine), ...expected(theirs, colleague)]));
    for (const tokens of [...mine, ...theirs]) expect(await isDead(tokens)).toBe(true);
    for (const tokens of bystander) expect((await house.userinfo(tokens.access_token)).status).toBe(200);
  });

  it('the same when one session is kept: its relying parties are asked to come again', async () => {
    const [kept, other] = [await signIn(), await signIn()];
    const exceptSession = await sessionOf(kept.tokens);
    await house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account], { exceptSession }));
    expect(await told()).toEqual(expected([...kept.tokens, ...other.tokens]));
    for (const tokens of [...kept.tokens, ...other.tokens]) expect(await isDead(tokens)).toBe(true);
    const again = await house.tokens({ browser: kept.browser, clientId: 'other', account });
    expect(claimsOf(again.id_token).sid).not.toBe(claimsOf(kept.tokens[0]?.id_token ?? '').sid);
    await house.db.transaction((tx) => house.endSessions.one(tx, exceptSession));
    expect(await told()).toEqual(expected([again]));
  });

  it('logins whose session had ended by its limits, while their grants lived', async () => {
    const { tokens } = await signIn();
    await house.db.query('DELETE FROM sso_sessions WHERE account_id = $1', [account]);
    await house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account]));
    expect(await told()).toEqual(expected(tokens));
  });

  it('the session of somebody else, who signs in in the same browser', async () => {
    const { browser, tokens } = await signIn();
    const next = await house.person();
    const { url } = house.request({ clientId: 'web', params: { prompt: 'login' } });
    const page = await house.toSignIn(browser, url);
    const done = await house.signIn(browser, page.redirect(), { accountId: next });
    await house.follow(browser, done.redirect());
    expect(await told()).toEqual(expected(tokens));
  });

  it('nothing when the end is rolled back', async () => {
    const { tokens } = await signIn();
    const failed = house.db.transaction(async (tx) => {
      await house.endSessions.ofAccounts(tx, [account]);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await told()).toEqual([]);
    for (const each of tokens) expect(await isDead(each)).toBe(false);
  });

  it('what ended once, when two end it at the same time', async () => {
    const { browser, tokens } = await signIn();
    const uid = await sessionOf(tokens);
    await Promise.all([
      house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account])),
      house.db.transaction((tx) => house.endSessions.one(tx, uid)),
      signOut(browser, { logout: 'yes' }),
    ]);
    expect(await told()).toEqual(expected(tokens));
  });

  it('every login that was given, also one that is given at the same time', async () => {
    let given = 0;
    for (let round = 0; round < 15; round += 1) {
      const browser = house.browser();
      await house.tokens({ browser, clientId: 'web', account });
      const asked = house.request({ clientId: 'other' });
      const [answer] = await Promise.all([
        browser.call(asked.url),
        new Promise((resolve) => setTimeout(resolve, round)).then(() =>
          house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account])),
        ),
      ]);
      const code = answer.location?.searchParams.get('code');
      const notices = await told();
      if (typeof code !== 'string') continue;
      given += 1;
      // The code itself is dead; whoever redeemed it before has been told.
      expect(notices.map(({ clientId }) => clientId)).toEqual(['other']);
      expect(errorOf(await house.redeem('other', { code, ...asked }))).toBe('invalid_grant');
    }
    expect(given).toBeGreaterThan(0);
  });
});

describe('a session of one account', () => {
  it('is ended by its owner alone (R-34)', async () => {
    const { tokens } = await signIn();
    const sessionUid = await sessionOf(tokens);
    const thief = await house.person();
    const end = (accountId: AccountId): Promise<boolean> =>
      house.db.transaction((tx) => house.endSessions.ofOwner(tx, { accountId, sessionUid }));
    expect(await end(thief)).toBe(false);
    expect(await told()).toEqual([]);
    expect((await house.userinfo(tokens[0]?.access_token ?? '')).status).toBe(200);
    expect(await end(account)).toBe(true);
    expect(await end(account)).toBe(false);
    expect(await told()).toEqual(expected(tokens));
    for (const each of tokens) expect(await isDead(each)).toBe(true);
  });

  it('stays when the others end, with its relying parties', async () => {
    const [mine, first, second] = [await signIn(), await signIn(), await signIn()];
    const outliving = await house.tokens({
      browser: second.browser,
      clientId: 'web',
      account,
      params: { scope: 'openid offline_access', prompt: 'consent' },
    });
    const bystander = (await signIn(await house.person())).tokens;
    const sessionUid = await sessionOf(mine.tokens);
    const ended = await house.db.transaction((tx) =>
      house.endSessions.othersOf(tx, { accountId: account, sessionUid }),
    );
    expect(ended).toBe(2);
    expect(await told()).toEqual(expected([...first.tokens, ...second.tokens]));
    for (const tokens of [...first.tokens, ...second.tokens, outliving]) expect(await isDead(tokens)).toBe(true);
    for (const tokens of [...mine.tokens, ...bystander]) {
      expect((await house.userinfo(tokens.access_token)).status).toBe(200);
    }
  });
});
