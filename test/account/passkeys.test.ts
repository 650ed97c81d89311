import { forEach } from '../support/for-each.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import {
  softwareAuthenticator,
  type CreationOptions,
  type Misdeeds,
  type SoftwareAuthenticator,
} from '../support/software-authenticator.js';
import { addPasskey, endApps, enrolled, usePasskey } from '../sign-in/passkeys.js';
import { formOn, keyOn, openHouse, type House } from './house.js';

const PAGE = '/account/devices/add/passkey';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

/** Logs in on our own pages and goes to where a passkey is added. */
async function atPage(employee: Employee, browser: Person = house.browser()): Promise<Person> {
  await browser.get(`${house.site.origin}${PAGE}`);
  await browser.submit('/password', { username: employee.nip, password: PASSWORD });
  house.time.pass({ seconds: 31 });
  const shown = await browser.submit('/otp', { otp: otpOf(employee) });
  expect([shown.page, shown.url.pathname]).toEqual(['account/devices/add-passkey', PAGE]);
  return browser;
}

async function challengeAt(browser: Person): Promise<CreationOptions> {
  const { status, body } = await browser.script(`${PAGE}/challenge`);
  expect(status).toBe(200);
  return JSON.parse(body) as CreationOptions;
}

const authenticator = (): SoftwareAuthenticator => softwareAuthenticator({ origin: house.site.origin });
const add = (browser: Person, credential: string, name = 'Laptop kantor'): Promise<Shown> =>
  browser.submit(PAGE, { credential, device_name: name });

const devicesOf = async ({ id }: Employee): Promise<unknown[]> =>
  (
    await house.services.db.query(
      "SELECT kind, name FROM devices WHERE account_id = $1 AND status = 'active' ORDER BY activated_at, name",
      [id],
    )
  ).map(({ kind, name }) => `${String(kind)} ${String(name)}`);

const countOf = async ({ id }: Employee, type: string): Promise<number> =>
  (await house.services.db.query('SELECT 1 FROM audit_events WHERE account_id = $1 AND type = $2', [id, type])).length;

