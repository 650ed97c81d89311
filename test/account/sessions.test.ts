import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { otpOf, type Employee } from '../support/employees.js';
import { attributes } from '../support/person.js';
import { eventually } from '../support/processes.js';
import {
  authorizationRequest,
  codeIn,
  errorIn,
  rotating,
  ROTATING,
  tokensIn,
  userinfo,
  type Tokens,
} from '../support/relying-party.js';
import { startToldSite, type ToldSite } from '../support/told-site.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';

// a person sees their sessions and ends them; ended is dead within a second, and the services know.
let house: ToldSite;
let person: Employee;
let here: Visitor;
beforeAll(async () => {
  house = await startToldSite();
});
afterAll(() => house.stop());
beforeEach(async () => {
  person = await house.person();
  ({ visitor: here } = await house.signIn(person));
});

const LIST = '/account/sessions';
const list = (visitor = here): Promise<Answer> => visitor.follow(LIST);
const endLinks = ({ body }: Answer): string[] => attributes(body, 'href').filter((href) => href.endsWith('/end'));
/** The confirm page, with the code it may ask for. */
async function open(path: string, visitor = here): Promise<Answer> {
  const page = await visitor.follow(path);
  if (page.page !== 'sign-in/otp') return page;
  house.time.pass({ seconds: 30 });
  return visitor.submit(page, '/otp', { otp: otpOf(person) });
}
const isDead = async ({ access_token: token, refresh_token: refreshToken, ...rest }: Tokens): Promise<boolean> => {
  const info = await userinfo(here, { access_token: token, refresh_token: refreshToken, ...rest });
  const refreshed = await rotating.refresh(here, refreshToken);
  return info.status === 401 && errorIn(refreshed) === 'invalid_grant';
};
const sids = (): unknown[] => house.party.received.map(({ token }) => decodeJwt(token).sid);
const audited = async (): Promise<unknown[]> =>
  (
    await house.site.running.services.db.query(
      "SELECT detail FROM audit_events WHERE account_id = $1 AND type = 'session.ended' ORDER BY id",
      [person.id],
    )
  ).map(({ detail }) => detail);

describe('the list', () => {
  it('shows each browser, its network, its services, and which one asks', async () => {
    const headers = {
      'user-agent': 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36',
    };
    const phone = house.visitor();
    house.time.pass({ seconds: 30 });
    const login = await phone.follow('/login', { headers });
    const otp = await phone.submit(login, '/password', { username: person.nip, password: 'Kuda Zebra 7 lari-lari' });
    await phone.follow(formOn(otp, '/otp').path, {
      form: { ...formOn(otp, '/otp').form, otp: otpOf(person) },
      headers,
    });
    const page = await list();
    expect(page).toMatchObject({ status: 200, page: 'account/sessions' });
    expect(/<tbody>[^]*<\/tbody>/.exec(page.body)?.[0].match(/<tr>/g)).toHaveLength(2);
    expect(page.body).toContain('Layanan Uji');
    expect(page.body).toContain('203.0.113.x');
    expect(page.body).not.toMatch(/203\.0\.113\.\d/);
    expect(endLinks(page)).toHaveLength(1);
  });

  it('is nobody else’s', async () => {
    const stranger = house.visitor();
    expect((await list(stranger)).page).toBe('sign-in/password');
    const other = await house.signIn(await house.person());
    expect(endLinks(await list(other.visitor))).toEqual([]);
  });
});

describe('an application that stays logged in', () => {
  /** Asks for `offline_access` in a browser that then logs out. */
  async function stay(): Promise<Tokens> {
    const { visitor } = await house.signIn(person);
    const { path, verifier } = authorizationRequest(ROTATING, { scope: 'openid offline_access', prompt: 'consent' });
    const code = codeIn(await visitor.follow(path)) ?? '';
    const tokens = tokensIn(await rotating.redeem(visitor, { code, verifier }));
    await visitor.submit(await visitor.follow(`/oidc/logout?client_id=${ROTATING}`), '/confirm');
    return tokens;
  }
  const appLinks = ({ body }: Answer): string[] => attributes(body, 'href').filter((href) => href.includes('/apps/'));

  it('is listed once its browser has logged out, and ends alone; its service is told', async () => {
    expect(appLinks(await list())).toEqual([]);
    const tokens = await stay();
    const [path = ''] = appLinks(await list());
    expect(path).toMatch(/^\/account\/sessions\/apps\/[0-9a-f]+\/end$/);
    const page = await open(path);
    expect(page.page).toBe('account/sessions/end-app');
    const done = await here.submit(page, '/end');
    expect(done.body).toContain('data-done="app_ended"');
    expect(appLinks(done)).toEqual([]);
    expect(await isDead(tokens)).toBe(true);
    await eventually('its service to be told', () => sids().includes(decodeJwt(tokens.id_token).sid));
    expect(await audited()).toContainEqual(expect.objectContaining({ by: 'person', elsewhere: true }));
  });

  it('is nobody else’s to see or to end', async () => {
    const tokens = await stay();
    const [path = ''] = appLinks(await list());
    const { visitor: stranger } = await house.signIn(await house.person());
    expect(appLinks(await list(stranger))).toEqual([]);
    expect((await stranger.follow(path)).status).toBe(404);
    const { form } = formOn(await stranger.follow('/account/sessions/end-others'), '/end-others');
    expect((await stranger.follow(path, { form })).page).toBe('account/sessions');
    expect(await isDead(tokens)).toBe(false);
    expect((await here.follow(`${LIST}/apps/zz/end`)).status).toBe(404);
  });
});

