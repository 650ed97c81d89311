import { z } from 'zod';
import { secondsUntil } from '../../kernel/clock.js';
import type { InputError } from './json-input.js';

/** Every code that a problem document may hold, with its usual status and what it says to who reads the OpenAPI document. */
export const PROBLEMS = {
  invalid_token: { status: 401, means: 'There is no token, or it is not alive, or not one for this API.' },
  insufficient_user_authentication: {
    status: 401,
    means:
      'The person must log in anew, as `WWW-Authenticate` tells (RFC 9470): with two factors, for a write just now.',
  },
  insufficient_scope: { status: 403, means: 'The token lacks the scope of this call.' },
  forbidden: { status: 403, means: 'This caller may not do this, whatever the token says.' },
  not_found: { status: 404, means: 'There is no such thing, or it is out of the scope of the caller.' },
  conflict: { status: 409, means: 'Things stand otherwise than this call expects.' },
  invalid_input: { status: 400, means: 'The request is malformed, or a value in it does not do: see `errors`.' },
  idempotency_key_reused: { status: 422, means: 'The `Idempotency-Key` was used for another request.' },
  throttled: { status: 429, means: 'Too many such calls: again after `Retry-After`.' },
} as const satisfies Record<string, { status: number; means: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What a call answers instead of what was asked for. */
export interface Problem<Code extends ProblemCode = ProblemCode> {
  readonly problem: Code;
  /** Where it differs from the usual one: 413, 415 and 422 of `invalid_input`. */
  readonly status?: number;
  readonly errors?: readonly InputError[];
  /** With `throttled`: when there is room again. */
  readonly until?: Date;
  /** For `WWW-Authenticate` (RFC 6750 section 3). */
  readonly challenge?: string | undefined;
}

/** The problem document (RFC 9457), as every error of this API comes. */
export const PROBLEM_DOCUMENT = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable: rely on this one.'),
  errors: z
    .array(
      z.object({
        pointer: z.string().optional().describe('Where in the body (RFC 6901, as a URI fragment).'),
        parameter: z.string().optional().describe('Which parameter or header.'),
        detail: z.string(),
      }),
    )
    .optional(),
});

/** What goes out over HTTP; pieces go out as they come. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<string>;
}

/** Nothing in it comes from the request, but what an operator wrote into a registration. */
export function problemReply({ problem: code, errors, until, challenge, ...own }: Problem, now: Date): Reply {
  const status = own.status ?? PROBLEMS[code].status;
  return {
    status,
    type: 'application/problem+json',
    headers: {
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(until === undefined ? {} : { 'Retry-After': String(Math.max(1, secondsUntil(now, until))) }),
    },
    body: JSON.stringify({ type: 'about:blank', title: code, status, code, errors }),
  };
}
