import type { z } from 'zod';
import type { AccountId } from '../../kernel/ids.js';
import type { RepeatableCall } from '../idempotency.js';
import type { Problem, ProblemCode } from './problem.js';

/** What a token may be for; the provider hands them out for this API only. */
export type Scope = 'accounts:read' | 'accounts:write' | 'accounts:mfa-reset' | 'audit:read' | 'clients:write';

/** A person whom the token admits. What they may do is another question, asked by the action itself. */
export interface PersonCaller {
  readonly kind: 'person';
  readonly accountId: AccountId;
  readonly clientId: string;
}

/** A service that calls for itself; its registration may bind it to an agency. */
export interface ServiceCaller {
  readonly kind: 'service';
  readonly clientId: string;
  readonly agency: string | undefined;
}

export type Caller = PersonCaller | ServiceCaller;
export type Callers = 'person' | 'service' | 'both';
type CallerOf<Who extends Callers> = Who extends 'person'
  ? PersonCaller
  : Who extends 'service'
    ? ServiceCaller
    : Caller;

/** `{id}` of a path, by name; as the caller wrote them: an id that exists or not, a UUID or not. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParamsOf<Rest>
  : unknown;

type Answers = Readonly<Record<number, z.ZodType>>;
type AnswerOf<A extends Answers> = {
  readonly [Status in keyof A & number]: { readonly status: Status; readonly body: z.input<A[Status]> };
}[keyof A & number];

/** A file as the answer, sent while it is read. */
export interface FileAnswer {
  readonly file: AsyncIterable<string>;
  readonly mediaType: string;
  /** What it is saved as: letters, digits, dots and dashes. */
  readonly name: string;
}

/** What a call is asked, once host, token, scope, freshness and form are in order. */
export interface Asked<Who extends Callers, Params, Query, Body> {
  readonly caller: CallerOf<Who>;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Of a call that takes a file: its bytes, read once. */
  readonly file: AsyncIterable<Buffer>;
  /** The headers that the call names, as they came. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of a POST: what {@link Idempotency} needs to do it once, in the transaction of the use-case. */
  readonly repeatable: RepeatableCall;
  readonly requestId: string;
}

interface CallBase {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it, below `/api/admin/v1`. */
  readonly path: string;
  /** Unique and stable: name of the operation in the OpenAPI document, and of the action in audit rows of refusals. */
  readonly action: string;
  readonly summary: string;
  readonly scope: Scope;
  readonly callers: Callers;
  /** A person's write needs a second factor of the last five minutes; a read, one of the login the token comes from. */
  readonly kind: 'read' | 'write';
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** In place of a body: a file of this type, which may be larger than any body, and which the call reads by itself. */
  readonly file?: { readonly type: string; readonly description: string };
  /** Headers of its own, with what they hold. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What comes back, by status. What the schema does not name never leaves. */
  readonly answers: Answers;
  /** Of a call that answers 200 with a file: its media types, with what it holds. */
  readonly files?: Readonly<Record<string, string>>;
  /** Which problems it answers itself, besides those that every call may meet. */
  readonly problems: readonly ProblemCode[];
}

/** One call of the admin API: routed, fenced, validated, documented from here, and nowhere else (docs/adr/0024). */
export interface Call extends CallBase {
  /** `invalid_input` that it answers is put on record by the fence; every other refusal by its use-case. */
  handle(asked: Asked<Callers, never, never, never>): Promise<CallAnswer>;
}

export type CallAnswer = { readonly status: number; readonly body: unknown } | FileAnswer | Problem;

/** An answer of a handler, its literals kept as such. */
export const answer = <const Status extends number, const Body>(status: Status, body: Body) => ({ status, body });

/** Checks a call's handler against what it says of itself. */
export function defineCall<
  const Path extends string,
  const Who extends Callers,
  const A extends Answers,
  const Code extends ProblemCode,
  Query extends z.ZodObject = z.ZodObject<Record<string, never>>,
  Body extends z.ZodType = z.ZodUndefined,
>(
  call: Omit<CallBase, 'query' | 'body'> & {
    readonly path: Path;
    readonly callers: Who;
    readonly query?: Query;
    readonly body?: Body;
    readonly answers: A;
    readonly problems: readonly Code[];
    handle(
      asked: Asked<Who, ParamsOf<Path>, z.output<Query>, z.output<Body>>,
    ): Promise<AnswerOf<NoInfer<A>> | FileAnswer | Problem<NoInfer<Code> | 'invalid_input'>>;
  },
): Call {
  return call;
}