describe('ending one', () => {
  it('needs a fresh second factor; then it is dead at once and its services are told', async () => {
    const { visitor: phone, tokens } = await house.signIn(person);
    const [path = ''] = endLinks(await list());
    house.time.pass({ minutes: 6 });
    expect((await here.follow(path)).page).toBe('sign-in/otp');
    const confirm = await open(path);
    expect(confirm.page).toBe('account/sessions/end');
    expect(await isDead(tokens)).toBe(false);
    const { path: action, form } = formOn(confirm, '/end');
    await here.ask(action, { form });
    const committedAt = performance.now();
    expect(await isDead(tokens)).toBe(true);
    expect(performance.now() - committedAt).toBeLessThan(1_000);
    expect((await phone.follow('/account/devices')).page).toBe('sign-in/password');
    const done = await list();
    expect(done.body).toContain('data-done="session_ended"');
    expect(endLinks(done)).toEqual([]);
    await eventually('the service to be told', () => sids().includes(decodeJwt(tokens.id_token).sid));
    expect(await audited()).toEqual([{ by: 'person', elsewhere: true }]);
    expect((await list()).page).toBe('account/sessions');
  });

  it('is refused a quarter of an hour after the code, however long the page was open', async () => {
    const { tokens } = await house.signIn(person);
    const confirm = await open(endLinks(await list())[0] ?? '');
    house.time.pass({ minutes: 16 });
    const answer = await here.submit(confirm, '/end');
    expect(answer.page).toBe('sign-in/otp');
    // It still stands.
    expect((await rotating.refresh(here, tokens.refresh_token)).status).toBe(200);
    expect(await audited()).toEqual([]);
  });

  it('does nothing to a session of somebody else, or to none', async () => {
    const somebody = await house.person();
    const victim = await house.signIn(somebody);
    const { db } = house.site.running.services;
    const [row] = await db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [somebody.id]);
    const mine = await house.signIn(person);
    const page = await open(endLinks(await list())[0] ?? '');
    const { form } = formOn(page, '/end');
    for (const uid of [String(row?.uid), 'none', '%00']) {
      expect((await here.ask(`${LIST}/${uid}/end`)).status).not.toBe(200);
      const answer = await here.ask(`${LIST}/${uid}/end`, { form });
      expect([303, 400, 404]).toContain(answer.status);
    }
    expect((await userinfo(here, victim.tokens)).status).toBe(200);
    expect((await userinfo(here, mine.tokens)).status).toBe(200);
    expect((await list()).body).not.toContain('data-done');
  });

  it('twice at the same time ends it once', async () => {
    await house.signIn(person);
    const { path, form } = formOn(await open(endLinks(await list())[0] ?? ''), '/end');
    const answers = await Promise.all(Array.from({ length: 8 }, () => here.ask(path, { form })));
    expect(answers.map(({ status, location }) => [status, location])).toEqual(answers.map(() => [303, LIST]));
    expect(await audited()).toHaveLength(1);
  });

  it('is not how the session in hand ends: that is Keluar', async () => {
    await house.signIn(person);
    const { form } = formOn(await open(endLinks(await list())[0] ?? ''), '/end');
    const { db } = house.site.running.services;
    const rows = await db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [person.id]);
    for (const { uid } of rows) await here.ask(`${LIST}/${String(uid)}/end`, { form });
    expect((await list()).page).toBe('account/sessions');
    expect(await audited()).toHaveLength(1);
  });
});

describe('ending several', () => {
  it('leaves the browser in hand, with its services', async () => {
    const others = [await house.signIn(person), await house.signIn(person)];
    const own = await rotating.refresh(here, others[0]?.tokens.refresh_token ?? '');
    expect(own.status).toBe(200);
    const done = await here.submit(await open(`${LIST}/end-others`), '/end-others');
    expect(done.body).toContain('data-done="sessions_ended"');
    expect(endLinks(done)).toEqual([]);
    for (const { tokens } of others) expect((await userinfo(here, tokens)).status).toBe(401);
    await eventually('the services to be told', () =>
      others.every(({ tokens }) => sids().includes(decodeJwt(tokens.id_token).sid)),
    );
    expect(await audited()).toHaveLength(2);
    expect((await list()).page).toBe('account/sessions');
  });

  it('is told once, in the browser whose session it was', async () => {
    const [front, account] = [(await house.signIn(person)).visitor, (await house.signIn(person)).visitor];
    for (const visitor of [front, account]) expect((await list(visitor)).page).toBe('account/sessions');
    await here.submit(await open(`${LIST}/end-others`), '/end-others');
    const over = 'Sesi Anda di peramban ini sudah berakhir';
    const first = await front.ask('/');
    expect([first.page, first.body.includes(over)]).toEqual(['front', true]);
    expect((await front.ask('/')).body).not.toContain(over);
    const login = await list(account);
    expect([login.page, login.body.includes(over)]).toEqual(['sign-in/password', true]);
    expect((await list(account)).body).not.toContain(over);
    // Who has never been in is told nothing.
    expect((await list(house.visitor())).body).not.toContain(over);
  });

  it('or all of them', async () => {
    const other = await house.signIn(person);
    const done = await here.submit(await open(`${LIST}/end-all`), '/end-all');
    expect(done.page).toBe('sign-out/done');
    expect(done.body).toContain('Semua sesi lain juga sudah diakhiri');
    expect(await isDead(other.tokens)).toBe(true);
    // Whoever has just done it need not be told.
    const login = await list();
    expect(login.page).toBe('sign-in/password');
    expect(login.body).not.toContain('data-session-over');
    expect(await audited()).toEqual([{ by: 'person' }, { by: 'person', elsewhere: true }]);
    await eventually('the service to be told', () => sids().includes(decodeJwt(other.tokens.id_token).sid));
  });
});
