import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addAgencies } from '../accounts/people.js';
import { addEmployees, otpOf, PASSWORD } from '../support/employees.js';
import { attribute, type Person } from '../support/person.js';
import { authorizationRequest, codeIn, REGISTRATIONS, rotating, tokensIn, userinfo } from '../support/relying-party.js';
import { startSite } from '../support/site.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { totp } from '../support/totp.js';
import { Visitor } from '../support/visitor.js';
import { formOn, keyOn, openHouse, type House } from './house.js';

const APP = '/account/devices/move/app';

describe('moving to a new phone (R-04)', () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse();
  });
  afterAll(() => house.close());

  /** Presses the button of the phone that is to be replaced; answers the new key. */
  async function choose(browser: Person, device: string): Promise<string> {
    await browser.get('/account/devices/move');
    expect(browser.shown.page).toBe('account/devices/move');
    const { path, csrf } = formOn(browser, '/account/devices/move');
    const begun = await browser.post(path, { csrf, device });
    expect([begun.status, begun.headers.get('location')]).toEqual([303, APP]);
    const shown = await browser.get(APP);
    expect(shown.page).toBe('account/devices/move/app');
    return keyOn(shown);
  }

  it('ends the old one with the first code of the new one, and not before', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const other = house.browser();
    // Told as a new browser, before what is looked for.
    await house.mailOf(employee, () => house.enter(employee, other));
    await browser.get('/account/devices');
    await browser.follow('/account/devices/move');
    await browser.submit('/account/devices/move');
    expect(browser.shown.html).toContain('<strong>Ponsel</strong>');
    const secret = keyOn(browser.shown);
    // Left open, nothing has changed: the old one logs in, the new one does not.
    const third = house.browser();
    await house.mailOf(employee, () => house.enter(employee, third));
    expect((await third.get('/')).page).toBe('launcher');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);

    const old = await house.idOf(employee, 'Ponsel');
    const mail = await house.mailOf(employee, async () => {
      const done = await browser.submit(APP, { otp: house.shows(secret), device_name: 'Ponsel baru' });
      expect(attribute(done.html, 'data-done')).toBe('device_moved');
      expect(done.html).toMatch(/<details>[\s\S]*<strong>Ponsel<\/strong>[\s\S]*diganti ponsel baru/);
    });
    expect(mail.subject).toContain('pindah');
    expect(mail.text).toMatch(/Ponsel baru menggantikan Ponsel\b/);
    expect(await house.deviceNames(employee)).toEqual(['Ponsel baru']);
    const rows = await house.services.db.query(
      `SELECT type, detail FROM audit_events WHERE account_id = $1 AND type LIKE 'device.%' ORDER BY id`,
      [employee.id],
    );
    expect(rows).toEqual([
      { type: 'device.enrolled', detail: { device: await house.idOf(employee, 'Ponsel baru') } },
      { type: 'device.ended', detail: { device: old, reason: 'moved' } },
    ]);
    for (const each of [other, third]) expect((await each.get('/')).page).toBe('front');
    expect((await browser.get('/')).page).toBe('launcher');

    await house.toOtp(other, employee);
    house.time.pass({ seconds: 31 });
    expect((await other.submit('/otp', { otp: otpOf(employee) })).errors).toEqual(['otp_invalid']);
    expect(house.codeOf((await other.submit('/otp', { otp: house.shows(secret) })).url)).toBeDefined();
  });

  it('works with five, and replaces the one that was chosen', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    for (const name of ['Dua', 'Tiga', 'Empat', 'Lima']) await house.addPhone(employee, name);
    const secret = await choose(browser, await house.idOf(employee, 'Tiga'));
    await browser.submit(APP, { otp: house.shows(secret), device_name: 'Enam' });
    expect(await house.deviceNames(employee)).toEqual(['Ponsel', 'Dua', 'Empat', 'Lima', 'Enam']);
  });

  it('refuses a wrong code with the old one untouched, and what was begun on another page', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const secret = await choose(browser, await house.idOf(employee, 'Ponsel'));
    const wrong = await browser.submit(APP, { otp: '12', device_name: 'Ponsel baru' });
    expect(wrong).toMatchObject({ status: 422, page: 'account/devices/move/app', errors: ['otp_invalid'] });
    expect(wrong.html).toMatch(/name="device_name"[^>]* value="Ponsel baru"/);
    const { path, csrf } = formOn(browser, APP);
    // Adding one begins anew: the key of the move is void, on its own page and on the other.
    await browser.get('/account/devices/add');
    await browser.submit('/account/devices/add');
    const typed = { otp: house.shows(secret), device_name: 'Ponsel baru' };
    expect((await browser.submit('/account/devices/add/app', typed)).errors).toEqual(['otp_invalid']);
    const late = await browser.post(path, { csrf, ...typed });
    expect(late).toMatchObject({ status: 410, page: 'expired' });
    expect(late.html).toContain('href="/account/devices/move"');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
  });

  it('is over when the old phone was removed meanwhile, and takes no phone of another person', async () => {
    const [employee, another] = [await house.somebody(), await house.somebody()];
    const browser = await house.enter(employee);
    const tablet = await house.addPhone(employee, 'Tablet');
    const secret = await choose(browser, tablet.id);
    const { path, csrf } = formOn(browser, APP);
    const remove = `${house.site.origin}/account/devices/${tablet.id}/remove`;
    expect((await browser.post(remove, { csrf })).status).toBe(303);
    const late = await browser.post(path, { csrf, otp: house.shows(secret), device_name: 'Ponsel baru' });
    expect(late.status).toBe(410);
    for (const device of [await house.idOf(another, 'Ponsel'), tablet.id, '', 'tidak-ada']) {
      const begun = await browser.post(`${house.site.origin}/account/devices/move`, { csrf, device });
      expect([begun.status, begun.headers.get('location')]).toEqual([303, '/account/devices']);
    }
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
    expect(await house.deviceNames(another)).toEqual(['Ponsel']);
  });

  it('pressed four times at once is done once, and all hear the same (R-74)', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const secret = await choose(browser, await house.idOf(employee, 'Ponsel'));
    const { path, csrf } = formOn(browser, APP);
    const typed = { csrf, otp: house.shows(secret), device_name: 'Ponsel baru' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => browser.post(path, typed)));
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303, 303]);
    expect(await house.deviceNames(employee)).toEqual(['Ponsel baru']);
  });
});

