import { jest } from '@jest/globals';
import { addAgencies } from '../accounts/people.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { describeInBrowser, launchChromium, SIZES, type Tab, type TestBrowser } from '../support/chromium.js';
import { eventually } from '../support/processes.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { stopInTheMorning } from './morning.js';
import { WORDS, goToPart } from './steps.js';

const t = WORDS.id;
jest.setTimeout(60_000);

/** a person sees where they are signed in, and ends it there. */
describeInBrowser('sessions in two browsers', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let person: Employee;
  let office: Tab;
  let phone: Tab;
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    await addAgencies(site.running.services.db);
    [person] = (await addEmployees(site.running.services, { count: 1, state: 'enrolled' })) as [Employee];
    [office, phone] = [await browser.openTab({ origin: site.origin }), await browser.openTab({ origin: site.origin })];
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  async function logIn(tab: Tab, path: string): Promise<void> {
    await tab.open(path);
    await tab.type({ username: person.nip, password: PASSWORD });
    await tab.press('LOGIN');
    await proveFactor(tab);
  }
  async function proveFactor(tab: Tab): Promise<string | undefined> {
    clock.pass({ seconds: 30 });
    await tab.type({ otp: otpOf(person) });
    return (await tab.press(t('action.continue'))).page;
  }
  const picture = async (tab: Tab, name: string): Promise<void> => {
    if (process.env.PICTURES === undefined) return;
    for (const [size, viewport] of Object.entries(SIZES)) {
      await tab.page.setViewportSize(viewport);
      await tab.page.screenshot({ path: `${process.env.PICTURES}/${name}-${size}.png`, fullPage: true });
    }
  };

  it('shows both, with their services', async () => {
    await logIn(phone, '/demo/myasn/login');
    await phone.open('/demo/siasn/login');
    await logIn(office, '/login');
    clock.pass({ minutes: 10 });
    await office.press(t('shell.account'));
    expect((await goToPart(office, 'sessions')).page).toBe('account/sessions');
    const text = await office.page.locator('main').innerText();
    expect(text).toContain('MyASN, SIASN');
    expect(text).toContain('127.0.0.x');
    expect(await office.page.locator('tbody tr').count()).toBe(2);
    await picture(office, 'sessions');
  });

  it('asks for a fresh code, then ends the other one; its services say so', async () => {
    await office.press(/^Akhiri Chrome/);
    expect((await office.look()).page).toBe('sign-in/otp');
    expect(await proveFactor(office)).toBe('account/sessions/end');
    await picture(office, 'end');
    expect((await phone.open('/demo/siasn')).page).toBe('demo/signed-in');
    expect((await office.press(t('account.sessions.end.submit'))).page).toBe('account/sessions');
    expect(await office.page.locator('[data-done="session_ended"]').count()).toBe(1);
    expect(await office.page.locator('tbody tr').count()).toBe(1);
    await picture(office, 'ended');
    const { db } = site.running.services;
    await eventually('the services to be told', async () => (await db.query('SELECT 1 FROM outbox')).length === 0);
    expect((await phone.open('/demo/myasn')).page).toBe('demo/signed-out');
    expect(await phone.page.locator('main').innerText()).toContain(
      t('demo.signedOut.told', { name: 'SSO ASN', app: 'MyASN' }),
    );
    expect((await phone.open('/demo/siasn/login')).page).toBe('sign-in/password');
    expect((await office.open('/')).page).toBe('launcher');
  });

  it('ends all, and then nobody is logged in', async () => {
    clock.pass({ minutes: 1 });
    await logIn(phone, '/demo/myasn/login');
    await office.open('/account/sessions');
    expect((await office.press(new RegExp(`^${t('account.sessions.endOthers.link')}`))).page).toBe(
      'account/sessions/end-others',
    );
    await picture(office, 'end-others');
    await office.press(t('account.sessions.endOthers.submit'));
    expect(await office.page.locator('[data-done="sessions_ended"]').count()).toBe(1);
    expect((await phone.open('/demo/myasn/login')).page).toBe('sign-in/password');
    await office.press(new RegExp(`^${t('account.sessions.endAll.link')} Peramban`));
    await picture(office, 'end-all');
    expect((await office.press(t('account.sessions.endAll.submit'))).page).toBe('sign-out/done');
    expect((await office.open('/account/sessions')).page).toBe('sign-in/password');
    expect([...office.complaints, ...phone.complaints]).toEqual([]);
  });
});
