/** From this many failures on, the next try comes `waitSeconds` after the last; the highest step reached counts. */
export interface WaitStep {
  readonly fromFailures: number;
  readonly waitSeconds: number;
}

/** How failures of one kind of authenticator are answered. */
export interface FailurePolicy {
  readonly scope: string;
  readonly waits: readonly WaitStep[];
  /** At most so many failures in any such span, whatever success lies between them. */
  readonly window?: { readonly limit: number; readonly seconds: number };
  /** At this many in a row the authenticator is to be disabled (NIST SP 800-63B-4 section 3.2.2: at most 100). */
  readonly disableAt?: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** five are free; then 30 s, 5 min, 1 h. 100 in a row take more than 52 hours. */
const PASSWORD_WAITS: readonly WaitStep[] = [
  { fromFailures: 5, waitSeconds: 30 },
  { fromFailures: 20, waitSeconds: 5 * MINUTE },
  { fromFailures: 50, waitSeconds: HOUR },
];

/** every fifth costs a quarter of an hour. */
const OTP_WAITS: readonly WaitStep[] = Array.from({ length: 10 }, (_, index) => 5 * (index + 1)).flatMap((fifth) => [
  { fromFailures: fifth, waitSeconds: 15 * MINUTE },
  { fromFailures: fifth + 1, waitSeconds: 0 },
]);

/** Passwords typed in browsers we do not know, by the canonical name typed, existing or not. */
export const PASSWORD_FAILURES: FailurePolicy = { scope: 'password', waits: PASSWORD_WAITS, disableAt: 100 };

/** Second-factor codes, by account: counts wherever an OTP is checked (A13). */
export const OTP_FAILURES: FailurePolicy = {
  scope: 'otp',
  waits: OTP_WAITS,
  window: { limit: 10, seconds: HOUR },
  disableAt: 50,
};

/**
 * Passwords typed in a browser that this person has used before, by account and browser: its own budget of ten,
 * without waits, so that strangers cannot lock the person out. `waiting` means that the budget is used up:
 * count the browser as unknown.
 */
export const TRUSTED_BROWSER_FAILURES: FailurePolicy = {
  scope: 'trusted-browser',
  waits: [{ fromFailures: 10, waitSeconds: 30 * DAY }],
};

/**
 * Codes of activation slips, by name and address: strangers elsewhere cannot make the owner wait. They are too long to be
 * guessed; the waits are for who tries names.
 */
export const SLIP_FAILURES: FailurePolicy = { scope: 'activation-slip', waits: PASSWORD_WAITS };

/** At most `limit` of something in any span of `windowSeconds`. */
export interface Quota {
  readonly scope: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** mails cannot flood a person, and one source cannot use up what the owner needs. */
export const MAIL_QUOTAS = {
  accountFromSource: { scope: 'mail-account-source', limit: 3, windowSeconds: HOUR },
  accountFromSourceDay: { scope: 'mail-account-source-day', limit: 6, windowSeconds: DAY },
  accountHour: { scope: 'mail-account-hour', limit: 6, windowSeconds: HOUR },
  accountDay: { scope: 'mail-account-day', limit: 20, windowSeconds: DAY },
  address: { scope: 'mail-address', limit: 300, windowSeconds: HOUR },
  knownBrowserHour: { scope: 'mail-known-browser-hour', limit: 3, windowSeconds: HOUR },
  knownBrowserDay: { scope: 'mail-known-browser-day', limit: 6, windowSeconds: DAY },
} satisfies Record<string, Quota>;

/** Wrong user codes of devices (RFC 8628 section 5.1): from one browser, and from an address, which may be a whole office's. */
export const USER_CODE_QUOTAS = {
  browser: { scope: 'user-code-browser', limit: 10, windowSeconds: HOUR },
  address: { scope: 'user-code-address', limit: 60, windowSeconds: HOUR },
} satisfies Record<string, Quota>;

/** Wrong codes of slips from one address, which may be that of a whole office. */
export const SLIP_QUOTA: Quota = { scope: 'slip-address', limit: 300, windowSeconds: HOUR };

/**
 * What one address may make the provider keep for people who have not said who they are: begun logins, pushed
 * requests of clients without a secret, waiting devices. A whole office may log in at eight behind one address.
 */
export const STRANGER_QUOTAS = {
  login: { scope: 'begun-login', limit: 600, windowSeconds: MINUTE },
  pushed: { scope: 'pushed-request', limit: 600, windowSeconds: MINUTE },
  device: { scope: 'waiting-device', limit: 120, windowSeconds: MINUTE },
} satisfies Record<string, Quota>;
