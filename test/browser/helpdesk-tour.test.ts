import { jest } from '@jest/globals';
import type { Role } from '#src/accounts/role.js';
import { grantRole, revokeRole } from '#src/accounts/roles.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Shown, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { totp } from '../support/totp.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { showPresence, type PresenceShown } from './presence.js';
import { demoPerson, login, WORDS, type authenticator } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
const RATRI = demoPerson('Ratri Anjani');
const BAYU = demoPerson('Bayu Lesmana');
const TIRTA = demoPerson('Tirta Wibawa');
/** Sekar Mayang: no e-mail address on file. */
const SEKAR = '198808172012122007';
const GROUNDS = { reason: 'Ponsel hilang di jalan', ticket: 'HD-2026-0113' };
jest.setTimeout(PATIENCE_MS);

describeInBrowser('the console in Chromium, on an origin of its own, phone and desktop, light and dark', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let person: Tab;
  let guide: Guide;
  let officersPhone: ReturnType<typeof authenticator>;
  let phone: ReturnType<typeof authenticator>;
  const stop: Guide['stop'] = (name) => guide.stop(name);
  const admin = (): string => site.running.services.config.adminOrigin;

  const idOf = async (nip: string): Promise<AccountId> => {
    const [row] = await site.running.services.db.query('SELECT id FROM accounts WHERE nip = $1', [nip]);
    return row?.id as AccountId;
  };
  const held = async (nip: string, role: Role) => ({
    accountId: await idOf(nip),
    role,
    agencyCode: role === 'operator' ? undefined : agencyCode('BOYOLALI'),
    now: clock.now(),
  });
  const give = async (nip: string, role: Role): Promise<void> => {
    const grant = await held(nip, role);
    await site.running.services.db.transaction((tx) => grantRole(tx, grant));
  };
  const take = async (nip: string, role: Role): Promise<void> => {
    const grant = await held(nip, role);
    await site.running.services.db.transaction((tx) => revokeRole(tx, grant));
  };

  /** Opens a page of the console, with a code where it is asked for. */
  async function open(path: string): Promise<Shown> {
    const shown = await tab.open(`${admin()}${path}`);
    if (shown.page !== 'sign-in/otp') return shown;
    await tab.type({ otp: officersPhone.code() });
    return tab.press(t('action.continue'));
  }

  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([
      startSite((origin) => Promise.resolve({ ADMIN_ORIGIN: origin.replace('localhost', '127.0.0.1') })),
      launchChromium(),
    ]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    person = await browser.openTab({ origin: site.origin });
    guide = createGuide(tab, 'helpdesk');
    phone = await signInOnTour(person, { site, clock, who: BAYU });
    officersPhone = await signInOnTour(tab, { site, clock, who: RATRI });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  it('from the launcher to the console', async () => {
    await tab.open('/');
    await stop('launcher, of an officer');
    const shown = await tab.press(/^Helpdesk/);
    expect(shown.url.href).toBe(`${admin()}/helpdesk`);
    await stop('helpdesk/home');
  });

  it('a call: why the person cannot get in', async () => {
    // His phone is an hour and a minute slow.
    await person.press(t('shell.signOut'));
    await person.open('/login');
    await login(person, BAYU, PASSWORD);
    for (let typed = 0; typed < 2; typed += 1) {
      clock.pass({ seconds: 30 });
      await person.type({ otp: totp(phone.secret, new Date(clock.now().getTime() - 61 * 60_000)) });
      await person.press(t('action.continue'));
    }
    await tab.type({ who: 'bayu' });
    await tab.press(t('helpdesk.home.submit'));
    await stop('helpdesk/home, names found');
    await tab.type({ who: BAYU.nip });
    const shown = await tab.press(t('helpdesk.home.submit'));
    expect(shown.url.href).not.toContain(BAYU.nip);
    await stop('helpdesk/person');
    expect(await tab.page.locator('[data-cause]').first().getAttribute('data-cause')).toBe('clock_drift');
    await open('/helpdesk/pegawai/00000000-0000-4000-8000-000000000000');
    await stop('helpdesk/not-found');
  });

  it('an act asks once', async () => {
    await open(`/helpdesk/pegawai/${await idOf(BAYU.nip)}/freeze`);
    await stop('helpdesk/act');
    await tab.press(t('action.cancel'));
  });

  it('a slip for somebody who has no mailbox', async () => {
    await give(RATRI.nip, 'operator');
    await open(`/helpdesk/pegawai/${await idOf(SEKAR)}/activation-slip`);
    await tab.type({ reason: GROUNDS.reason });
    await tab.press(t('helpdesk.act.activation_slip.submit'));
    await stop('helpdesk/slip');
    await take(RATRI.nip, 'operator');
  });

  it('a reset, with the person before the officer', async () => {
    const path = `/helpdesk/pegawai/${await idOf(BAYU.nip)}/mfa-reset`;
    await open(path);
    await stop('helpdesk/mfa-reset');
    await open(`${path}/presence`);
    await stop('helpdesk/mfa-reset/presence');
    const shown: PresenceShown = await showPresence(person);
    await tab.type({ presence_code: shown.code, ...GROUNDS });
    await tab.press(t('helpdesk.presence.submit'));
    await stop('helpdesk/mfa-reset/counter');
    expect(await tab.page.locator('[data-counter-code]').innerText()).toBe(shown.counter);
    await tab.press(t('helpdesk.act.mfa_reset.submit'));
    await stop('helpdesk/person, after a reset');
  });

  it('what waits for a second officer', async () => {
    await give(TIRTA.nip, 'helpdesk');
    const { acts } = site.running.services;
    const asked = await acts.perform({
      caller: { accountId: await idOf(TIRTA.nip), clientId: 'helpdesk' },
      trace: { requestId: 'tour' },
      accountId: await idOf(BAYU.nip),
      order: { action: 'mfa_reset', ...GROUNDS, verification: { method: 'photo_id' } },
    });
    expect(asked.kind).toBe('awaiting_approval');
    await open('/helpdesk/approvals');
    await stop('helpdesk/approvals');
    if (asked.kind === 'awaiting_approval') await open(`/helpdesk/approvals/${asked.actId}`);
    await stop('helpdesk/approval');
    await tab.press(t('helpdesk.approval.reject'));
    expect(await tab.page.locator('[data-done]').getAttribute('data-done')).toBe('rejected');
    if (asked.kind === 'awaiting_approval') await open(`/helpdesk/approvals/${asked.actId}`);
    await stop('helpdesk/approval/decided');
  });

  it('officers, for administrators', async () => {
    await give(RATRI.nip, 'agency_admin');
    await open('/helpdesk/officers');
    await stop('helpdesk/officers');
    await open('/helpdesk/officers/appoint');
    await stop('helpdesk/officers/appoint');
    await open('/helpdesk/officers');
    await tab.press(`${t('helpdesk.officers.remove')} ${TIRTA.name}`);
    await stop('helpdesk/officers/remove');
  });

  it('the trail, for administrators', async () => {
    await open('/helpdesk/audit');
    await stop('helpdesk/audit');
    await tab.page.getByText(t('helpdesk.trail.narrow')).click();
    await tab.type({ nip: BAYU.nip });
    const shown = await tab.press(t('helpdesk.trail.submit'));
    expect(shown.page).toBe('helpdesk/audit');
    expect(shown.url.searchParams.get('account')).toBe(await idOf(BAYU.nip));
  });

  it('a role that ended meanwhile', async () => {
    await take(RATRI.nip, 'agency_admin');
    await take(RATRI.nip, 'helpdesk');
    await tab.open(`${admin()}/helpdesk`);
    await stop('helpdesk/no-role');
    await give(RATRI.nip, 'helpdesk');
    await open('/helpdesk');
    await tab.press(t('shell.signOut'));
    expect((await tab.look()).page).toBe('sign-out/done');
  });

  it('had every stop, nothing blocked or missing, and no page above 30 kB', () => {
    guide.expectAllSeen();
  });
});
