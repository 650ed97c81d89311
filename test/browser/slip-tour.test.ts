import { jest } from '@jest/globals';
import { extractText, getDocumentProxy } from 'unpdf';
import { findByName } from '#src/accounts/accounts.js';
import { canonicalName } from '#src/accounts/name.js';
import { grantRole } from '#src/accounts/roles.js';
import { agencyCode } from '#src/kernel/ids.js';
import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { CAPTCHA, startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, login, WORDS } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
jest.setTimeout(PATIENCE_MS);

const who = demoPerson('Bayu Lesmana');
const officer = demoPerson('Ratri Anjani');

describeInBrowser('activation slips in Chromium: the officer, and the person with the paper', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let desk: Tab;
  let tab: Tab;
  let guides: { readonly desk: Guide; readonly person: Guide };
  let code = '';
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    desk = await browser.openTab({ origin: site.origin, javaScript: true });
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    guides = { desk: createGuide(desk, 'slipDesk'), person: createGuide(tab, 'slip') };
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  async function accountOf({ nip }: { readonly nip: string }) {
    const name = canonicalName(nip);
    const account = name.kind === 'malformed' ? undefined : await findByName(site.running.services.db, name);
    if (account === undefined) throw new Error('the person is gone');
    return account;
  }
  async function appoint(agency: string): Promise<void> {
    const { id: accountId } = await accountOf(officer);
    const held = { accountId, role: 'agency_admin', agencyCode: agencyCode(agency), now: clock.now() } as const;
    await site.running.services.db.transaction((tx) => grantRole(tx, held));
  }

  it('an administrator sees how far it has come, and makes slips for a unit', async () => {
    await appoint('BOYOLALI');
    await signInOnTour(desk, { site, clock, who: officer });
    await desk.open('/helpdesk/aktivasi');
    await guides.desk.stop('helpdesk/activation');
    await desk.press(t('helpdesk.activation.who'));
    await guides.desk.stop('helpdesk/activation/waiting');
    await desk.press(t('helpdesk.activation.back'));
    await desk.press(t('helpdesk.activation.make'));
    await guides.desk.stop('helpdesk/activation/issue');
    await desk.page.getByLabel(t('helpdesk.act.reason')).fill('Aktivasi bersama di kantor');
    await desk.press(t('helpdesk.activation.issue.submit'));
    await guides.desk.stop('helpdesk/activation/batch');
    const download = desk.page.waitForEvent('download');
    await desk.page.getByRole('button', { name: t('helpdesk.activation.batch.download') }).click();
    const chunks: Buffer[] = [];
    for await (const chunk of await (await download).createReadStream()) chunks.push(chunk as Buffer);
    const document = await getDocumentProxy(new Uint8Array(Buffer.concat(chunks)));
    const { text } = await extractText(document, { mergePages: true });
    code = /Bayu Lesmana[\s\S]*?((?:[0-9A-Z]{4} ){3}[0-9A-Z]{4})/.exec(text)?.[1] ?? 'no code';
    const { id } = await accountOf(who);
    const [row] = await site.running.services.db.query('SELECT id FROM activation_slips WHERE account_id = $1', [id]);
    await desk.open(`/helpdesk/slip/${String(row?.id)}`);
    await guides.desk.stop('helpdesk/activation/one');
    await appoint('SURAKARTA');
    await desk.open('/helpdesk/aktivasi');
    await guides.desk.stop('helpdesk/activation/units');
  });

  it('the person goes from the paper to the first authenticator', async () => {
    await tab.open('/aktivasi');
    await guides.person.stop('activate/start');
    await tab.type({ username: who.nip, slip: code.toLowerCase(), captcha: CAPTCHA });
    await tab.press(t('action.continue'));
    await guides.person.stop('activate/password');
    await tab.type({ new_password: PASSWORD, confirm_password: PASSWORD });
    const { id } = await accountOf(who);
    await site.running.services.db.query('UPDATE accounts SET email = NULL WHERE id = $1', [id]);
    await tab.press(t('activate.password.submit'));
    await guides.person.stop('activate/done');
    await tab.press('LOGIN');
    expect((await login(tab, who)).page).toBe('sign-in/enrol');
  });

  it('nothing was blocked or missing, nothing was above 30 kB', () => {
    guides.person.expectAllSeen();
    guides.desk.expectAllSeen();
  });
});
