import { randomUUID } from 'node:crypto';
import { secretContext } from '#src/devices/device.js';
import { attemptId, deviceId } from '#src/kernel/ids.js';
import { newSecret } from '#src/mfa/totp.js';
import { addEmployees, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Shown } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { openHouse, shownAt, type House } from '../sign-in/house.js';

/** Every page that takes a one-time code explains a wrong clock, over the whole program (test/mfa/drift-table has the rest). */
const OFFSETS = [-130, -120, -61, -7, 2, 45, 60, 121, 130] as const;

let house: House;
const pools: Record<'enrolled' | 'password', Employee[]> = { enrolled: [], password: [] };
beforeAll(async () => {
  house = await openHouse();
  pools.enrolled = await addEmployees(house.services, { count: 40, state: 'enrolled' });
  pools.password = await addEmployees(house.services, { count: 10, state: 'password' });
});
afterAll(() => house.close());

function take(state: keyof typeof pools): Employee {
  const one = pools[state].pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
}

/** A page with a field for a code: whose phone it is, and how to type one. */
interface CodePage {
  readonly phone: Employee;
  readonly type: (otp: string) => Promise<Shown>;
  /** Whether a code was accepted. */
  readonly isThrough: (shown: Shown) => boolean;
}

const NEW = 'Gajah Merah 8 tidur-pulas';
const onward = (page: string) => (shown: Shown) => shown.page === page;

const PAGES: Readonly<Record<string, () => Promise<CodePage>>> = {
  async 'sign-in/otp'() {
    const phone = take('enrolled');
    const browser = house.browser();
    await house.toOtp(browser, phone);
    const isThrough = ({ url }: Shown): boolean => house.codeOf(url) !== undefined;
    return { phone, type: (otp) => browser.submit('/otp', { otp }), isThrough };
  },
  async 'sign-in/enrol'() {
    const phone = take('password');
    const browser = house.browser();
    await house.begin(browser);
    const code = await house.codeFor(phone, () =>
      browser.submit('/password', { username: phone.nip, password: PASSWORD }),
    );
    phone.secret = attribute((await browser.submit('/mailbox', { code })).html, 'data-secret');
    const type = (otp: string) => browser.submit('/enrol', { otp, device_name: 'Ponsel' });
    return { phone, type, isThrough: onward('sign-in/recovery-codes') };
  },
  async 'reset/password/code'() {
    const phone = take('enrolled');
    const browser = house.browser();
    await browser.get('/reset/password');
    await browser.submit('/reset/password', { username: phone.nip, captcha: CAPTCHA });
    const code = await house.codeFor(phone, () => browser.submit('/reset/password/email', { email: phone.email }));
    const typed = { code, new_password: NEW, confirm_password: NEW };
    const type = (otp: string) => browser.submit('/reset/password/code', { ...typed, otp });
    return { phone, type, isThrough: onward('reset/password/done') };
  },
  async 'reset/weak'() {
    const phone = take('enrolled');
    const browser = house.browser();
    await browser.get('/reset/weak');
    const typed = { username: phone.nip, password: PASSWORD, new_password: NEW, confirm_password: NEW };
    const type = (otp: string) => browser.submit('/reset/weak', { ...typed, otp });
    return { phone, type, isThrough: onward('reset/weak/done') };
  },
  async 'reset/mfa/factor'() {
    const owner = take('enrolled');
    const { db, devices, box } = house.services;
    const [secret, id] = [newSecret(), deviceId(randomUUID())];
    await db.transaction(async (tx) => {
      const sealedSecret = box.seal(secret, secretContext(id));
      await devices.addPending(tx, { id, accountId: owner.id, attempt: attemptId(id), sealedSecret });
      await devices.confirm(tx, { device: id, name: 'Tablet', step: 1 });
    });
    const browser = house.browser();
    await browser.get('/reset/mfa/now');
    await browser.submit('/reset/mfa/start', { username: owner.nip, password: PASSWORD, captcha: CAPTCHA });
    const type = (otp: string) => browser.submit('/reset/mfa/factor', { otp, lost: 'others' });
    return { phone: { ...owner, secret }, type, isThrough: onward('reset/mfa/done') };
  },
};

/** What the page of each says; each page has some of the offsets, all pages together all of them. */
const rows = Object.keys(PAGES).flatMap((page, index) =>
  OFFSETS.filter((_, at) => page === 'sign-in/otp' || at % 3 === index % 3 || at === 6).map(
    (offset) => [page, offset] as const,
  ),
);

it.each(rows)('%s, a phone that is off by %i minutes', async (name, offset) => {
  const open = PAGES[name];
  if (open === undefined) throw new Error('no such page');
  const { phone, type, isThrough } = await open();
  const shown = (): string => shownAt(phone, new Date(house.time.now().getTime() + offset * 60_000));

  const first = await type(shown());
  expect(first).toMatchObject({ status: 422, page: name, errors: ['otp_invalid'] });
  expect(first.html).not.toContain('data-drift-minutes');
  house.time.pass({ seconds: 31 });
  const code = shown();
  const second = await type(code);
  expect(second).toMatchObject({ status: 422, page: name, errors: ['clock_drift'] });
  expect(attribute(second.html, 'data-drift-minutes')).toBe(String(offset));
  const hours = Math.round(Math.abs(offset) / 60);
  const isWhole = hours > 0 && Math.abs(Math.abs(offset) - hours * 60) <= 5;
  if (isWhole) {
    expect(second.html).toContain(`sekitar ${hours} jam`);
    expect(second.html).toContain('WIB, WITA, atau WIT');
  } else {
    const how = offset < 0 ? 'terlambat' : 'terlalu cepat';
    expect(second.html).toContain(`${how} sekitar ${Math.abs(offset)} menit`);
  }
  // The right time in all three zones, to compare.
  expect(second.html.match(/<time datetime="/g)).toHaveLength(3);
  // The drifted code is never taken; the next right one is.
  house.time.pass({ seconds: 61 });
  expect(isThrough(await type(code))).toBe(false);
  expect(isThrough(await type(shownAt(phone, house.time.now())))).toBe(true);
});

it('counts them by kind on the management port', async () => {
  const { body } = await house.services.metrics.render();
  expect(body).toMatch(/^sso_clock_drifts_total\{kind="minutes"\} [1-9]/m);
  expect(body).toMatch(/^sso_clock_drifts_total\{kind="whole_hours"\} [1-9]/m);
});
