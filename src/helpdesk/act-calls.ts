import { z } from 'zod';
import type { ActivationSlips } from '../accounts/activation-slips.js';
import { ROLES } from '../accounts/role.js';
import { AGENCY, REASON, RESET_REQUEST, TICKET, verificationOf } from './act-requests.js';
import { answer, defineCall, type Asked, type Call, type PersonCaller } from './api/call.js';
import type { Problem } from './api/problem.js';
import { ACT_ACTIONS, type ActAction, type ActAnswer, type Order, type Unfit } from './acts/act.js';
import type { Acts } from './acts/acts.js';
import type { Awaited } from './acts/awaited.js';

const DONE = z
  .object({
    status: z.literal('done'),
    act_id: z.uuid(),
    told: z.boolean().optional().describe('False: no e-mail address is on file, so tell the person yourself.'),
    opens_at: z.string().optional().describe('When the new address may be used, ISO 8601.'),
    password_disabled: z.boolean().optional().describe('The person must set a new password by a mailed code.'),
    account_status: z.enum(['active', 'inactive']).optional().describe('What the personnel system says.'),
    grant_id: z.uuid().optional(),
    slip_code: z
      .string()
      .optional()
      .describe('For the person alone: it makes the first password. Until 30 days from now.'),
  })
  .describe('It is done.');
const AWAITING = z
  .object({
    status: z.literal('awaiting_approval'),
    order_id: z.uuid(),
    reset_id: z.uuid().optional().describe('Of `mfa-reset`, and of nothing else: the same id.'),
  })
  .describe('A second officer must agree, within a day.');

const ACT_PROBLEMS = ['not_found', 'forbidden', 'conflict', 'throttled', 'idempotency_key_reused'] as const;

type ActProblem = (typeof ACT_PROBLEMS)[number] | 'invalid_input';

/** What an act answers, in the form of the API. */
function answerOf(outcome: ActAnswer, { codeOf, isReset }: { codeOf: (slipId: string) => string; isReset: boolean }) {
  if (outcome.kind === 'awaiting_approval') {
    const reset_id = isReset ? outcome.actId : undefined;
    return answer(202, { status: 'awaiting_approval', order_id: outcome.actId, reset_id });
  }
  if (outcome.kind !== 'done') return problemOf(outcome);
  const { told, opensAt: opens_at, passwordDisabled: password_disabled, grantId: grant_id } = outcome.outcome;
  const { status: account_status, slipId } = outcome.outcome;
  const slip_code = slipId === undefined ? undefined : codeOf(slipId);
  const body = { told, opens_at, password_disabled, account_status, grant_id, slip_code };
  return answer(200, { status: 'done', act_id: outcome.actId, ...body });
}

/** Where in the body something is that does not fit. */
const AT: Partial<Record<Unfit, string>> = {
  email_invalid: '#/email',
  email_same: '#/email',
  unknown_agency: '#/agency',
  role_needs_agency: '#/agency',
  role_is_national: '#/agency',
};

function problemOf(refusal: Exclude<ActAnswer, { kind: 'done' | 'awaiting_approval' }>): Problem<ActProblem> {
  switch (refusal.kind) {
    case 'key_reused':
      return { problem: 'idempotency_key_reused' };
    case 'throttled':
      return { problem: 'throttled', until: refusal.until };
    case 'awaited_already':
      return { problem: 'conflict', errors: [{ pointer: '#', detail: `waits already: ${refusal.actId}` }] };
    case 'presence_refused': {
      const errors = [{ pointer: '#/verification/presence_code', detail: 'wrong, too old or used' }];
      return { problem: 'invalid_input', status: 422, errors };
    }
    case 'unfit': {
      const pointer = AT[refusal.cause];
      const errors = [{ pointer: pointer ?? '#', detail: refusal.cause }];
      return pointer === undefined
        ? { problem: 'conflict', errors }
        : { problem: 'invalid_input', status: 422, errors };
    }
    case 'not_found':
    case 'forbidden':
      return { problem: refusal.kind };
  }
}

type ById = Pick<
  Asked<'person', { readonly id: string }, unknown, unknown>,
  'caller' | 'params' | 'repeatable' | 'requestId'
>;

const callOf = ({ caller, repeatable, requestId }: Omit<ById, 'params'>) => ({
  caller: { accountId: caller.accountId, clientId: caller.clientId } satisfies Omit<PersonCaller, 'kind'>,
  repeatable,
  trace: { requestId },
});

const GROUNDS = z.strictObject({ reason: REASON, ticket: TICKET.optional() });

/** The calls that do one thing to one account, with nothing but grounds. */
const SIMPLE = [
  ['unlock', '/accounts/{id}/unlock', 'End the waits after wrong passwords and codes'],
  ['disable', '/accounts/{id}/disable', 'Close an account until an officer opens it again'],
  ['enable', '/accounts/{id}/enable', 'Open an account that an officer closed'],
  ['freeze', '/accounts/{id}/freeze', 'Freeze an account that somebody else may be using'],
  ['unfreeze', '/accounts/{id}/unfreeze', 'Lift a freeze; always by two officers'],
  ['sessions_end', '/accounts/{id}/sessions/end', 'End every session and token of a person'],
  ['activation_slip', '/accounts/{id}/activation-slip', 'Make a slip with the code for the first password'],
] as const satisfies readonly (readonly [ActAction, string, string])[];

