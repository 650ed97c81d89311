import { parse } from 'bowser';

/** What kind of browser asks, as people call it: `Chrome` on `Android`. Empty where the header does not tell. */
export interface Agent {
  readonly browser: string;
  readonly system: string;
}

/** From a `User-Agent` header, which anybody may write: only for people to recognise their own, never for decisions. */
export function agentOf(userAgent: string): Agent {
  const { browser, os } = parse(userAgent === '' ? '-' : userAgent.slice(0, 300));
  return { browser: browser.name ?? '', system: os.name ?? '' };
}
