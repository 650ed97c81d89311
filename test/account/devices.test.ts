import { holdAccount } from '#src/accounts/accounts.js';
import { wrongFor } from '../sign-in/house.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person } from '../support/person.js';
import { totp } from '../support/totp.js';
import { formOn, keyOn, openHouse, type House } from './house.js';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const APP = '/account/devices/add/app';

/** Somebody logged in, with the page before them that shows a new key; answers the key. */
async function atNewKey(): Promise<{ employee: Employee; browser: Person; secret: string }> {
  const employee = await house.somebody();
  const browser = await house.enter(employee);
  await browser.get('/account/devices/add');
  const shown = await browser.submit('/account/devices/add');
  expect(shown).toMatchObject({ status: 200, page: 'account/devices/add/app' });
  return { employee, browser, secret: keyOn(shown) };
}

async function events({ id }: Employee, type: string): Promise<unknown[]> {
  const rows = await house.services.db.query(
    'SELECT detail FROM audit_events WHERE account_id = $1 AND type = $2 ORDER BY id',
    [id, type],
  );
  return rows.map(({ detail }) => detail);
}

describe('adding an authenticator app', () => {
  it('leads from the devices to a second one whose codes log in, beside the first', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    await browser.follow('Akun');
    expect(browser.shown.page).toBe('account/devices');
    await browser.follow('/account/devices/add');
    expect(browser.shown.page).toBe('account/devices/add');
    const shown = await browser.submit('/account/devices/add');
    const secret = keyOn(shown);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const link = /href="(otpauth:\/\/totp\/[^"]*)"/.exec(shown.html)?.[1] ?? '';
    expect(link).toContain(`secret=${secret}`);
    expect(decodeURIComponent(link)).not.toContain(employee.nip);
    expect(shown.html).toContain('<svg viewBox');

    const mail = await house.mailOf(employee, async () => {
      const done = await browser.submit(APP, { otp: house.shows(secret), device_name: 'Tablet <b>' });
      expect(done).toMatchObject({ status: 200, page: 'account/devices' });
      expect(attribute(done.html, 'data-done')).toBe('device_added');
      expect(done.html).toContain('Tablet &lt;b&gt;');
    });
    expect(mail.subject).toContain('terpasang');
    expect(mail.text).toContain('Tablet <b>');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel', 'Tablet <b>']);
    const device = await house.idOf(employee, 'Tablet <b>');
    expect(await events(employee, 'device.enrolled')).toEqual([{ device }]);

    const other = house.browser();
    await house.toOtp(other, employee);
    // The code that confirmed it was used by that.
    expect((await other.submit('/otp', { otp: house.shows(secret) })).errors).toEqual(['otp_reused']);
    house.time.pass({ seconds: 30 });
    const claims = house.codeOf((await other.submit('/otp', { otp: house.shows(secret) })).url);
    expect(claims).toBeDefined();
  });

  it('begins with a press, not with a look: the page without one leads back, and a reload shows the same key', async () => {
    const { browser, secret } = await atNewKey();
    expect(keyOn(await browser.get(APP))).toBe(secret);
    const employee = await house.somebody();
    const other = await house.enter(employee);
    expect((await other.get(APP)).page).toBe('account/devices/add');
    expect((await other.get('/account/devices/move/app')).page).toBe('account/devices/move');
  });

  it('shows the key in the session that asked for it and in no other', async () => {
    const { employee, browser, secret } = await atNewKey();
    const other = await house.enter(employee);
    expect((await other.get(APP)).page).toBe('account/devices/add');
    // Asked for there too, it is another key, and each session confirms its own only.
    const theirs = keyOn(await other.submit('/account/devices/add'));
    expect(theirs).not.toBe(secret);
    const refused = await other.submit(APP, { otp: house.shows(secret), device_name: 'Tablet' });
    expect(refused).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    await browser.get(APP);
    await browser.submit(APP, { otp: house.shows(secret), device_name: 'Tablet' });
    expect(await house.deviceNames(employee)).toEqual(['Ponsel', 'Tablet']);
  });

  it('keeps the name, says what was wrong, and has the server time at hand', async () => {
    const { browser, secret } = await atNewKey();
    const right = house.shows(secret);
    const wrong = await browser.submit(APP, { otp: wrongFor(right), device_name: 'Tablet' });
    expect(wrong).toMatchObject({ status: 422, page: 'account/devices/add/app', errors: ['otp_invalid'] });
    expect(wrong.html).toMatch(/name="device_name"[^>]* value="Tablet"/);
    expect(wrong.html).toContain('class="clock"');
    const nameless = await browser.submit(APP, { otp: right, device_name: ' ' });
    expect(nameless).toMatchObject({ status: 422, errors: ['invalid_input'] });
    expect(attribute(nameless.html, 'data-field')).toBe('device_name');
    const malformed = await browser.submit(APP, { otp: 'kode', device_name: 'Tablet' });
    expect(malformed).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    expect((await browser.submit(APP, { otp: right, device_name: 'Tablet' })).page).toBe('account/devices');
  });

  it('tells a phone whose clock is wrong, at the second code, and takes the next right one', async () => {
    const { employee, browser, secret } = await atNewKey();
    const ahead = (): string => totp(secret, new Date(house.time.now().getTime() + 61 * 60_000));
    const first = await browser.submit(APP, { otp: ahead(), device_name: 'Tablet' });
    expect(first.errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 30 });
    const second = await browser.submit(APP, { otp: ahead(), device_name: 'Tablet' });
    expect(second).toMatchObject({ status: 422, errors: ['clock_drift'] });
    expect(attribute(second.html, 'data-drift-minutes')).toBe('61');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
    expect((await browser.submit(APP, { otp: house.shows(secret), device_name: 'Tablet' })).page).toBe(
      'account/devices',
    );
  });

  it('counts wrong codes like every page: a double tap once, the fifth begins a wait everywhere', async () => {
    const { employee, browser, secret } = await atNewKey();
    const form = formOn(browser, APP);
    const post = (otp: string) => browser.post(form.path, { csrf: form.csrf, otp, device_name: 'Tablet' });
    const wrong = wrongFor(house.shows(secret));
    const taps = await Promise.all([post(wrong), post(wrong), post(wrong), post(wrong)]);
    expect(taps.map(({ status, errors }) => [status, ...errors])).toEqual(taps.map(() => [422, 'otp_invalid']));
    expect((await post(wrong)).errors).toEqual(['otp_invalid']);
    const mail = await house.mailOf(employee, async () => {
      for (const otp of ['000001', '000002', '000003']) expect((await post(otp)).errors).toEqual(['otp_invalid']);
    });
    expect(mail.subject).toContain('Percobaan masuk');
    const fifth = await post('000004');
    expect(fifth).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(Number(fifth.headers.get('retry-after'))).toBeGreaterThan(850);
    expect((await post(house.shows(secret))).errors).toEqual(['throttled']);
    // The same count as at sign-in.
    const other = house.browser();
    await house.toOtp(other, employee);
    expect(other.shown.errors).toEqual(['throttled']);
    house.time.pass({ minutes: 15 });
    await browser.get(APP);
    // The session's factor is older than a form may be: the code alone is asked for, and the same key is shown again.
    if (browser.shown.page === 'sign-in/otp') await browser.submit('/otp', { otp: otpOf(employee) });
    expect(keyOn(browser.shown)).toBe(secret);
    await browser.submit(APP, { otp: house.shows(secret), device_name: 'Tablet' });
    expect(await house.deviceNames(employee)).toEqual(['Ponsel', 'Tablet']);
  });

  it('typed twice at once is done once, and both hear the same (R-74)', async () => {
    const { employee, browser, secret } = await atNewKey();
    const { path, csrf } = formOn(browser, APP);
    const typed = { csrf, otp: house.shows(secret), device_name: 'Tablet' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => browser.post(path, typed)));
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/account/devices']);
    }
    expect(await house.deviceNames(employee)).toEqual(['Ponsel', 'Tablet']);
    expect(await events(employee, 'device.enrolled')).toHaveLength(1);
  });

  it('waits half an hour for its first code', async () => {
    const { employee, browser, secret } = await atNewKey();
    house.time.pass({ minutes: 14 });
    await browser.get(APP);
    await browser.submit('/otp', { otp: otpOf(employee) });
    house.time.pass({ minutes: 14 });
    await browser.get(APP);
    await browser.submit('/otp', { otp: otpOf(employee) });
    expect(keyOn(browser.shown)).toBe(secret);
    house.time.pass({ minutes: 2 });
    const late = await browser.submit(APP, { otp: house.shows(secret), device_name: 'Tablet' });
    expect(late).toMatchObject({ status: 410, page: 'expired', errors: ['flow_expired'] });
    expect(late.html).toContain('href="/account/devices/add"');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
  });

  it('stops at five, and says so', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    for (const name of ['Dua', 'Tiga', 'Empat']) await house.addPhone(employee, name);
    await browser.get('/account/devices/add');
    const secret = keyOn(await browser.submit('/account/devices/add'));
    const { csrf } = formOn(browser, APP);
    await house.addPhone(employee, 'Lima');
    // Begun while there was room, it is too late now.
    const typed = { otp: house.shows(secret), device_name: 'Enam' };
    expect((await browser.submit(APP, typed)).page).toBe('account/devices/add');
    expect(browser.shown.html).not.toContain('data-done');
    expect(browser.shown.html).toContain('Sudah ada lima perangkat');
    expect((await browser.get('/account/devices/add')).html).not.toContain(
      '<form method="post" action="/account/devices/add"',
    );
    await browser.post(`${house.site.origin}/account/devices/add`, { csrf });
    expect(await house.deviceNames(employee)).toHaveLength(5);
  });

  it('is over when the session ends before its code: nothing of an ended session comes true', async () => {
    const { employee, browser, secret } = await atNewKey();
    const { path, csrf } = formOn(browser, APP);
    const { db, endSessions } = house.services;
    await db.transaction((tx) => endSessions.ofAccounts(tx, [employee.id]));
    const late = await browser.post(path, { csrf, otp: house.shows(secret), device_name: 'Tablet' });
    expect(late.status).toBe(303);
    expect(late.headers.get('location')).toContain('/oidc/auth');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
  });
});

