import { z } from 'zod';
import { answer, defineCall, type Asked, type Call } from '../api/call.js';
import type { Problem } from '../api/problem.js';
import type { ClientAnswer, ClientAsked, ClientDesk, FieldProblem } from './client-desk.js';
import type { ClientLine, ClientView } from '../../clients/client-view.js';

const TIME = z.iso.datetime();
const STATE = z
  .enum(['in_use', 'waiting', 'disabled', 'refused'])
  .describe(
    '`waiting`: it registered itself, and nobody logs in by it until it is enabled. `refused`: the rules of today do not accept its registration, and nobody logs in by it.',
  );
const SOURCE = z
  .enum(['file', 'command', 'console', 'registration'])
  .describe('Where it came from: CLIENTS_FILE, `sso-asn clients add`, the console or this API, dynamic registration.');

const LINE = z.object({
  client_id: z.string(),
  client_name: z.string(),
  source: SOURCE,
  token_endpoint_auth_method: z.string(),
  state: STATE,
  last_used_at: TIME.nullable().describe('To the minute.'),
  errors_last_hour: z.int().describe('How many different things it was refused.'),
});

const ERROR = z.object({
  endpoint: z.string(),
  error: z.string().describe('Of OAuth, as the client was told it.'),
  detail: z.string().describe('The reason in the words of the provider; may be empty.'),
  first_at: TIME,
  last_at: TIME,
  times: z.int(),
  request_ids: z.array(z.string()).describe('Of the last twenty, the latest first; error pages show them.'),
});

const FIELD = z.object({ field: z.string(), problem: z.string() });

const CLIENT = LINE.omit({ errors_last_hour: true }).extend({
  created_at: TIME,
  changed_at: TIME,
  disabled_at: TIME.nullable(),
  registration: z.record(z.string(), z.unknown()).describe('As it was written: what is missing has its default.'),
  problems: z.array(FIELD).describe('Of a registration that is refused.'),
  weaknesses: z
    .array(z.object({ field: z.string(), warning: z.string() }))
    .describe('Where it is weaker than need be.'),
  secrets: z
    .array(z.object({ created_at: TIME, expires_at: TIME.nullable() }))
    .describe('When each `client_secret` that it may use was made; the newest first. Never a secret.'),
  last_errors: z.array(ERROR).describe('Of the last seven days, the latest first.'),
});

const SECRET = z
  .string()
  .optional()
  .describe('One that was just made, told this once: a call that is repeated with its key has none.');
const CHANGED = z.object({ client: CLIENT, client_secret: SECRET });

const BODY = z
  .record(z.string(), z.unknown())
  .describe('A registration with the names of CLIENTS_FILE: docs/clients.md.');

const timeOf = (at: Date | undefined): string | null => at?.toISOString() ?? null;

const basics = (client: ClientLine | ClientView) => ({
  client_id: client.clientId,
  client_name: client.name,
  source: client.source,
  token_endpoint_auth_method: client.authentication,
  state: client.state,
  last_used_at: timeOf(client.lastUsedAt),
});

const lineBody = (line: ClientLine) => ({ ...basics(line), errors_last_hour: line.errorsLastHour });

const clientBody = (client: ClientView) => ({
  ...basics(client),
  created_at: client.createdAt.toISOString(),
  changed_at: client.changedAt.toISOString(),
  disabled_at: timeOf(client.disabledAt),
  registration: client.written as Record<string, unknown>,
  problems: [...client.problems],
  weaknesses: [...client.weaknesses],
  secrets: client.secrets.map(({ createdAt, expiresAt }) => ({
    created_at: createdAt.toISOString(),
    expires_at: timeOf(expiresAt),
  })),
  last_errors: client.errors.map((error) => ({
    endpoint: error.endpoint,
    error: error.error,
    detail: error.detail,
    first_at: error.firstAt.toISOString(),
    last_at: error.lastAt.toISOString(),
    times: error.times,
    request_ids: [...error.requestIds],
  })),
});

/** RFC 6901, as a URI fragment. */
const pointerOf = (field: string): string =>
  `#${field
    .split('.')
    .filter((part) => part !== '')
    .map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('')}`;

const conflict = (pointer: string, detail: string): Problem<'conflict'> => ({
  problem: 'conflict',
  errors: [{ pointer, detail }],
});

type NotDone = Exclude<ClientAnswer, { readonly kind: 'done' }>;

