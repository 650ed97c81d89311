/** What a request tells of who sits there, before anything is proved. */
export interface Visitor {
  /** The random id in the browser's cookie. */
  readonly browserId: string;
  /** The address as far as it is believed. */
  readonly address: string;
  /** The cookie of accounts that logged in fully in this browser. */
  readonly knownBrowser: string | undefined;
  /** What kind of browser, as people call it; empty where it does not tell. Anybody may pretend to be another. */
  readonly agent: { readonly browser: string; readonly system: string };
  /** The language that mails to the person are written in. */
  readonly locale: 'id' | 'en';
  readonly requestId: string;
}

/** What the audit trail keeps of who sat there: {@link Visitor} is one. */
export type Trace = Pick<Visitor, 'requestId' | 'agent'>;