describe('renaming', () => {
  it('changes the name and nothing else: nobody is logged out', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const other = await house.enter(employee);
    await browser.get('/account/devices');
    await browser.follow('/rename');
    expect(browser.shown).toMatchObject({ page: 'account/devices/rename' });
    expect(browser.shown.html).toMatch(/name="device_name"[^>]* value="Ponsel"/);
    const refused = await browser.submit('/rename', { device_name: 'x\u202Ey' });
    expect(refused).toMatchObject({ status: 422, page: 'account/devices/rename', errors: ['invalid_input'] });
    const done = await browser.submit('/rename', { device_name: '  Ponsel   <i>rumah ' });
    expect(attribute(done.html, 'data-done')).toBe('device_renamed');
    expect(done.html).toContain('Ponsel &lt;i&gt;rumah');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel <i>rumah']);
    const device = await house.idOf(employee, 'Ponsel <i>rumah');
    expect(await events(employee, 'device.renamed')).toEqual([{ device }]);
    expect((await other.get('/')).page).toBe('launcher');
  });

  it("of another person's device is as unknown as none", async () => {
    const [mine, theirs] = [await house.somebody(), await house.somebody()];
    const browser = await house.enter(mine);
    await browser.get('/account/devices');
    await browser.follow('/rename');
    const { csrf } = formOn(browser, `/account/devices/${await house.idOf(mine, 'Ponsel')}/rename`);
    const foreign = await house.idOf(theirs, 'Ponsel');
    for (const id of [foreign, 'tidak-ada', '00000000-0000-4000-8000-000000000000']) {
      for (const what of ['rename', 'remove']) {
        const path = `${house.site.origin}/account/devices/${id}/${what}`;
        expect((await browser.get(path)).page).toBe('account/devices');
        const posted = what === 'rename' ? { device_name: 'Milikku' } : {};
        const answer = await browser.post(path, { csrf, ...posted });
        expect([answer.status, answer.headers.get('location')]).toEqual([303, '/account/devices']);
      }
    }
    expect(await house.deviceNames(theirs)).toEqual(['Ponsel']);
  });
});

