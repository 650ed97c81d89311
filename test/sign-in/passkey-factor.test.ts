import { generateKeyPairSync } from 'node:crypto';
import { forEach } from '../support/for-each.js';
import { addEmployees, giveRecoveryCodes, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import { softwareAuthenticator, type Misdeeds } from '../support/software-authenticator.js';
import { FRESH, openHouse, type House } from './house.js';
import { addPasskey, challengeAt, endApps, enrolled, usePasskey } from './passkeys.js';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const somebody = (): Promise<Employee> => enrolled(house);

const auditOf = (account: string, type: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  house.services.db.query('SELECT detail FROM audit_events WHERE account_id = $1 AND type = $2 ORDER BY id', [
    account,
    type,
  ]);

const refusalsOf = async (account: string): Promise<unknown[]> =>
  (await auditOf(account, 'sign_in.passkey_refused')).map(({ detail }) => (detail as { cause: string }).cause);

/** What the page offers, in its order. */
const offers = ({ html }: Shown): string[] =>
  [...html.matchAll(/<form[^>]* action="\/sign-in\/[\w-]+\/([\w-]+)"/g)].map(([, name]) => name ?? '');

describe('a passkey after the password', () => {
  it.each([
    ['that never leaves its device', false, 'hwk'],
    ['that may be copied to others', true, 'swk'],
  ])('%s: the tokens say what happened', async (_, synced, key) => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id, { synced });
    const browser = house.browser();
    const asking = await house.toOtp(browser, employee);
    const claims = await house.claimsAt(await usePasskey(browser, passkey), asking);
    expect(claims).toMatchObject({ sub: employee.id, acr: 'phr', amr: ['pwd', key, 'user', 'mfa'] });
    expect(claims.auth_time).toBe(Math.floor(house.time.now().getTime() / 1000));
    expect(await auditOf(employee.id, 'sign_in.passkey_accepted')).toMatchObject([{ detail: { alone: false } }]);
    expect(await auditOf(employee.id, 'sign_in.completed')).toMatchObject([{ detail: { acr: 'phr' } }]);
  });

  it('is asked for with the passkeys of this person, verified, on our host', async () => {
    const employee = await somebody();
    const mine = await addPasskey(house, employee.id);
    await addPasskey(house, (await somebody()).id);
    const browser = house.browser();
    await house.toOtp(browser, employee);
    expect(await challengeAt(browser)).toMatchObject({
      rpId: 'localhost',
      userVerification: 'required',
      timeout: 300_000,
      allowCredentials: [{ id: mine.id, transports: ['internal'], type: 'public-key' }],
    });
  });

  it('is offered to who has one, and what was used last stands first', async () => {
    const employee = await somebody();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    expect(offers(browser.shown)).toEqual(['otp']);
    await giveRecoveryCodes(house.services, employee);
    await browser.get(browser.shown.url.pathname);
    expect(offers(browser.shown)).toEqual(['otp', 'recovery-code']);

    const passkey = await addPasskey(house, employee.id);
    await browser.get(browser.shown.url.pathname);
    expect(offers(browser.shown)).toEqual(['otp', 'passkey', 'recovery-code']);
    house.time.pass({ seconds: 1 });
    await usePasskey(browser, passkey);
    const next = house.browser();
    await house.toOtp(next, employee);
    expect(offers(next.shown)).toEqual(['passkey', 'otp', 'recovery-code']);
    house.time.pass({ seconds: 31 });
    await next.submit('/otp', { otp: otpOf(employee) });
    const last = house.browser();
    await house.toOtp(last, employee);
    expect(offers(last.shown)).toEqual(['otp', 'passkey', 'recovery-code']);

    await endApps(house, employee.id);
    await last.get(last.shown.url.pathname);
    expect(offers(last.shown)).toEqual(['passkey', 'recovery-code']);
    expect(last.shown.html).toContain('<details open>');
  });

  it('answers a service that asks for a fresh second factor, on top of the session', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.logIn(browser, employee);
    house.time.pass({ seconds: 301 });
    const { asking, shown } = await house.begin(browser, FRESH);
    expect(shown.page).toBe('sign-in/otp');
    const claims = await house.claimsAt(await usePasskey(browser, passkey), asking);
    expect(claims).toMatchObject({ acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
  });
});

describe('a passkey that is not as it should be', () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

  it.each<[string, () => Misdeeds]>([
    ['of another origin', () => ({ origin: 'https://evil.example' })],
    ['of our host on another port', () => ({ origin: 'http://localhost:1' })],
    ['of our host over another scheme', () => ({ origin: house.site.origin.replace('http:', 'https:') })],
    ['for another host', () => ({ rpId: 'evil.example' })],
    ['for the host above ours', () => ({ rpId: 'host' })],
    ['of a registration', () => ({ type: 'webauthn.create' })],
    ['without a verified user', () => ({ verified: false })],
    ['without anybody there', () => ({ present: false, verified: false })],
    ['for a challenge of its own', () => ({ challenge: Buffer.alloc(32, 1).toString('base64url') })],
    ['signed with another key', () => ({ signWith: stranger })],
    ['that has become one that can be copied', () => ({ synced: true })],
  ])('%s is refused, and its challenge is spent', async (_, misdeeds) => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    const asking = await house.toOtp(browser, employee);
    const challenge = await challengeAt(browser);
    const refused = await browser.submit('/passkey', { credential: passkey.get(challenge, misdeeds()) });
    expect([refused.status, refused.page, refused.errors]).toEqual([422, 'sign-in/otp', ['passkey_invalid']]);
    const again = await browser.submit('/passkey', { credential: passkey.get(challenge) });
    expect([again.status, again.errors]).toEqual([422, ['passkey_invalid']]);
    expect(await refusalsOf(employee.id)).toEqual(['invalid', 'challenge']);
    // Nothing is locked: the next try is as good as the first.
    await house.claimsAt(await usePasskey(browser, passkey), asking);
  });

  it.each([
    '',
    'x',
    '{}',
    'null',
    '{"id":"aa","rawId":"aa","type":"public-key","response":{}}',
    '{"id":"??","rawId":"??","type":"public-key","response":{"clientDataJSON":"","authenticatorData":"","signature":""}}',
    `{"id":"aa","rawId":"aa","type":"public-key","response":{"clientDataJSON":"${'a'.repeat(4001)}","authenticatorData":"","signature":""}}`,
  ])('in no shape at all (%#) is refused', async (credential) => {
    const employee = await somebody();
    await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.toOtp(browser, employee);
    await challengeAt(browser);
    expect((await browser.submit('/passkey', { credential })).errors).toEqual(['passkey_invalid']);
    expect(await refusalsOf(employee.id)).toEqual(['invalid']);
  });

  it("is somebody else's: refused", async () => {
    const employee = await somebody();
    await addPasskey(house, employee.id);
    const other = await addPasskey(house, (await somebody()).id);
    const browser = house.browser();
    await house.toOtp(browser, employee);
    expect((await usePasskey(browser, other)).errors).toEqual(['passkey_invalid']);
    expect(await refusalsOf(employee.id)).toEqual(['person']);
  });

  it('is unknown, or of a device that was removed: refused', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.toOtp(browser, employee);
    expect((await usePasskey(browser, softwareAuthenticator({ origin: house.site.origin }))).status).toBe(422);
    await house.services.devices.endAll(house.services.db, employee.id, 'helpdesk_reset');
    await addPasskey(house, employee.id);
    expect((await usePasskey(browser, passkey)).errors).toEqual(['passkey_invalid']);
    expect(await refusalsOf(employee.id)).toEqual(['unknown', 'unknown']);
  });

  it('was answered before: refused, in the same sign-in and in any other', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.toOtp(browser, employee);
    const seen = passkey.get(await challengeAt(browser));
    const page = browser.shown.url.href;
    await browser.submit('/passkey', { credential: seen });

    const thief = house.browser();
    await house.toOtp(thief, employee);
    await challengeAt(thief);
    expect((await thief.submit('/passkey', { credential: seen })).errors).toEqual(['passkey_invalid']);
    expect((await thief.submit('/passkey', { credential: seen })).errors).toEqual(['passkey_invalid']);
    // Not even in the browser that it was made in.
    expect((await browser.get(page)).page).not.toBe('sign-in/otp');
    expect(await auditOf(employee.id, 'sign_in.passkey_accepted')).toHaveLength(1);
  });

  it('answers after more than five minutes: refused', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    await house.logIn(browser, employee);
    house.time.pass({ seconds: 301 });
    await house.begin(browser, FRESH);
    const late = await challengeAt(browser);
    house.time.pass({ seconds: 301 });
    expect((await browser.submit('/passkey', { credential: passkey.get(late) })).errors).toEqual(['passkey_invalid']);
    expect((await refusalsOf(employee.id)).at(-1)).toBe('challenge');
    expect((await usePasskey(browser, passkey)).url.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('counts backwards: refused, recorded and told; the one that counts on goes on', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    const use = async (misdeeds: Misdeeds): Promise<Shown> => {
      const browser = house.browser();
      await house.toOtp(browser, employee);
      return browser.submit('/passkey', { credential: passkey.get(await challengeAt(browser), misdeeds) });
    };
    expect((await use({ counter: 40 })).errors).toEqual([]);
    for (const counter of [40, 39, 0]) {
      const told = await house.mailOf(employee, async () => {
        expect((await use({ counter })).errors).toEqual(['passkey_invalid']);
      });
      expect(told.subject).toContain('Passkey');
    }
    expect(await refusalsOf(employee.id)).toEqual(['copied', 'copied', 'copied']);
    expect((await use({ counter: 41 })).errors).toEqual([]);
  });

  it('does not count at all: taken, each time', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id, { uncounted: true });
    for (let round = 0; round < 3; round += 1) {
      const browser = house.browser();
      const asking = await house.toOtp(browser, employee);
      await house.claimsAt(await usePasskey(browser, passkey), asking);
    }
  });
});

