import { generateSecret, generateSync, generateURI } from 'otplib';
import { sameBytes } from '../security/digests.js';

/** RFC 6238: SHA-1, six digits, steps of 30 seconds; what every authenticator app can do. */
export const STEP_SECONDS = 30;

/** Steps accepted either side of the current one: 90 seconds in all, a documented deviation (ADR 0010). */
const WINDOW = 1;

/** The step a moment lies in. */
export const stepAt = (at: Date): number => Math.floor(at.getTime() / 1000 / STEP_SECONDS);

/** 160 random bits as 32 base32 characters (RFC 4226 section 4, R6). */
export const newSecret = (): string => generateSecret();

/** The address a phone opens as an authenticator entry. The label must not hold a whole NIP. */
export const enrolmentUri = (entry: { secret: string; issuer: string; label: string }): string => generateURI(entry);

/** Six digits, spaces between them forgiven; undefined for anything else, so that nothing malformed gets further. */
export function normaliseOtp(typed: string): string | undefined {
  if (typed.length > 64) return undefined;
  const digits = typed.normalize('NFKC').replace(/[\s-]/g, '');
  return /^[0-9]{6}$/.test(digits) ? digits : undefined;
}

const matches = (secret: string, step: number, otp: string): boolean =>
  sameBytes(Buffer.from(generateSync({ secret, epoch: step * STEP_SECONDS })), Buffer.from(otp));

/** The step within the window that a code belongs to; the latest, if two happen to share it. */
export function matchStep(secret: string, otp: string, now: Date): number | undefined {
  const current = stepAt(now);
  for (let step = current + WINDOW; step >= current - WINDOW; step -= 1) {
    if (matches(secret, step, otp)) return step;
  }
  return undefined;
}

/**
 * The step outside the window, at most `reachSteps` away, that a code belongs to: about `expectedOffset` from now where
 * it fits there, else the nearest one. Six digits fit some other step once in a few thousand codes.
 */
export function findStrayStep(
  secret: string,
  otp: string,
  at: { now: Date; reachSteps: number; expectedOffset?: number | undefined },
): number | undefined {
  const current = stepAt(at.now);
  const expected = current + (at.expectedOffset ?? 0);
  for (const step of at.expectedOffset === undefined ? [] : [expected, expected - 1, expected + 1]) {
    if (Math.abs(step - current) > WINDOW && matches(secret, step, otp)) return step;
  }
  for (let away = WINDOW + 1; away <= at.reachSteps; away += 1) {
    if (matches(secret, current - away, otp)) return current - away;
    if (matches(secret, current + away, otp)) return current + away;
  }
  return undefined;
}
