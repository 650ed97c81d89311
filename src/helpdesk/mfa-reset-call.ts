import { z } from 'zod';
import { answer, defineCall, type Call } from './api/call.js';
import { MFA_RESET_REQUEST } from './mfa-reset-request.js';
import type { MfaReset } from './mfa-reset.js';

const DONE = z.object({ status: z.literal('done') }).describe('The second factors have ended; the person enrols anew.');

/** `POST /accounts/{id}/mfa-reset`. */
export const mfaResetCall = (mfaReset: MfaReset): Call =>
  defineCall({
    method: 'POST',
    path: '/accounts/{id}/mfa-reset',
    action: 'mfa_reset',
    summary: 'End all second factors of a person whose identity was checked',
    scope: 'accounts:mfa-reset',
    callers: 'person',
    kind: 'write',
    body: MFA_RESET_REQUEST,
    answers: { 200: DONE },
    problems: ['not_found', 'forbidden', 'throttled', 'idempotency_key_reused'],
    async handle({ caller, params, body: { reason, ticket, verification }, repeatable, requestId }) {
      const outcome = await mfaReset.byOfficer({
        officer: caller,
        accountId: params.id,
        reason,
        ticket,
        method: verification.method,
        idempotencyKey: repeatable.key,
        requestId,
      });
      switch (outcome.kind) {
        case 'done':
          return answer(200, { status: 'done' });
        case 'key_reused':
          return { problem: 'idempotency_key_reused' };
        case 'throttled':
          return { problem: 'throttled', until: outcome.until };
        case 'not_found':
        case 'forbidden':
          return { problem: outcome.kind };
      }
    },
  });
