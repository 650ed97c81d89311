import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { softwareAuthenticator } from '../support/software-authenticator.js';
import { CAPTCHA } from '../support/site.js';
import { FRESH, openHouse, PLAIN, type Asking, type House } from './house.js';
import { addPasskey, challengeAt, endApps, enrolled, usePasskey } from './passkeys.js';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const somebody = (): Promise<Employee> => enrolled(house);

const causesOf = async (account: string): Promise<unknown[]> =>
  (
    await house.services.db.query(
      "SELECT detail->>'cause' AS cause FROM audit_events WHERE account_id = $1 AND type = 'sign_in.passkey_refused'",
      [account],
    )
  ).map(({ cause }) => cause);

async function ask(browser: Person, more: Record<string, string>): Promise<{ asking: Asking; shown: Shown }> {
  const asking = house.ask(PLAIN, more);
  return { asking, shown: await browser.get(`${house.site.origin}${asking.path}`) };
}

const errorAt = ({ url }: Shown): string | null => url.searchParams.get('error');

describe('a login with nothing but a passkey', () => {
  it('writes nothing down of what is no passkey of anybody (A12, R-21)', async () => {
    const browser = house.browser();
    await house.begin(browser);
    const rows = async (): Promise<unknown> =>
      (await house.services.db.query('SELECT count(*)::int AS rows FROM audit_events'))[0]?.rows;
    const before = await rows();
    const { html, url } = browser.shown;
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    for (const credential of ['', 'x', '{}', '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{}}']) {
      const answer = await browser.post(`${url.pathname}/passkey`, { csrf, credential });
      expect([answer.status, answer.errors]).toEqual([422, ['passkey_invalid']]);
    }
    // Also one that is right but of a device that nobody has.
    const strange = softwareAuthenticator({ origin: house.site.origin });
    strange.create({ challenge: 'AAAA', rp: { id: 'localhost' }, user: { id: 'AAAA' } } as never);
    await house.begin(browser);
    expect((await usePasskey(browser, strange)).errors).toEqual(['passkey_invalid']);
    expect(await rows()).toBe(before);
  });

  it('is whole in one step, phishing-resistant, and says that there was no password', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id, { synced: true });
    const browser = house.browser();
    const { asking, shown } = await house.begin(browser);
    expect(shown.page).toBe('sign-in/password');
    expect((await challengeAt(browser)).allowCredentials).toEqual([]);
    const claims = await house.claimsAt(await usePasskey(browser, passkey), asking);
    expect(claims).toMatchObject({ sub: employee.id, acr: 'phr', amr: ['swk', 'user', 'mfa'] });
    expect(claims.auth_time).toBe(Math.floor(house.time.now().getTime() / 1000));

    const { asking: second, shown: at } = await house.begin(browser);
    expect((await house.claimsAt(at, second)).sid).toEqual(expect.any(String));
  });

  it('that is registered no more is said to be so, with the way that is left', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.begin(browser);
    const credential = passkey.get(await challengeAt(browser));
    const { db } = house.services;
    await db.query('DELETE FROM passkeys WHERE device_id IN (SELECT id FROM devices WHERE account_id = $1)', [
      employee.id,
    ]);
    const shown = await browser.submit('/passkey', { credential });
    expect(shown).toMatchObject({ status: 422, page: 'sign-in/password', errors: ['passkey_invalid'] });
    expect(shown.html).toContain('Passkey ini tidak terdaftar lagi');
    expect(shown.html).toContain('Pakai NIP dan password.');
  });

  it('in a browser new to the account is told to its owner, and recorded with how and where it was', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const known = house.browser();
    await house.begin(known);
    await usePasskey(known, passkey);
    const browser = house.browser({
      'user-agent':
        'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
    });
    const mail = await house.mailOf(employee, async () => {
      await house.begin(browser);
      await usePasskey(browser, passkey);
    });
    expect(mail.subject).toBe('Masuk ke SSO ASN dari peramban baru');
    expect(mail.text).toContain('Chrome di Android');
    // It was a login without them.
    expect(mail.text).not.toMatch(/password|kode/i);
    const rows = await house.services.db.query(
      "SELECT detail FROM audit_events WHERE account_id = $1 AND type = 'sign_in.completed' ORDER BY id",
      [employee.id],
    );
    const how = { acr: 'phr', amr: ['hwk', 'user', 'mfa'] };
    expect(rows.map(({ detail }) => detail as object)).toMatchObject([
      how,
      { ...how, browser: 'Chrome', system: 'Android' },
    ]);
  });

  it('is taken from who never was asked for a password before, and gives a session of a new id', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.begin(browser);
    const before = browser.cookies.get('sid|/')?.value;
    await usePasskey(browser, passkey);
    const after = browser.cookies.get('sid|/')?.value;
    expect(after).toEqual(expect.any(String));
    expect(after).not.toBe(before);
  });

  it.each<[string, Buffer | undefined]>([
    ['does not say whose it is', undefined],
    ['says that it is of somebody else', Buffer.alloc(32, 9)],
  ])('whose passkey %s is refused', async (_, userHandle) => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.begin(browser);
    const credential = passkey.get(await challengeAt(browser), { userHandle });
    const refused = await browser.submit('/passkey', { credential });
    expect([refused.status, refused.page, refused.errors]).toEqual([422, 'sign-in/password', ['passkey_invalid']]);
    expect(await causesOf(employee.id)).toEqual(['person']);
  });

  it('without a verified user is not both factors: refused', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.begin(browser);
    const credential = passkey.get(await challengeAt(browser), { verified: false });
    expect((await browser.submit('/passkey', { credential })).errors).toEqual(['passkey_invalid']);
    expect(await causesOf(employee.id)).toEqual(['invalid']);
  });

  it.each([
    ['inactive', "UPDATE accounts SET status = 'inactive' WHERE id = $1"],
    ['frozen', 'UPDATE accounts SET frozen_at = updated_at WHERE id = $1'],
  ])('of an account that is %s is refused in the same words', async (_, statement) => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await house.services.db.query(statement, [employee.id]);
    const browser = house.browser();
    await house.begin(browser);
    expect((await usePasskey(browser, passkey)).errors).toEqual(['passkey_invalid']);
    expect(await causesOf(employee.id)).toEqual(['barred']);
  });

  it('is answered in the browser and the sign-in that it was asked in, and nowhere else', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id, { uncounted: true });
    const [victim, thief] = [house.browser(), house.browser()];
    await house.begin(victim);
    await house.begin(thief);
    const theirs = await challengeAt(thief);
    await challengeAt(victim);
    const credential = passkey.get(theirs);
    expect((await victim.submit('/passkey', { credential })).errors).toEqual(['passkey_invalid']);
    expect(await causesOf(employee.id)).toEqual(['invalid']);
  });

  it('is not given by a passkey that was asked for after the password, nor the other way round', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id, { uncounted: true });
    const browser = house.browser();
    const asking = (await house.begin(browser)).asking;
    const before = await challengeAt(browser);
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect((await browser.submit('/passkey', { credential: passkey.get(before) })).errors).toEqual(['passkey_invalid']);
    const after = await challengeAt(browser);
    // The password's five minutes end: what was asked as its second factor is no login by itself.
    house.time.pass({ seconds: 299 });
    const next = await challengeAt(browser);
    expect(next.challenge).not.toBe(after.challenge);
    house.time.pass({ seconds: 2 });
    const late = await browser.submit('/passkey', { credential: passkey.get(next) });
    expect([late.page, late.errors]).toEqual(['sign-in/password', ['passkey_invalid']]);
    expect((await house.claimsAt(await usePasskey(browser, passkey), asking)).amr).toEqual(['hwk', 'user', 'mfa']);
  });

  it('forgets a password that somebody else proved in the same sign-in', async () => {
    const [first, second] = [await somebody(), await somebody()];
    await house.services.db.query('UPDATE credentials SET password_hash = $2 WHERE account_id = $1', [
      first.id,
      await house.services.passwords.hash('Lemah-1'),
    ]);
    const passkey = await addPasskey(house, second.id);
    const browser = house.browser();
    const { asking } = await house.begin(browser);
    await browser.submit('/password', { username: first.nip, password: 'Lemah-1' });
    house.time.pass({ seconds: 301 });
    await browser.get(browser.shown.url.href);
    const claims = await house.claimsAt(await usePasskey(browser, passkey), asking);
    expect(claims).toMatchObject({ sub: second.id, amr: ['hwk', 'user', 'mfa'] });
  });

  it('lets in who has no good password left, too', async () => {
    const employee = await somebody();
    await house.services.db.query('UPDATE credentials SET disabled_at = changed_at WHERE account_id = $1', [
      employee.id,
    ]);
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    const { asking } = await house.begin(browser);
    expect((await house.claimsAt(await usePasskey(browser, passkey), asking)).acr).toBe('phr');
    const other = house.browser();
    await house.begin(other);
    const refused = await other.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(refused.errors).toEqual(['invalid_credentials']);
  });

  it('is stepped up with a code: the tokens name both, and are no longer phishing-resistant', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.begin(browser);
    await usePasskey(browser, passkey);
    house.time.pass({ seconds: 331 });
    const { asking, shown } = await house.begin(browser, FRESH);
    expect(shown.page).toBe('sign-in/otp');
    const claims = await house.claimsAt(await browser.submit('/otp', { otp: otpOf(employee) }), asking);
    expect(claims).toMatchObject({ acr: 'urn:asn:aal2', amr: ['hwk', 'user', 'otp', 'mfa'] });
  });
});

