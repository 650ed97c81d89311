import { jest } from '@jest/globals';
import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { eventually } from '../support/processes.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { showPresence, type PresenceShown } from './presence.js';
import { authenticator, demoPerson, login, readKey, WORDS } from './steps.js';
import { PATIENCE_MS } from './tour-guide.js';

const t = WORDS.id;
const OFFICER = demoPerson('Ratri Anjani');
const PERSON = demoPerson('Bayu Lesmana');
const GROUNDS = { reason: 'Ponsel hilang di jalan', ticket: 'HD-2026-0113' };
jest.setTimeout(PATIENCE_MS);

describeInBrowser('two browsers: the person with the presence code, the officer in the console', () => {
  let clock: StoppedTime;
  let site: TestSite;
  const browsers: TestBrowser[] = [];
  let officer: Tab;
  let person: Tab;
  let phone: ReturnType<typeof authenticator>;
  let lost: ReturnType<typeof authenticator>;
  let fresh: ReturnType<typeof authenticator>;
  let shown: PresenceShown;
  const admin = (): string => site.running.services.config.adminOrigin;

  beforeAll(async () => {
    clock = stopInTheMorning();
    // Each a program of its own: nothing is shared but the site.
    const [started, desks, home] = await Promise.all([
      startSite((origin) => Promise.resolve({ ADMIN_ORIGIN: origin.replace('localhost', '127.0.0.1') })),
      launchChromium(),
      launchChromium(),
    ]);
    site = started;
    browsers.push(desks, home);
    officer = await desks.openTab({ origin: site.origin });
    person = await home.openTab({ origin: site.origin, size: 'phone' });
    lost = await signInOnTour(person, { site, clock, who: PERSON });
    phone = await signInOnTour(officer, { site, clock, who: OFFICER });
  });
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    await site.stop();
    clock.release();
  });

  async function openDesk(path: string): Promise<void> {
    if ((await officer.open(`${admin()}${path}`)).page !== 'sign-in/otp') return;
    await officer.type({ otp: phone.code() });
    await officer.press(t('action.continue'));
  }
  const counterOn = (tab: Tab): Promise<string> => tab.page.locator('[data-counter-code]').innerText();

  /** From the desk's search to the page that asks for the presence code. */
  async function findPerson(): Promise<void> {
    await openDesk('/helpdesk');
    await officer.type({ who: PERSON.nip });
    await officer.press(t('helpdesk.home.submit'));
    await openDesk(`${new URL(officer.page.url()).pathname}/mfa-reset/presence`);
  }

  it('a wrong code is told, and what was typed stays', async () => {
    await person.press(t('shell.signOut'));
    await person.open('/login');
    await login(person, PERSON, PASSWORD);
    shown = await showPresence(person);
    await findPerson();
    const wrong = String((Number(shown.code) + 1) % 100_000_000).padStart(8, '0');
    await officer.type({ presence_code: wrong, ...GROUNDS });
    const refused = await officer.press(t('helpdesk.presence.submit'));
    expect([refused.page, refused.errors]).toEqual(['helpdesk/mfa-reset/presence', ['code_invalid']]);
    expect(await officer.page.locator('[name=reason]').inputValue()).toBe(GROUNDS.reason);
  });

  it('the code of one leads to the number of the other, and nothing is done before the button', async () => {
    const { code, counter } = shown;
    await officer.type({ presence_code: code, ...GROUNDS });
    expect((await officer.press(t('helpdesk.presence.submit'))).page).toBe('helpdesk/mfa-reset/counter');
    expect(await counterOn(officer)).toBe(counter);
    const { db } = site.running.services;
    expect(await db.query(`SELECT FROM officer_acts WHERE action = 'mfa_reset'`)).toEqual([]);
    const after = await officer.press(t('helpdesk.act.mfa_reset.submit'));
    expect(after.page).toBe('helpdesk/person');
    expect(await db.query(`SELECT state, verification FROM officer_acts WHERE action = 'mfa_reset'`)).toEqual([
      { state: 'done', verification: 'presence' },
    ]);
  });

  it('the person is told by page and mail, and sets up the new phone after the mailed code', async () => {
    // The sign-in that showed the code is over: its page says so and leads to LOGIN.
    await person.open(new URL(person.page.url()).pathname);
    expect(await person.page.locator('main').innerText()).not.toMatch(/\d{4}\s?\d{4}/);
    const mail = site.mailbox.mails.find(({ to, text }) => to.includes(PERSON.email) && text.includes(OFFICER.name));
    expect(mail?.text).toContain('Kabupaten Boyolali');

    const seen = site.mailbox.mails.length;
    await person.open('/login');
    await login(person, PERSON, PASSWORD);
    // Not the lost phone any more: the mailbox first.
    expect((await person.look()).page).toBe('sign-in/prove-mailbox');
    // Behind the notice of the reset.
    const codes = (): string[] =>
      site.mailbox.mails
        .slice(seen)
        .flatMap(({ to, text }) => (to.includes(PERSON.email) ? (/\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/.exec(text) ?? []) : []));
    await eventually('the code in the mailbox', () => Promise.resolve(codes().length > 0));
    await person.type({ code: codes()[0] ?? '' });
    await person.press(t('action.continue'));
    const key = await readKey(person);
    expect(key).not.toBe(lost.secret);
    fresh = authenticator(key, clock);
    await person.type({ otp: fresh.code(), device_name: 'Ponsel baru' });
    await person.press('Submit');
    await person.page.locator('#saved').check();
    await person.press(t('signIn.codes.continue', { service: 'ASN Digital' }));
    await person.open('/account/activity');
    expect(await person.page.locator('[data-officer-reset]').innerText()).toContain(OFFICER.name);
    expect(await person.page.locator('main').innerText()).toContain(GROUNDS.reason);
  });

  it('and a month later the banner is gone', async () => {
    clock.pass({ seconds: 30 * 24 * 3600 });
    await person.open('/login');
    await login(person, PERSON, PASSWORD);
    await person.type({ otp: fresh.code() });
    expect((await person.press(t('action.continue'))).page).toBe('launcher');
    await person.open('/account/activity');
    expect(await person.page.locator('main').innerText()).toContain(GROUNDS.reason);
    expect(await person.page.locator('[data-officer-reset]').count()).toBe(0);
  });
});
