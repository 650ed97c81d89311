import type { Clock } from '../../kernel/clock.js';
import { Refusal } from '../../kernel/refusal.js';
import type { AdminCaller, AdminTokens } from '../admin-tokens.js';
import { admit, identifyCaller } from './admission.js';
import type { Refused } from '../refusals.js';
import type { Call, CallAnswer } from './call.js';
import { parseJson, parseQuery, type InputError, type Parsed } from './json-input.js';
import { problemReply, type Problem, type Reply } from './problem.js';

/** A request as the fence looks at it, one thing after the other. */
export interface ApiRequest {
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | readonly string[] | undefined;
  readonly isJson: boolean;
  /** Whether the body is of this type. */
  readonly isOf: (type: string) => boolean;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  /** Throws a {@link Refusal} for one that is too large or no text. */
  readonly readBody: () => Promise<string>;
  /** The body as it comes, of any size. Breaks off with a {@link Refusal}. */
  readonly file: AsyncIterable<Buffer>;
}

export interface PerformParts {
  readonly tokens: AdminTokens;
  /** Writes the audit row of a call that was refused before its use-case saw it. */
  readonly recordRefusal: (refused: Refused) => Promise<void>;
  readonly clock: Clock;
}

/** Two headers of this name would arrive joined by a comma and a space. */
const IDEMPOTENCY_KEY = /^[!-~]{1,255}$/;

const malformed = (status: number, ...errors: readonly InputError[]): Problem => ({
  problem: 'invalid_input',
  status,
  ...(errors.length === 0 ? {} : { errors }),
});

interface Input {
  readonly query: unknown;
  readonly body: unknown;
  readonly key: string | undefined;
}

const isProblem = (read: object): read is Problem => 'problem' in read;

const orProblem = <Value>(parsed: Parsed<Value>): { readonly value: Value } | Problem =>
  parsed.kind === 'read' ? parsed : malformed(parsed.status, ...parsed.errors);

async function readBodyOf(
  { body: schema, file }: Call,
  request: ApiRequest,
): Promise<{ readonly value: unknown } | Problem> {
  if (file !== undefined && !request.isOf(file.type)) return malformed(415);
  if (schema === undefined) return { value: undefined };
  if (!request.isJson) return malformed(415);
  try {
    return orProblem(parseJson(await request.readBody(), schema));
  } catch (error) {
    if (error instanceof Refusal) return malformed(error.status);
    throw error;
  }
}

/** All that was sent, or the first thing that is wrong with it. */
async function readInput(call: Call, request: ApiRequest): Promise<Input | Problem> {
  const { idempotencyKey: key } = request;
  const isKey = key === undefined || (typeof key === 'string' && IDEMPOTENCY_KEY.test(key));
  if (call.method === 'POST' && !isKey) {
    return malformed(400, { parameter: 'Idempotency-Key', detail: 'not 1 to 255 visible characters' });
  }
  const query = call.query === undefined ? { value: {} } : orProblem(parseQuery(request.query, call.query));
  if (isProblem(query)) return query;
  const body = await readBodyOf(call, request);
  if (isProblem(body)) return body;
  return {
    query: query.value,
    body: body.value,
    key: call.method === 'POST' && typeof key === 'string' ? key : undefined,
  };
}

/** A body by the schema that the OpenAPI document shows: what that does not name stays here. */
function reply(call: Call, answer: CallAnswer, now: Date): Reply {
  if (isProblem(answer)) return problemReply(answer, now);
  if ('file' in answer) {
    const { file, mediaType, name } = answer;
    if (call.files?.[mediaType] === undefined) throw new Error(`${call.action} does not document ${mediaType}`);
    const headers = { 'Content-Disposition': `attachment; filename="${name}"` };
    return { status: 200, type: mediaType, headers, body: file };
  }
  const schema = call.answers[answer.status];
  if (schema === undefined) throw new Error(`${call.action} answers ${answer.status}, which it does not document`);
  return {
    status: answer.status,
    type: 'application/json',
    headers: {},
    body: JSON.stringify(schema.parse(answer.body)),
  };
}

const textOf = (header: unknown): string | undefined => (typeof header === 'string' ? header : undefined);

/** What a call answers; a file that breaks off on its way is malformed. */
async function handled(call: Call, asked: object): Promise<CallAnswer> {
  try {
    return await call.handle(asked as never);
  } catch (error) {
    if (call.file !== undefined && error instanceof Refusal) return malformed(error.status);
    throw error;
  }
}

/** Who calls: known as soon as the token was looked at, for the log. */
type OnCaller = (caller: AdminCaller) => void;

/** Token, scope, freshness and form, in this order; then the call. */
export function createPerform({ tokens, recordRefusal, clock }: PerformParts) {
  /** Only whose token it is: for what is no call of ours. */
  async function identify(
    request: Pick<ApiRequest, 'authorization'>,
    onCaller: OnCaller,
  ): Promise<AdminCaller | Problem> {
    const identified = await identifyCaller(request.authorization, tokens);
    if (identified.kind === 'denied') return identified;
    onCaller(identified.caller);
    return identified.caller;
  }

  return {
    async unknown(request: Pick<ApiRequest, 'authorization'>, onCaller: OnCaller): Promise<Reply> {
      const caller = await identify(request, onCaller);
      return problemReply(isProblem(caller) ? caller : { problem: 'not_found' }, clock.now());
    },

    async call(call: Call, request: ApiRequest, onCaller: OnCaller): Promise<Reply> {
      const token = await identify(request, onCaller);
      if (isProblem(token)) return problemReply(token, clock.now());
      const { accountId: actorId, clientId } = token;
      const { params, requestId } = request;
      const refuse = async (problem: Problem): Promise<Reply> => {
        const { action } = call;
        await recordRefusal({
          action,
          cause: problem.problem,
          actorId,
          clientId,
          accountId: params.id,
          trace: { requestId },
        });
        return problemReply(problem, clock.now());
      };

      const admission = admit(token, call, clock.now());
      if (admission.kind === 'denied') return refuse(admission);
      const input = await readInput(call, request);
      if (isProblem(input)) return refuse(input);
      const { query, body, key } = input;
      const repeatable = {
        caller: `${clientId} ${actorId ?? ''}`,
        key,
        request: JSON.stringify([call.action, params, body]),
      };
      const headers = Object.fromEntries(
        Object.keys(call.headers ?? {}).map((name) => [name, textOf(request.headers[name.toLowerCase()])]),
      );
      const { file } = request;
      const asked = { caller: admission.caller, params, query, body, file, headers, repeatable, requestId };
      const answer = await handled(call, asked);
      if (isProblem(answer) && answer.problem === 'invalid_input') return refuse(answer);
      return reply(call, answer, clock.now());
    },
  };
}