it('sixteen posts of one assertion at once are one use', async () => {
  const employee = await somebody();
  const passkey = await addPasskey(house, employee.id, { uncounted: true });
  const browser = house.browser();
  await house.toOtp(browser, employee);
  const credential = passkey.get(await challengeAt(browser));
  const path = browser.shown.url.pathname.replace(/otp$/, 'passkey');
  const answers = await Promise.all(Array.from({ length: 16 }, () => browser.script(path, { credential })));
  expect([...new Set(answers.map(({ status }) => status))]).toEqual([303]);
  expect(await auditOf(employee.id, 'sign_in.passkey_accepted')).toHaveLength(1);
  expect(await refusalsOf(employee.id)).toEqual([]);
});

it('sixteen assertions for one challenge at once are one use', async () => {
  const employee = await somebody();
  const passkey = await addPasskey(house, employee.id, { uncounted: true });
  const browser = house.browser();
  await house.toOtp(browser, employee);
  const challenge = await challengeAt(browser);
  const path = browser.shown.url.pathname.replace(/otp$/, 'passkey');
  const credentials = Array.from({ length: 16 }, () => passkey.get(challenge));
  await forEach(credentials, (credential) => browser.script(path, { credential }), 16);
  expect(await auditOf(employee.id, 'sign_in.passkey_accepted')).toHaveLength(1);
});