describe('a service that takes nothing but a passkey (acr_values=phr)', () => {
  it('gets it, without a password', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    const { asking, shown } = await ask(browser, { acr_values: 'phr' });
    expect(shown.html).toContain('hanya menerima passkey');
    expect((await house.claimsAt(await usePasskey(browser, passkey), asking)).acr).toBe('phr');
  });

  it('gets it after the password: no code is offered that would not do', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    const { asking } = await ask(browser, { acr_values: 'phr' });
    const page = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect([page.page, page.html.includes('name="otp"'), page.html.includes('recovery_code')]).toEqual([
      'sign-in/otp',
      false,
      false,
    ]);
    const claims = await house.claimsAt(await usePasskey(browser, passkey), asking);
    expect(claims).toMatchObject({ acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
  });

  it('has who is signed in with a code asked for the passkey alone', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    const { sid } = await house.logIn(browser, employee);
    const { asking, shown } = await ask(browser, { acr_values: 'phr' });
    expect(shown.page).toBe('sign-in/otp');
    const claims = await house.claimsAt(await usePasskey(browser, passkey), asking);
    expect(claims).toMatchObject({ sid, acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
    // And asks nothing of who has given it.
    const again = await ask(browser, { acr_values: 'phr' });
    expect((await house.claimsAt(again.shown, again.asking)).acr).toBe('phr');
  });

  it.each<[string, boolean]>([
    ['with a password', false],
    ['signed in already', true],
  ])('tells who has none, %s, and is told itself', async (_, signedIn) => {
    const employee = await somebody();
    const browser = house.browser();
    if (signedIn) await house.logIn(browser, employee);
    const { shown } = await ask(browser, { acr_values: 'phr' });
    const told = signedIn ? shown : await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect([told.page, told.errors]).toEqual(['sign-in/passkey-missing', ['passkey_required']]);
    expect(told.html).toContain('href="/account/devices/add/passkey"');
    // It stays told, however often the page is asked for.
    expect((await browser.get(told.url.href)).page).toBe('sign-in/passkey-missing');
    const back = await browser.submit('/decline');
    expect(errorAt(back)).toBe('unmet_authentication_requirements');
    expect(house.codeOf(back.url)).toBeUndefined();
    expect((await browser.get(told.url.href)).page).not.toBe('sign-in/passkey-missing');
  });

  it('is not told phr for a code that was posted past the page', async () => {
    const employee = await somebody();
    await addPasskey(house, employee.id);
    const browser = house.browser();
    await ask(browser, { acr_values: 'phr' });
    const page = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    const uid = page.url.pathname.split('/')[2] ?? '';
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    await browser.post(`/sign-in/${uid}/otp`, { csrf, otp: otpOf(employee) });
    const end = await browser.get(`${house.site.origin}/oidc/auth/${uid}`);
    expect(errorAt(end)).toBe('unmet_authentication_requirements');
    expect(house.codeOf(end.url)).toBeUndefined();
  });

  it('cannot be declined where a code would do', async () => {
    const employee = await somebody();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    const { url, html } = browser.shown;
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const answer = await browser.post(url.pathname.replace(/otp$/, 'decline'), { csrf });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, url.pathname]);
  });
});

