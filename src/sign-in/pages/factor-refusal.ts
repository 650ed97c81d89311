import { Refusal } from '../../kernel/refusal.js';
import type { Metrics } from '../../metrics/metrics.js';
import type { PageError } from '../../web/pages.js';
import type { PageContext } from '../../web/request.js';
import type { FactorAnswer } from '../factor-answer.js';
import type { Walk } from './walk.js';

/** What a page that takes a second factor tells when it was refused. */
export interface Refused {
  readonly error: PageError;
  readonly status: number;
}

export interface FactorRefusals {
  /** Undefined when it was accepted or belongs elsewhere. Counts it in the metrics. */
  of(ctx: PageContext, answer: FactorAnswer): Refused | undefined;
  /** Too many wrong codes: nobody looks at one until then. */
  throttled(ctx: PageContext, until: Date): Refused;
}

export function createFactorRefusals(parts: { walk: Walk; metrics: Pick<Metrics, 'otp'> }): FactorRefusals {
  const { walk, metrics } = parts;
  const throttled = (ctx: PageContext, until: Date): Refused => ({
    status: 429,
    error: { code: 'throttled', limit: 'codes', retryAfterSeconds: walk.retryAfter(ctx, until) },
  });
  return {
    throttled,
    of(ctx, answer) {
      switch (answer.kind) {
        case 'accepted':
          metrics.otp('accepted');
          return undefined;
        case 'elsewhere':
          return undefined;
        case 'throttled':
          metrics.otp('throttled');
          return throttled(ctx, answer.until);
        case 'clock_drift':
          metrics.otp('clock_drift');
          return { status: 422, error: { code: 'clock_drift', driftMinutes: answer.minutes } };
        case 'disabled':
          throw new Refusal('flow_expired', { reason: 'authenticator disabled' });
        case 'otp_invalid':
          metrics.otp(answer.kind);
          return { status: 422, error: { code: answer.kind, again: answer.again } };
        case 'passkey_invalid':
          metrics.otp(answer.kind);
          return { status: 422, error: { code: answer.kind, isUnknown: answer.isUnknown } };
        case 'otp_reused':
          metrics.otp(answer.kind);
          return { status: 422, error: { code: answer.kind } };
      }
    },
  };
}
