import type { KeyedDigest } from '../../security/digests.js';

/** How long a device waits for its person, and how long between two of its questions (RFC 8628 section 3.2). */
export const DEVICE_CODE_SECONDS = 600;
export const POLL_SECONDS = 5;

/** As src/device-login/user-codes.ts reads them. */
export const USER_CODES = { charset: 'base-20', mask: '****-****' } as const;

/** How a user code is kept: it could be guessed from a plain digest. */
export const userCodeDigest = (keyed: KeyedDigest, code: string): Buffer => keyed('device user code', code);

// The code that the device redeems is in its memory alone. Where a person is asked about it, the provider holds it by the
// user code instead, in this form; nothing redeems that.
const BY_USER = 'user:';
export const byUserCode = (code: string): string => `${BY_USER}${code}`;

/** The user code in an id that stands for one. */
export const userCodeIn = (id: string): string | undefined =>
  id.startsWith(BY_USER) ? id.slice(BY_USER.length) : undefined;
