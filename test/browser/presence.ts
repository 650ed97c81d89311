import type { Tab } from '../support/chromium.js';
import { WORDS } from './steps.js';

/** What a person who sits before an officer has on the screen. */
export interface PresenceShown {
  readonly code: string;
  /** The number that the officer reads back. */
  readonly counter: string;
}

/** From the page for the one-time code to the presence code. */
export async function showPresence(tab: Tab): Promise<PresenceShown> {
  const t = WORDS.id;
  await tab.press(t('signIn.presence.offer'));
  await tab.press(t('signIn.presence.show'));
  const attribute = async (name: string): Promise<string> =>
    (await tab.page.locator(`[${name}]`).getAttribute(name)) ?? '';
  return { code: await attribute('data-presence-code'), counter: await attribute('data-counter-code') };
}
