import { z } from 'zod';
import type { Verification } from './acts/act.js';

/** Text that people write: no control characters but line breaks and tabs, nothing PostgreSQL cannot hold. */
const isPlain = (text: string): boolean => text.isWellFormed() && !/[^\P{Cc}\n\r\t]/u.test(text);

const plainText = (minLength: number, maxLength: number) =>
  z.string().trim().min(minLength).max(maxLength).refine(isPlain);

/** Why: kept with the act, never in the audit trail. */
export const REASON = plainText(3, 500);

/** Of the agency's own register of requests. */
export const TICKET = plainText(1, 64);

/** An agency's code, known or not. */
export const AGENCY = z.string().min(1).max(64).refine(isPlain);

/** How identity was checked. */
const VERIFICATION = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('photo_id') }),
  z.strictObject({ method: z.literal('presence'), presence_code: z.string().min(1).max(32) }),
]);

/** The body of `POST /accounts/{id}/mfa-reset` (docs/CONTRACT); nothing else may stand in it. */
export const RESET_REQUEST = z.strictObject({ reason: REASON, ticket: TICKET, verification: VERIFICATION });

export const verificationOf = (sent: z.output<typeof VERIFICATION>): Verification =>
  sent.method === 'presence' ? { method: 'presence', code: sent.presence_code } : { method: sent.method };