describe('the name of a device', () => {
  it('is no other one, whatever the case: renaming and adding say so and keep what was typed', async () => {
    const employee = await house.somebody();
    await house.addPhone(employee, 'Tablet');
    const browser = await house.enter(employee);
    await browser.get(`/account/devices/${await house.idOf(employee, 'Ponsel')}/rename`);
    const refused = await browser.submit('/rename', { device_name: 'TABLET' });
    expect(refused).toMatchObject({ status: 422, page: 'account/devices/rename', errors: ['invalid_input'] });
    expect(refused.html).toContain('Nama ini sudah dipakai perangkat lain');
    expect(refused.html).toMatch(/name="device_name"[^>]* value="TABLET"/);
    // Its own name in another case is no other one.
    expect((await browser.submit('/rename', { device_name: 'PONSEL' })).page).toBe('account/devices');

    await browser.get('/account/devices/add');
    const secret = keyOn(await browser.submit('/account/devices/add'));
    const otp = house.shows(secret);
    const again = await browser.submit(APP, { otp, device_name: 'ponsel' });
    expect(again).toMatchObject({ status: 422, page: 'account/devices/add/app', errors: ['invalid_input'] });
    expect(again.html).toMatch(/name="device_name"[^>]* value="ponsel"/);
    // The code is still good.
    expect((await browser.submit(APP, { otp, device_name: 'Ponsel kedua' })).page).toBe('account/devices');
    expect(await house.deviceNames(employee)).toEqual(['PONSEL', 'Tablet', 'Ponsel kedua']);
  });

  it('is judged in the statement that names: of two at once one gets it', async () => {
    const { services } = house;
    const employee = await house.somebody();
    const ids = [await house.addPhone(employee, 'Satu'), await house.addPhone(employee, 'Dua')].map(({ id }) => id);
    const done = await Promise.all(
      ids.map((device) =>
        services.db.transaction(async (tx) => {
          await holdAccount(tx, employee.id);
          return services.devices.rename(tx, { accountId: employee.id, device, name: 'Kembar' });
        }),
      ),
    );
    expect(done.sort()).toEqual([false, true]);
    expect((await house.deviceNames(employee)).filter((name) => name === 'Kembar')).toHaveLength(1);
  });
});

