import { secondsUntil, type Clock } from '../kernel/clock.js';
import { Refusal } from '../kernel/refusal.js';
import { readBody } from '../web/form.js';
import type { PageContext } from '../web/request.js';
import type { ApiRoute, Route } from '../web/route-table.js';
import { admitPerson, identifyCaller, type AdminPerson, type AdmissionCode, type Denied } from './admission.js';
import type { AdminCaller, AdminTokens } from './admin-tokens.js';
import { parseJson, type InputError } from './json-request.js';
import { MFA_RESET_REQUEST } from './mfa-reset-request.js';
import type { MfaReset, OfficersAnswer, OfficersOrder } from './mfa-reset.js';

export interface AdminRouteParts {
  readonly tokens: AdminTokens;
  readonly mfaReset: MfaReset;
  /** Host, with its port, of ADMIN_ORIGIN: anywhere else there is no admin API. */
  readonly adminHost: string;
  readonly clock: Clock;
}

const ROOT = '/api/admin';

interface Problem {
  readonly status: number;
  readonly code: AdmissionCode | 'not_found' | 'throttled' | 'invalid_input' | 'idempotency_key_reused';
  readonly errors?: readonly InputError[];
}

/** RFC 9457, in the form of the error boundary. Nothing in it comes from the request. */
function answerProblem(ctx: PageContext, { status, code, errors }: Problem): void {
  ctx.status = status;
  ctx.body = JSON.stringify({ type: 'about:blank', title: code, status, code, errors });
  ctx.type = 'application/problem+json';
}

interface AdminRoute {
  readonly method: ApiRoute['method'];
  readonly path: string;
  readonly scope: string;
  /** Writes the audit row of a call that was refused before its handler saw it. */
  readonly refused: (ctx: PageContext, caller: AdminCaller, cause: string) => Promise<void>;
  readonly handle: (ctx: PageContext, person: AdminPerson) => Promise<void>;
}

/** What the body and its headers ask for, or what is wrong with a body that could be read. */
type Sent =
  | { readonly kind: 'read'; readonly order: Omit<OfficersOrder, 'officer' | 'accountId' | 'requestId'> }
  | { readonly kind: 'refused'; readonly status: 400 | 422; readonly errors: readonly InputError[] };

/** Two headers of this name would arrive joined by a comma and a space. */
const IDEMPOTENCY_KEY = /^[!-~]{1,255}$/;

function idempotencyKeyOf(ctx: PageContext): string | undefined {
  const key = ctx.req.headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && IDEMPOTENCY_KEY.test(key))) return key;
  throw new Refusal('invalid_input', { status: 400, reason: 'malformed idempotency key' });
}

async function readMfaReset(ctx: PageContext): Promise<Sent> {
  const idempotencyKey = idempotencyKeyOf(ctx);
  if (ctx.is('application/json') === false) throw new Refusal('invalid_input', { status: 415, reason: 'not JSON' });
  const parsed = parseJson(await readBody(ctx.req), MFA_RESET_REQUEST);
  if (parsed.kind === 'refused') return parsed;
  const { reason, ticket, verification } = parsed.body;
  if (verification.method === 'presence') {
    const errors = [{ pointer: '#/verification/method', detail: 'not supported yet' }];
    return { kind: 'refused', status: 422, errors };
  }
  return { kind: 'read', order: { reason, ticket, method: verification.method, idempotencyKey } };
}

function answer(ctx: PageContext, outcome: OfficersAnswer, now: Date): void {
  switch (outcome.kind) {
    case 'done':
      ctx.body = { status: 'done' };
      return;
    case 'not_found':
      answerProblem(ctx, { status: 404, code: 'not_found' });
      return;
    case 'forbidden':
      answerProblem(ctx, { status: 403, code: 'forbidden' });
      return;
    case 'throttled':
      ctx.set('Retry-After', String(Math.max(1, secondsUntil(now, outcome.until))));
      answerProblem(ctx, { status: 429, code: 'throttled' });
      return;
    case 'key_reused':
      answerProblem(ctx, { status: 422, code: 'idempotency_key_reused' });
  }
}

const targetOf = (ctx: PageContext): string => (ctx.params as { id: string }).id;

/** The admin API. What lies below it and is not here is 401 for strangers and 404 for everybody else. */
export function adminRoutes({ tokens, mfaReset, adminHost, clock }: AdminRouteParts): Route[] {
  const deny = (ctx: PageContext, { status, code, challenge }: Denied): void => {
    if (challenge !== undefined) ctx.set('WWW-Authenticate', challenge);
    answerProblem(ctx, { status, code });
  };

  /** The caller, or undefined when the answer is given. */
  const identify = async (ctx: PageContext): Promise<AdminCaller | undefined> => {
    if (ctx.host !== adminHost) throw new Refusal('not_found');
    const identified = await identifyCaller(ctx.req.headers.authorization, tokens);
    if (identified.kind === 'denied') {
      deny(ctx, identified);
      return undefined;
    }
    const { caller } = identified;
    if (caller.accountId !== undefined) ctx.state.accountId = caller.accountId;
    return caller;
  };

  /** Host, token, scope and freshness come first, whatever the call. */
  const fenced = ({ method, path, scope, refused, handle }: AdminRoute): ApiRoute => ({
    method,
    path: `${ROOT}/v1${path}`,
    access: 'bearer',
    async handle(ctx) {
      const caller = await identify(ctx);
      if (caller === undefined) return;
      const admission = admitPerson(caller, { scope, now: clock.now() });
      if (admission.kind === 'admitted') {
        await handle(ctx, admission.person);
      } else {
        await refused(ctx, caller, admission.code);
        deny(ctx, admission);
      }
    },
  });

  const unknown = (method: ApiRoute['method']): ApiRoute => ({
    method,
    path: `${ROOT}{/*rest}`,
    access: 'bearer',
    async handle(ctx) {
      if ((await identify(ctx)) !== undefined) answerProblem(ctx, { status: 404, code: 'not_found' });
    },
  });

  const refusedReset = (
    ctx: PageContext,
    { accountId, clientId }: Pick<AdminCaller, 'accountId' | 'clientId'>,
    cause: string,
  ): Promise<void> =>
    mfaReset.recordRefusal({
      cause,
      actorId: accountId,
      clientId,
      accountId: targetOf(ctx),
      requestId: ctx.state.requestId,
    });

  return [
    fenced({
      method: 'POST',
      path: '/accounts/:id/mfa-reset',
      scope: 'accounts:mfa-reset',
      refused: refusedReset,
      async handle(ctx, officer) {
        const sent = await readMfaReset(ctx).catch(async (error: unknown) => {
          if (error instanceof Refusal) await refusedReset(ctx, officer, 'invalid_input');
          throw error;
        });
        if (sent.kind === 'refused') {
          await refusedReset(ctx, officer, 'invalid_input');
          answerProblem(ctx, { status: sent.status, code: 'invalid_input', errors: sent.errors });
          return;
        }
        const requestId = ctx.state.requestId;
        const order = { ...sent.order, officer, accountId: targetOf(ctx), requestId };
        answer(ctx, await mfaReset.byOfficer(order), clock.now());
      },
    }),
    unknown('GET'),
    unknown('POST'),
    unknown('DELETE'),
  ];
}