describe('adding a passkey', () => {
  it('asks the authenticator for what we need and tells it no more than it must know', async () => {
    const employee = await enrolled(house);
    const known = await addPasskey(house, employee.id);
    const browser = await atPage(employee);
    const options = await challengeAt(browser);
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'SSO ASN' },
      attestation: 'none',
      timeout: 300_000,
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      excludeCredentials: [{ id: known.id }],
    });
    const told = JSON.stringify(options);
    for (const secret of [employee.id, employee.nip, employee.email]) expect(told).not.toContain(secret);
    expect(Buffer.from(options.user.id, 'base64url').includes(employee.id.replaceAll('-', ''), 0, 'hex')).toBe(false);
    expect((await challengeAt(browser)).user.id).toBe(options.user.id);
  });

  it('lists it, tells the owner, keeps this session and ends the others', async () => {
    const employee = await enrolled(house);
    const elsewhere = house.browser();
    await house.logIn(elsewhere, employee);
    const browser = house.browser();
    // Told as a new browser, before what is looked for.
    await house.mailOf(employee, () => atPage(employee, browser));
    const passkey = authenticator();
    const credential = passkey.create(await challengeAt(browser));
    const mail = await house.mailOf(employee, async () => {
      const shown = await add(browser, credential, '  Laptop   kantor ');
      expect([shown.page, /data-done="([^"]*)"/.exec(shown.html)?.[1]]).toEqual(['account/devices', 'passkey_added']);
      expect(shown.html).toContain('Laptop kantor');
    });
    expect(mail.text).toContain('Laptop kantor');
    expect(await devicesOf(employee)).toEqual(['totp Ponsel', 'passkey Laptop kantor']);
    expect(await countOf(employee, 'device.enrolled')).toBe(1);
    expect((await house.begin(elsewhere)).shown.page).toBe('sign-in/password');
    expect((await browser.get('/account/devices')).page).toBe('account/devices');

    const next = house.browser();
    const { asking } = await house.begin(next);
    expect((await house.claimsAt(await usePasskey(next, passkey), asking)).sub).toBe(employee.id);
  });

  it('is done once by a double tap', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const credential = authenticator().create(await challengeAt(browser));
    const fields = { credential, device_name: 'Laptop' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => browser.script(PAGE, fields)));
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303, 303]);
    expect(await devicesOf(employee)).toEqual(['totp Ponsel', 'passkey Laptop']);
    expect([await countOf(employee, 'device.enrolled'), await countOf(employee, 'device.refused')]).toEqual([1, 0]);
  });

  it('is refused a name that is taken, and then added under another', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const made = authenticator().create(await challengeAt(browser));
    const refused = await browser.script(PAGE, { credential: made, device_name: 'PONSEL' });
    expect(refused.status).toBe(422);
    expect(refused.body).toContain('Nama ini sudah dipakai perangkat lain');
    expect(refused.body).toContain('value="PONSEL"');
    expect(await devicesOf(employee)).toEqual(['totp Ponsel']);
    expect((await add(browser, authenticator().create(await challengeAt(browser)))).page).toBe('account/devices');
    expect(await devicesOf(employee)).toEqual(['totp Ponsel', 'passkey Laptop kantor']);
  });

  it.each<[string, Misdeeds]>([
    ['made on another origin', { origin: 'https://evil.example' }],
    ['made for another host', { rpId: 'evil.example' }],
    ['made by an assertion', { type: 'webauthn.get' }],
    ['without a verified user', { verified: false }],
    ['for a challenge of its own', { challenge: Buffer.alloc(32, 1).toString('base64url') }],
  ])('%s is refused, and its challenge is spent', async (_, misdeeds) => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const options = await challengeAt(browser);
    const refused = await add(browser, authenticator().create(options, misdeeds));
    expect([refused.status, refused.page, refused.errors]).toEqual([
      422,
      'account/devices/add-passkey',
      ['passkey_invalid'],
    ]);
    expect(refused.html).toContain('value="Laptop kantor"');
    expect((await add(browser, authenticator().create(options))).errors).toEqual(['passkey_invalid']);
    expect(await devicesOf(employee)).toEqual(['totp Ponsel']);
    expect(await countOf(employee, 'device.refused')).toBe(2);
  });

  it('takes no notice of an attestation that nobody asked for', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const credential = authenticator().create(await challengeAt(browser), { format: 'android-safetynet' });
    expect((await add(browser, credential)).page).toBe('account/devices');
  });

  it('answers a challenge of this account, this session and the last five minutes only', async () => {
    const [employee, other] = [await enrolled(house), await enrolled(house)];
    const theirs = await atPage(other);
    const foreign = authenticator().create(await challengeAt(theirs));
    const second = await atPage(employee);
    const elsewhere = authenticator().create(await challengeAt(second));
    const browser = await atPage(employee);
    for (const credential of [foreign, elsewhere]) {
      await challengeAt(browser);
      expect((await add(browser, credential)).errors).toEqual(['passkey_invalid']);
    }
    const late = authenticator().create(await challengeAt(browser));
    house.time.pass({ seconds: 301 });
    expect((await add(browser, late)).errors).toEqual(['passkey_invalid']);
    expect(await devicesOf(employee)).toEqual(['totp Ponsel']);
  });

  it('takes no credential that somebody else has', async () => {
    const [employee, other] = [await enrolled(house), await enrolled(house)];
    const passkey = await addPasskey(house, other.id);
    const browser = await atPage(employee);
    expect((await add(browser, passkey.create(await challengeAt(browser)))).errors).toEqual(['passkey_invalid']);
    expect(await devicesOf(employee)).toEqual(['totp Ponsel']);
  });

  it('asks for a usable name, and loses nothing else', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const credential = authenticator().create(await challengeAt(browser));
    const refused = await add(browser, credential, ' ');
    expect([refused.status, refused.errors]).toEqual([422, ['invalid_input']]);
    // Not even the challenge.
    expect((await add(browser, credential)).page).toBe('account/devices');
  });

  it('wants a second factor of the last five minutes to begin, and takes ten more to finish', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    house.time.pass({ seconds: 599 });
    await challengeAt(browser);
    house.time.pass({ seconds: 2 });
    const { status } = await browser.script(`${PAGE}/challenge`);
    expect(status).toBe(303);
    expect((await browser.get(PAGE)).page).toBe('sign-in/otp');
  });
});

