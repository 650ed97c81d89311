import { BROWSER_MAP, OS_MAP, parse } from 'bowser';

/** What kind of browser asks, as people call it: `Chrome` on `Android`. Empty where the header does not tell. */
export interface Agent {
  readonly browser: string;
  readonly system: string;
}

/** A header may call itself anything, a NIP too; what is written down is one of the names that everybody knows. */
const knownAmong = (map: Readonly<Record<string, string>>): ((name: string | undefined) => string) => {
  const names = new Set(Object.values(map));
  return (name = '') => (names.has(name) ? name : '');
};
const knownBrowser = knownAmong(BROWSER_MAP);
const knownSystem = knownAmong(OS_MAP);

/** From a `User-Agent` header, which anybody may write: only for people to recognise their own, never for decisions. */
export function agentOf(userAgent: string): Agent {
  const { browser, os } = parse(userAgent === '' ? '-' : userAgent.slice(0, 300));
  return { browser: knownBrowser(browser.name), system: knownSystem(os.name) };
}