describe('other ways beside it', () => {
  it('a weak password is changed after the passkey as after a code', async () => {
    const employee = await somebody();
    const { db, passwords } = house.services;
    const hash = await passwords.hash('Lemah-1');
    await db.query('UPDATE credentials SET password_hash = $2 WHERE account_id = $1', [employee.id, hash]);
    const passkey = await addPasskey(house, employee.id);
    const browser = house.browser();
    const { asking } = await house.begin(browser);
    await browser.submit('/password', { username: employee.nip, password: 'Lemah-1' });
    expect((await usePasskey(browser, passkey)).page).toBe('sign-in/change-password');
    const done = await browser.submit('/change-password', { new_password: PASSWORD, confirm_password: PASSWORD });
    expect((await house.claimsAt(done, asking)).acr).toBe('phr');
  });

  it('a code still gives what a code gives', async () => {
    const employee = await somebody();
    await addPasskey(house, employee.id);
    const claims = await house.logIn(house.browser(), employee);
    expect(claims).toMatchObject({ acr: 'urn:asn:aal2', amr: ['pwd', 'otp', 'mfa'] });
  });

  it('no challenge is given where no passkey is due', async () => {
    const [stranger] = await addEmployees(house.services, { count: 1, state: 'password' });
    const browser: Person = house.browser();
    await house.begin(browser);
    await browser.submit('/password', { username: stranger?.nip ?? '', password: PASSWORD });
    expect(browser.shown.page).toBe('sign-in/prove-mailbox');
    await expect(challengeAt(browser)).rejects.toThrow('no challenge: 410');
  });
});