/** One thing that waits, as the API tells it. */
const ORDER = z.object({
  id: z.uuid(),
  action: z.enum(ACT_ACTIONS),
  account: z.object({ id: z.uuid(), name: z.string() }),
  agency: z.object({ code: z.string(), name: z.string() }),
  officer: z.object({ id: z.uuid(), name: z.string() }),
  reason: z.string(),
  ticket: z.string().optional(),
  verification: z.enum(['photo_id', 'presence']).optional(),
  created_at: z.string(),
  expires_at: z.string(),
  email: z.string().optional().describe('Of `contact_change`: the new address.'),
  role: z.enum(ROLES).optional().describe('Of `role_grant`.'),
  role_agency: z.string().optional(),
  may_decide: z.boolean().describe('Whether this caller may approve it.'),
});

/** Nobody agrees blindly: with what the act would do. */
const toldOrder = ({ createdAt, expiresAt, mayDecide, particulars, ...order }: Awaited) => ({
  ...order,
  email: particulars.email,
  role: particulars.role,
  role_agency: particulars.agency,
  created_at: createdAt.toISOString(),
  expires_at: expiresAt.toISOString(),
  may_decide: mayDecide,
});

export interface ActCallParts {
  readonly acts: Acts;
  readonly slips: Pick<ActivationSlips, 'codeOf'>;
}

/** What officers do, over the API: each call gives one order and tells what came of it (docs/adr/0019). */
export function actCalls({ acts, slips }: ActCallParts): readonly Call[] {
  const told = (outcome: ActAnswer, action?: ActAction) =>
    answerOf(outcome, { codeOf: (slipId) => slips.codeOf(slipId), isReset: action === 'mfa_reset' });
  const perform = async (asked: ById, order: Order) =>
    told(await acts.perform({ ...callOf(asked), accountId: asked.params.id, order }), order.action);
  const common = {
    method: 'POST',
    scope: 'accounts:write',
    callers: 'person',
    kind: 'write',
    answers: { 200: DONE, 202: AWAITING },
    problems: ACT_PROBLEMS,
  } as const;

  const approve = (path: '/mfa-resets/{reset_id}/approve' | '/orders/{order_id}/approve', action: string) =>
    defineCall({
      ...common,
      path,
      action,
      scope: action === 'mfa_reset.approve' ? 'accounts:mfa-reset' : 'accounts:write',
      summary: 'Agree, as the second officer, to what another asked for',
      answers: { 200: DONE },
      async handle({ params, ...asked }) {
        const { reset_id, order_id } = params as { reset_id?: string; order_id?: string };
        const outcome = told(
          await acts.approve({
            ...callOf(asked),
            actId: reset_id ?? order_id ?? '',
            covers: (act) => (act === 'mfa_reset') === (action === 'mfa_reset.approve'),
          }),
        );
        if ('body' in outcome && outcome.status === 202) throw new Error('an approval cannot wait');
        return outcome;
      },
    });

  return [
    defineCall({
      ...common,
      path: '/accounts/{id}/mfa-reset',
      action: 'mfa_reset',
      scope: 'accounts:mfa-reset',
      summary: 'End all second factors of a person whose identity was checked',
      body: RESET_REQUEST,
      handle: ({ body: { verification, ...grounds }, ...asked }) =>
        perform(asked, { action: 'mfa_reset', ...grounds, verification: verificationOf(verification) }),
    }),
    ...SIMPLE.map(([action, path, summary]) =>
      defineCall({
        ...common,
        path,
        action,
        summary,
        body: GROUNDS,
        handle: ({ body, ...asked }) => perform(asked, { action, ...body }),
      }),
    ),
    defineCall({
      ...common,
      path: '/accounts/{id}/contact-change',
      action: 'contact_change',
      summary: 'Enter a new e-mail address for a person who cannot; it must prove itself after a wait',
      body: GROUNDS.extend({ email: z.string().min(3).max(254) }),
      handle: ({ body, ...asked }) => perform(asked, { action: 'contact_change', ...body }),
    }),
    approve('/mfa-resets/{reset_id}/approve', 'mfa_reset.approve'),
    approve('/orders/{order_id}/approve', 'orders.approve'),
    defineCall({
      ...common,
      path: '/orders/{order_id}/reject',
      action: 'orders.reject',
      summary: 'Turn down what another officer asked for, or take back what one asked for oneself',
      answers: { 200: z.object({ status: z.literal('rejected') }) },
      async handle({ params, ...asked }) {
        const outcome = await acts.reject({ ...callOf(asked), actId: params.order_id });
        return outcome.kind === 'rejected' ? answer(200, { status: 'rejected' }) : problemOf(outcome);
      },
    }),
    defineCall({
      method: 'GET',
      path: '/orders',
      action: 'orders.list',
      summary: 'What waits for a second officer, within the scope of the caller',
      scope: 'accounts:read',
      callers: 'person',
      kind: 'read',
      answers: { 200: z.object({ orders: z.array(ORDER) }) },
      problems: [],
      async handle({ caller, requestId }) {
        return answer(200, { orders: (await acts.list({ caller, trace: { requestId } })).map(toldOrder) });
      },
    }),
    defineCall({
      ...common,
      path: '/roles',
      action: 'role_grant',
      summary: 'Give a person a role within one’s own scope',
      body: z.strictObject({
        account_id: z.string().max(64),
        role: z.enum(ROLES),
        agency: AGENCY.optional(),
        reason: REASON,
      }),
      async handle({ body: { account_id, ...order }, ...asked }) {
        return told(
          await acts.perform({ ...callOf(asked), accountId: account_id, order: { action: 'role_grant', ...order } }),
        );
      },
    }),
    defineCall({
      ...common,
      method: 'DELETE',
      path: '/roles/{grant_id}',
      action: 'role_revoke',
      summary: 'Take a role away; the change counts at once',
      async handle({ params, ...asked }) {
        // A DELETE has no body, and an address is no place for what people write.
        const reason = 'Dicabut lewat API admin';
        return told(await acts.dismiss({ ...callOf(asked), grantId: params.grant_id, reason }));
      },
    }),
  ];
}
