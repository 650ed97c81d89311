import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMO_PEOPLE, type DemoPerson } from '#src/demo/people.js';
import { loadTranslators } from '#src/web/locale.js';
import { codeIn, PASSWORD } from '../journeys/steps.js';
import type { Shown, Tab } from '../support/chromium.js';
import { CAPTCHA, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { totp } from '../support/totp.js';

/** The words on the pages. */
export const WORDS = loadTranslators(join(process.cwd(), 'views', 'locales'));

export type Someone = DemoPerson & { readonly email: string };

/** A demo person with an e-mail address, by name. */
export function demoPerson(name: string): Someone {
  const found = DEMO_PEOPLE.find((person) => person.name === name);
  if (found?.email === undefined) throw new Error(`no demo person ${name} with an e-mail address`);
  return { ...found, email: found.email };
}

/** An authenticator app that shows each code once: the next one comes with the next half minute. */
export function authenticator(secret: string, clock: StoppedTime): { readonly secret: string; code(): string } {
  let shown: string | undefined;
  return {
    secret,
    code() {
      let code = totp(secret, clock.now());
      while (code === shown) {
        clock.pass({ seconds: 30 });
        code = totp(secret, clock.now());
      }
      shown = code;
      return code;
    },
  };
}

/** *Reset Password (Lupa Password)*, from the RESET menu to the success notice. */
export async function activate(
  tab: Tab,
  { site, clock, who }: { site: TestSite; clock: StoppedTime; who: Someone },
): Promise<Shown> {
  await tab.press(/^Reset Password \(Lupa Password\)/);
  await tab.type({ username: who.nip, captcha: CAPTCHA });
  await tab.press('Check');
  clock.pass({ seconds: 1 });
  await tab.type({ email: who.email });
  await tab.press('Kirim');
  const mail = await site.mailbox.next(who.email, clock.now());
  await tab.type({ code: codeIn(mail.text), new_password: PASSWORD, confirm_password: PASSWORD });
  return tab.press('Reset Password');
}

/** To another part of the account: a tab where there is room for all, and an entry of the menu on a phone. */
export async function goToPart(tab: Tab, part: string): Promise<Shown> {
  const menu = tab.page.locator('.tabs summary');
  if (await menu.isVisible()) await menu.click();
  return tab.press(WORDS.id(`account.tabs.${part}`));
}

/** Types name and password on the login page. */
export async function login(tab: Tab, who: Someone, password = PASSWORD): Promise<Shown> {
  await tab.type({ username: who.nip, password });
  return tab.press('LOGIN');
}

/** The key as the person reads it, in groups of four. */
export const readKey = async (tab: Tab): Promise<string> =>
  (await tab.page.locator('.secret').innerText()).replace(/\s/g, '');

/** Saves the recovery codes as a file and reads them there. */
export async function downloadCodes(tab: Tab): Promise<string[]> {
  const [download] = await Promise.all([
    tab.page.waitForEvent('download'),
    tab.page.locator('a[href$=".txt"]').click(),
  ]);
  const text = await readFile(await download.path(), 'utf8');
  return text.match(/\b[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}\b/g) ?? [];
}
