import { PASSWORD } from '../journeys/steps.js';
import type { Tab } from '../support/chromium.js';
import type { TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { activate, authenticator, login, readKey, WORDS, type Someone } from './steps.js';

/** Activates somebody new, enrols *Ponsel kerja* and ends on the launcher. Answers the person's authenticator. */
export async function signInOnTour(
  tab: Tab,
  { site, clock, who }: { site: TestSite; clock: StoppedTime; who: Someone },
): Promise<ReturnType<typeof authenticator>> {
  const t = WORDS.id;
  await tab.open('/reset');
  await activate(tab, { site, clock, who });
  await tab.press('LOGIN');
  await login(tab, who, PASSWORD);
  const phone = authenticator(await readKey(tab), clock);
  await tab.type({ otp: phone.code(), device_name: 'Ponsel kerja' });
  await tab.press('Submit');
  await tab.page.locator('#saved').check();
  await tab.press(t('signIn.codes.continue', { service: 'ASN Digital' }));
  return phone;
}