describe('a passkey among the devices', () => {
  it('is the second choice where one is added', async () => {
    const browser = await house.enter(await enrolled(house));
    await browser.get('/account/devices');
    await browser.follow('/account/devices/add');
    expect((await browser.follow(PAGE)).page).toBe('account/devices/add-passkey');
  });

  it('is renamed there, and removed: then it logs nobody in', async () => {
    const employee = await enrolled(house);
    house.time.pass({ seconds: 1 });
    const passkey = await addPasskey(house, employee.id);
    const browser = await house.enter(employee);
    const path = `/account/devices/${await house.idOf(employee, 'Laptop kantor')}`;
    await browser.get(`${path}/rename`);
    const renamed = await browser.submit('/rename', { device_name: 'Laptop rumah' });
    expect(/data-done="([^"]*)"/.exec(renamed.html)?.[1]).toBe('device_renamed');
    expect(await devicesOf(employee)).toEqual(['totp Ponsel', 'passkey Laptop rumah']);

    const elsewhere = house.browser();
    const { asking } = await house.begin(elsewhere);
    // Told as a new browser, before what is looked for.
    await house.mailOf(employee, async () => {
      expect((await house.claimsAt(await usePasskey(elsewhere, passkey), asking)).acr).toBe('phr');
    });
    await browser.get(`${path}/remove`);
    const mail = await house.mailOf(employee, async () => {
      const removed = await browser.submit('/remove');
      expect(/data-done="([^"]*)"/.exec(removed.html)?.[1]).toBe('device_removed');
    });
    expect(mail.text).toContain('Laptop rumah');
    expect(await devicesOf(employee)).toEqual(['totp Ponsel']);
    expect((await house.begin(elsewhere)).shown.page).toBe('sign-in/password');
    expect((await usePasskey(elsewhere, passkey)).errors).toEqual(['passkey_invalid']);
    expect((await browser.get('/account/devices')).html).toMatch(/<details>[\s\S]*Laptop rumah[\s\S]*Anda hapus/);
  });

  it('is not removed when it is the last', async () => {
    const employee = await enrolled(house);
    await addPasskey(house, employee.id);
    const browser = await house.enter(employee);
    const path = `/account/devices/${await house.idOf(employee, 'Laptop kantor')}/remove`;
    await browser.get(path);
    const { csrf } = formOn(browser, path);
    await endApps(house, employee.id);
    const refused = await browser.post(house.site.origin + path, { csrf });
    expect([refused.status, refused.page]).toEqual([422, 'account/devices/remove']);
    expect(await devicesOf(employee)).toEqual(['passkey Laptop kantor']);
  });

  it('is replaced by an app, as every device is', async () => {
    const employee = await enrolled(house);
    const passkey = await addPasskey(house, employee.id);
    const browser = await house.enter(employee);
    await browser.get('/account/devices/move');
    const { path, csrf } = formOn(browser, '/account/devices/move');
    await browser.post(path, { csrf, device: await house.idOf(employee, 'Laptop kantor') });
    const secret = keyOn(await browser.get('/account/devices/move/app'));
    await browser.submit('/move/app', { otp: house.shows(secret), device_name: 'Ponsel baru' });
    expect(await devicesOf(employee)).toEqual(['totp Ponsel', 'totp Ponsel baru']);
    const elsewhere = house.browser();
    await house.begin(elsewhere);
    expect((await usePasskey(elsewhere, passkey)).errors).toEqual(['passkey_invalid']);
  });

  it('is not added in a session that has ended since the request came (R-11)', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const credential = authenticator().create(await challengeAt(browser));
    const { db, endSessions } = house.services;
    await db.transaction((tx) => endSessions.ofAccounts(tx, [employee.id]));
    await add(browser, credential);
    expect(await devicesOf(employee)).toEqual(['totp Ponsel']);
  });
});

describe('five authenticators', () => {
  const names = ['Satu', 'Dua', 'Tiga'];

  it('are the most: a sixth is not added', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    for (const name of names) await addPasskey(house, employee.id, { name });
    const sixth = authenticator().create(await challengeAt(browser));
    await addPasskey(house, employee.id, { name: 'Empat' });
    const full = await add(browser, sixth);
    expect([full.status, full.page]).toEqual([422, 'account/devices/add-passkey']);
    expect(full.html).not.toContain('data-passkey="create"');
    expect(await devicesOf(employee)).toHaveLength(5);
  });

  it('are the most when two sessions add the fifth at once', async () => {
    const employee = await enrolled(house);
    const browsers = [await atPage(employee), await atPage(employee)];
    for (const name of names) await addPasskey(house, employee.id, { name });
    const credentials = await forEach(browsers, async (browser) => authenticator().create(await challengeAt(browser)));
    await Promise.all(
      browsers.map((browser, index) =>
        browser.script(PAGE, { credential: credentials[index] ?? '', device_name: `Lima ${index}` }),
      ),
    );
    expect(await devicesOf(employee)).toHaveLength(5);
  });

  it('are the most when an app and a passkey become the fifth at once', async () => {
    for (let round = 0; round < 4; round += 1) {
      const employee = await enrolled(house);
      const browser = await atPage(employee);
      for (const name of names) await addPasskey(house, employee.id, { name });
      const credential = authenticator().create(await challengeAt(browser));
      await browser.get('/account/devices/add');
      const secret = keyOn(await browser.submit('/account/devices/add'));
      const { path, csrf } = formOn(browser, '/account/devices/add/app');
      const asked = [
        () => browser.script(PAGE, { credential, device_name: 'Lima' }),
        () => browser.post(path, { csrf, otp: house.shows(secret), device_name: 'Lima' }),
      ];
      await Promise.all((round % 2 === 0 ? asked : asked.reverse()).map((ask) => ask()));
      expect(await devicesOf(employee)).toHaveLength(5);
      expect(await countOf(employee, 'device.enrolled')).toBe(1);
    }
  });

  it('cannot be added to by who has none left: they begin with the mailbox (R-03)', async () => {
    const employee = await enrolled(house);
    const browser = await atPage(employee);
    const credential = authenticator().create(await challengeAt(browser));
    await house.services.devices.endAll(house.services.db, employee.id, 'helpdesk_reset');
    expect((await add(browser, credential)).errors).toEqual(['passkey_invalid']);
    expect(await devicesOf(employee)).toEqual([]);
  });
});