describe('after a change of factors (R-11)', () => {
  it('three browsers and two refresh tokens: all but this browser are dead within a second', async () => {
    const folder = await makeTemporaryFolder('sso-asn-account-');
    const clientsFile = join(folder, 'clients.json');
    await writeFile(clientsFile, JSON.stringify(REGISTRATIONS));
    const site = await startSite({ CLIENTS_FILE: clientsFile, TRUSTED_PROXIES: '127.0.0.1' });
    const { services, port } = site.running;
    await addAgencies(services.db);
    const visitors: Visitor[] = [];
    const visitor = (): Visitor => {
      const address = `10.11.0.${visitors.length + 1}`;
      const one = new Visitor({ issuer: site.origin, ports: [port], address });
      visitors.push(one);
      return one;
    };
    const channel = visitor();
    try {
      const [person] = await addEmployees(services, { count: 1, state: 'enrolled' });
      if (person?.secret === undefined) throw new Error('nobody was added');
      const { secret } = person;
      const nth = (step: number): string => totp(secret, new Date(Date.now() + step * 30_000));
      // Three codes are good at any time, one for each browser.
      const browsers = [visitor(), visitor(), visitor()];
      for (const [index, browser] of browsers.entries()) {
        const login = await browser.follow('/login');
        const page = await browser.submit(login, '/password', { username: person.nip, password: PASSWORD });
        expect((await browser.submit(page, '/otp', { otp: nth(index - 1) })).page).toBe('launcher');
      }
      const tokens = [];
      for (const browser of browsers.slice(1)) {
        const request = authorizationRequest();
        const code = codeIn(await browser.ask(request.path)) ?? '';
        tokens.push(tokensIn(await rotating.redeem(channel, { code, verifier: request.verifier })));
      }
      for (const each of tokens) expect((await userinfo(channel, each)).status).toBe(200);

      const [mine] = browsers;
      if (mine === undefined) throw new Error('no browser');
      const start = await mine.ask('/account/devices/move');
      const app = await mine.submit(start, '/account/devices/move');
      const otp = totp(attribute(app.body, 'data-secret') ?? '', new Date());
      const done = await mine.submit(app, APP, { otp, device_name: 'Ponsel baru' });
      expect(done.page).toBe('account/devices');

      const committed = performance.now();
      const alive = await Promise.all(browsers.map(async (browser) => (await browser.ask('/')).page));
      expect(alive).toEqual(['launcher', 'front', 'front']);
      for (const each of tokens) {
        expect((await userinfo(channel, each)).status).toBe(401);
        expect((await rotating.refresh(channel, each.refresh_token)).status).toBe(400);
      }
      for (const browser of browsers.slice(1)) {
        expect((await browser.follow(authorizationRequest().path)).page).toBe('sign-in/password');
      }
      expect(performance.now() - committed).toBeLessThan(1_000);
      // This browser goes on, at services too.
      expect(codeIn(await mine.ask(authorizationRequest().path))).toBeDefined();
    } finally {
      for (const each of visitors) each.close();
      await site.stop();
      await rm(folder, { recursive: true });
    }
  });
});
