import { z } from 'zod';

/** Text that people write: no control characters but line breaks and tabs, nothing PostgreSQL cannot hold. */
const isPlain = (text: string): boolean => text.isWellFormed() && !/[^\P{Cc}\n\r\t]/u.test(text);

const plainText = (minLength: number, maxLength: number) =>
  z.string().trim().min(minLength).max(maxLength).refine(isPlain);

/** Why: kept with the reset, never in the audit trail. */
export const RESET_REASON = plainText(3, 500);

/** Of the agency's own register of requests. */
const TICKET = plainText(1, 64);

/** How identity was checked. */
const VERIFICATION = z.discriminatedUnion('method', [z.strictObject({ method: z.literal('photo_id') })]);

/** The body of `POST /accounts/{id}/mfa-reset` (docs/CONTRACT); nothing else may stand in it. */
export const MFA_RESET_REQUEST = z.strictObject({ reason: RESET_REASON, ticket: TICKET, verification: VERIFICATION });