describe('somebody who has nothing but passkeys', () => {
  const REPLACEMENT = 'Perahu Layar 31 biru-biru';

  it('gets no new password by mail alone: a recovery code stands for the passkey (R-09)', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await endApps(house, employee.id);
    const { db, recoveryCodes } = house.services;
    const prepared = await recoveryCodes.prepare();
    await db.transaction((tx) => recoveryCodes.issue(tx, employee.id, prepared));
    const browser = house.browser();
    await browser.get(`${house.site.origin}/reset/password`);
    await browser.submit('/reset/password', { username: employee.nip, captcha: CAPTCHA });
    const code = await house.codeFor(employee, () =>
      browser.submit('/reset/password/email', { email: employee.email }),
    );
    const typed = { code, new_password: REPLACEMENT, confirm_password: REPLACEMENT };
    expect((await browser.submit('/reset/password/code', { ...typed, otp: '' })).errors).toEqual(['otp_required']);
    const otp = (prepared.codes[0] ?? '').toLowerCase();
    expect((await browser.submit('/reset/password/code', { ...typed, otp })).page).toBe('reset/password/done');

    const asked = (await house.begin(browser)).asking;
    const shown = await browser.submit('/password', { username: employee.nip, password: REPLACEMENT });
    expect([shown.page, shown.html.includes('name="otp"')]).toEqual(['sign-in/otp', false]);
    expect((await house.claimsAt(await usePasskey(browser, passkey), asked)).amr).toEqual([
      'pwd',
      'hwk',
      'user',
      'mfa',
    ]);
  });

  it('changes a weak password with a recovery code too, and is asked for one where there is none', async () => {
    const employee = await somebody();
    await addPasskey(house, employee.id);
    await endApps(house, employee.id);
    const browser = house.browser();
    await browser.get('/reset/weak');
    const typed = {
      username: employee.nip,
      password: PASSWORD,
      new_password: REPLACEMENT,
      confirm_password: REPLACEMENT,
    };
    for (const [otp, error] of [
      ['', 'otp_required'],
      ['123456', 'otp_invalid'],
      ['AAAAA-BBBBB-CCCCC', 'otp_invalid'],
    ] as const) {
      const told = await browser.submit('/reset/weak', { ...typed, otp });
      expect([told.status, told.errors]).toEqual([422, [error]]);
    }
    const { db, recoveryCodes } = house.services;
    const prepared = await recoveryCodes.prepare();
    await db.transaction((tx) => recoveryCodes.issue(tx, employee.id, prepared));
    const done = await browser.submit('/reset/weak', { ...typed, otp: prepared.codes[0] ?? '' });
    expect(done.page).toBe('reset/weak/done');
    const login = house.browser();
    await house.begin(login);
    const shown = await login.submit('/password', { username: employee.nip, password: REPLACEMENT });
    expect(shown.page).toBe('sign-in/otp');
  });
});