describe('removing', () => {
  it('asks once more, ends the device and every other browser, tells the owner, and keeps the history', async () => {
    const employee = await house.somebody();
    const tablet = await house.addPhone(employee, 'Tablet');
    const browser = await house.enter(employee);
    const other = house.browser();
    // Told as a new browser, before what is looked for.
    await house.mailOf(employee, () => house.enter(employee, other));
    await browser.get('/account/devices');
    await browser.follow(`/account/devices/${tablet.id}/remove`);
    expect(browser.shown.page).toBe('account/devices/remove');
    expect(browser.shown.html).toContain('Hapus Tablet?');
    const { path, csrf } = formOn(browser, `/account/devices/${tablet.id}/remove`);
    const mail = await house.mailOf(employee, async () => {
      const done = await browser.submit('/remove');
      expect(attribute(done.html, 'data-done')).toBe('device_removed');
      expect(done.html).toMatch(/<details>[\s\S]*<strong>Tablet<\/strong>[\s\S]*Anda hapus/);
    });
    expect(mail.subject).toContain('dihapus');
    expect(mail.text).toContain('Tablet');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
    expect(await events(employee, 'device.ended')).toEqual([{ device: tablet.id, reason: 'removed' }]);
    expect((await other.get('/')).page).toBe('front');
    expect((await browser.get('/')).page).toBe('launcher');
    // Its page, after Back or a reload, leads to those there are.
    expect((await browser.get(path)).page).toBe('account/devices');
    // The second half of a double tap.
    const again = await browser.post(path, { csrf });
    expect([again.status, again.headers.get('location')]).toEqual([303, '/account/devices']);

    const [row] = await house.services.db.query('SELECT secret FROM devices WHERE id = $1', [tablet.id]);
    expect(row?.secret).toBeNull();
    await house.toOtp(other, employee);
    house.time.pass({ seconds: 31 });
    expect((await other.submit('/otp', { otp: house.shows(tablet.secret) })).errors).toEqual(['otp_invalid']);
    expect(house.codeOf((await other.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it('of the only one is refused, with what to do instead', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const tablet = await house.addPhone(employee, 'Tablet');
    const path = `/account/devices/${await house.idOf(employee, 'Ponsel')}/remove`;
    await browser.get(path);
    const { csrf } = formOn(browser, path);
    await house.services.db.transaction((tx) =>
      house.services.devices.endOne(tx, { accountId: employee.id, device: tablet.id, reason: 'removed' }),
    );
    const refused = await browser.post(house.site.origin + path, { csrf });
    expect(refused).toMatchObject({ status: 422, page: 'account/devices/remove', errors: ['invalid_input'] });
    expect(refused.html).toContain('/account/devices/move');
    const page = await browser.get(path);
    expect(page).toMatchObject({ status: 200, page: 'account/devices/remove', errors: [] });
    expect(page.html).not.toContain('<button class="button risk">');
    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
  });

  it('two at once leave one: whichever request wins (R-52)', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 8; round += 1) {
      const employee = await house.somebody();
      const tablet = await house.addPhone(employee, 'Tablet');
      const browser = await house.enter(employee);
      const ids = [await house.idOf(employee, 'Ponsel'), tablet.id];
      await browser.get(`/account/devices/${tablet.id}/remove`);
      const { csrf } = formOn(browser, `/account/devices/${tablet.id}/remove`);
      const answers = await Promise.all(
        [...ids, ...ids].map((id) => browser.post(`${house.site.origin}/account/devices/${id}/remove`, { csrf })),
      );
      outcomes.add(
        answers
          .map(({ status }) => status)
          .sort()
          .join(),
      );
      expect(await house.deviceNames(employee)).toHaveLength(1);
      expect(await events(employee, 'device.ended')).toHaveLength(1);
      const browser2 = house.browser();
      await browser2.get('/login');
      await browser2.submit('/password', { username: employee.nip, password: PASSWORD });
      expect(browser2.shown.page).toBe('sign-in/otp');
    }
    // Of each pair one was removed and told so twice, the other refused twice.
    expect([...outcomes]).toEqual(['303,303,422,422']);
  });
});