function problemOf(refusal: NotDone) {
  switch (refusal.kind) {
    case 'refused':
      return {
        problem: 'invalid_input' as const,
        status: 422,
        errors: refusal.problems.map(({ field, problem }: FieldProblem) => ({
          pointer: pointerOf(field),
          detail: problem,
        })),
      };
    case 'taken':
      return conflict('#/client_id', 'is registered already');
    case 'of_file':
      return conflict('#', 'stands in CLIENTS_FILE: change it there');
    case 'already':
      return conflict('#', 'it is so already');
    case 'no_secret':
      return conflict('#', 'proves itself without a shared secret');
    case 'key_reused':
      return { problem: 'idempotency_key_reused' as const };
    case 'forbidden':
    case 'not_found':
      return { problem: refusal.kind };
  }
}

const PROBLEMS = ['not_found', 'forbidden', 'conflict', 'idempotency_key_reused'] as const;

const askedOf = ({
  caller,
  repeatable,
  requestId,
}: Pick<Asked<'person', unknown, unknown, unknown>, 'caller' | 'repeatable' | 'requestId'>): ClientAsked => ({
  caller: { accountId: caller.accountId, clientId: caller.clientId },
  repeatable,
  trace: { requestId },
});

const changed = (done: ClientAnswer) =>
  done.kind === 'done' ? answer(200, { client: clientBody(done.client), client_secret: done.secret }) : problemOf(done);

/** Relying parties, for operators: `/clients` and what is below it (ADR 0031). */
export function clientCalls(desk: ClientDesk): readonly Call[] {
  const write = { scope: 'clients:write', callers: 'person', kind: 'write', problems: PROBLEMS } as const;
  const read = { method: 'GET', scope: 'clients:write', callers: 'person', kind: 'read' } as const;

  const switching = (action: 'disable' | 'enable', summary: string) =>
    defineCall({
      ...write,
      method: 'POST',
      path: `/clients/{client_id}/${action}`,
      action: `clients.${action}`,
      summary,
      answers: { 200: CHANGED },
      handle: async ({ params, ...asked }) => changed(await desk[action](askedOf(asked), params.client_id)),
    });

  return [
    defineCall({
      ...read,
      path: '/clients',
      action: 'clients.list',
      summary: 'All relying parties, those of CLIENTS_FILE first; for operators, as everything below',
      answers: { 200: z.object({ clients: z.array(LINE) }) },
      problems: ['forbidden'],
      async handle(asked) {
        const listed = await desk.list(askedOf(asked));
        return listed.kind === 'listed'
          ? answer(200, { clients: listed.clients.map(lineBody) })
          : { problem: 'forbidden' };
      },
    }),
    defineCall({
      ...read,
      path: '/clients/{client_id}',
      action: 'clients.show',
      summary: 'One of them: its registration, what it is weak in, when it was used, what it was refused',
      answers: { 200: CLIENT },
      problems: ['forbidden', 'not_found'],
      async handle({ params, ...asked }) {
        const found = await desk.find(askedOf(asked), params.client_id);
        return found.kind === 'found' ? answer(200, clientBody(found.client)) : { problem: found.kind };
      },
    }),
    defineCall({
      ...write,
      method: 'POST',
      path: '/clients',
      action: 'clients.register',
      summary: 'Register a relying party; running programs follow within ten seconds',
      body: BODY,
      answers: { 201: CHANGED },
      async handle({ body, ...asked }) {
        const done = await desk.register(askedOf(asked), body);
        return done.kind === 'done'
          ? answer(201, { client: clientBody(done.client), client_secret: done.secret })
          : problemOf(done);
      },
    }),
    defineCall({
      ...write,
      method: 'PUT',
      path: '/clients/{client_id}',
      action: 'clients.replace',
      summary: 'Put another registration in its place; not of one that stands in CLIENTS_FILE',
      body: BODY,
      answers: { 200: CHANGED },
      handle: async ({ params, body, ...asked }) => changed(await desk.replace(askedOf(asked), params.client_id, body)),
    }),
    switching('disable', 'Nobody logs in by it any more, and its grants and tokens end for good'),
    switching('enable', 'Let people log in by it again'),
    defineCall({
      ...write,
      method: 'POST',
      path: '/clients/{client_id}/rotate-secret',
      action: 'clients.rotate_secret',
      summary: 'Make a new client_secret; the one before goes on for a while',
      body: z.strictObject({
        overlap_hours: z
          .number()
          .min(0)
          .max(720)
          .default(24)
          .describe('How long the one before goes on; 0 ends it now.'),
      }),
      answers: { 200: CHANGED.extend({ former_until: TIME }) },
      async handle({ params, body, ...asked }) {
        const overlapSeconds = Math.round(body.overlap_hours * 3600);
        const done = await desk.rotateSecret(askedOf(asked), params.client_id, overlapSeconds);
        if (done.kind !== 'done') return problemOf(done);
        const former_until = (done.formerUntil ?? done.client.changedAt).toISOString();
        return answer(200, { client: clientBody(done.client), client_secret: done.secret, former_until });
      },
    }),
  ];
}
