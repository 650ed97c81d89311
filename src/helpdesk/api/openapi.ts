import { z } from 'zod';
import type { Call, Callers } from './call.js';
import { PROBLEM_DOCUMENT, PROBLEMS, type ProblemCode } from './problem.js';

export interface DocumentParts {
  readonly calls: readonly Call[];
  /** Where the API is, e.g. `https://admin.sso.asn.example/api/admin/v1`. */
  readonly server: string;
  /** Of the OpenID provider whose tokens it takes. */
  readonly issuer: string;
}

type Json = Record<string, unknown>;

/** The draft that OpenAPI 3.1 is written in; the dialect is named once, for the whole document. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const json = z.toJSONSchema(schema, { io, target: 'draft-2020-12', reused: 'inline' }) as Json;
  delete json.$schema;
  return json;
}

const PROBLEM = { $ref: '#/components/schemas/Problem' };

/** What every call may meet, whatever it does. */
const ALWAYS: readonly ProblemCode[] = ['invalid_token', 'insufficient_scope', 'invalid_input'];

const WHO: Readonly<Record<Callers, string>> = {
  person: 'For people.',
  service: 'For services.',
  both: 'For people and services.',
};

function problemCodesOf({ callers, method, problems }: Call): ReadonlySet<ProblemCode> {
  return new Set([
    ...ALWAYS,
    ...(callers === 'service' ? [] : (['insufficient_user_authentication'] as const)),
    ...(callers === 'both' ? [] : (['forbidden'] as const)),
    ...(method === 'POST' ? (['idempotency_key_reused'] as const) : []),
    ...problems,
  ]);
}

/** `invalid_input` comes with four statuses; every other code with its own. */
const statusesOf = (call: Call, code: ProblemCode): readonly number[] => {
  if (code !== 'invalid_input') return [PROBLEMS[code].status];
  if (call.body !== undefined || call.file !== undefined) return [400, 413, 415, 422];
  return call.query === undefined ? [400] : [400, 422];
};

const HEADERS: Readonly<Partial<Record<number, Json>>> = {
  401: {
    'WWW-Authenticate': {
      description:
        'A `Bearer` challenge (RFC 6750). With `error="insufficient_user_authentication"` it names the `acr_values` and, for writes, the `max_age` to log in anew with (RFC 9470 section 3).',
      schema: { type: 'string' },
    },
  },
  429: { 'Retry-After': { description: 'Seconds until there is room.', schema: { type: 'integer', minimum: 1 } } },
};

function problemResponses(call: Call): Json {
  const told = new Map<number, ProblemCode[]>();
  for (const code of problemCodesOf(call)) {
    for (const status of statusesOf(call, code)) told.set(status, [...(told.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...told].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].means}`).join('\n\n'),
        ...(HEADERS[status] === undefined ? {} : { headers: HEADERS[status] }),
        content: { 'application/problem+json': { schema: PROBLEM } },
      },
    ]),
  );
}

const fileResponses = ({ files }: Call): Json =>
  files === undefined
    ? {}
    : {
        200: {
          description: Object.values(files).join('\n\n'),
          content: Object.fromEntries(Object.keys(files).map((type) => [type, { schema: { type: 'string' } }])),
        },
      };

const answerResponses = (call: Call): Json => ({
  ...fileResponses(call),
  ...Object.fromEntries(
    Object.entries(call.answers).map(([status, schema]) => [
      status,
      {
        description: schema.description ?? 'As asked.',
        content: { 'application/json': { schema: schemaOf(schema, 'output') } },
      },
    ]),
  ),
});

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A call that is repeated with the same key within a day has one effect and the same answer; with the same key and another request it is 422.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]{1,255}$' },
};

function parametersOf({ path, method, query, headers = {} }: Call): readonly Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !(schema as z.ZodType).safeParse(undefined).success,
    ...((schema as z.ZodType).description === undefined ? {} : { description: (schema as z.ZodType).description }),
    schema: schemaOf(schema as z.ZodType, 'input'),
  }));
  const inHeaders = Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  return [...inPath, ...inQuery, ...inHeaders, ...(method === 'POST' ? [IDEMPOTENCY_KEY] : [])];
}

const operationOf = (call: Call): Json => ({
  operationId: call.action,
  summary: call.summary,
  description: `${WHO[call.callers]}${call.kind === 'write' && call.callers !== 'service' ? ' A person needs a second factor of the last five minutes.' : ''}`,
  security: [{ token: [call.scope] }],
  parameters: parametersOf(call),
  ...(call.body === undefined
    ? {}
    : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(call.body, 'input') } } } }),
  ...(call.file === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          description: call.file.description,
          content: { [call.file.type]: { schema: { type: 'string' } } },
        },
      }),
  responses: { ...answerResponses(call), ...problemResponses(call) },
});

/** The API as OpenAPI 3.1, made from the table that routes and validates: what is not in it does not exist. */
export function openApiDocument({ calls, server, issuer }: DocumentParts): Json {
  const paths: Record<string, Json> = {};
  for (const call of calls) {
    paths[call.path] = { ...paths[call.path], [call.method.toLowerCase()]: operationOf(call) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'SSO ASN admin API',
      version: '1',
      description:
        'For helpdesks, agency administrators, operators and auditors. What a caller may do is their role and agency at that moment, never what the token says; out of scope and unknown are the same 404. Lists go on with `cursor`, taken from the answer before: it is opaque, and belongs to the same request.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: server }],
    paths,
    components: {
      schemas: { Problem: schemaOf(PROBLEM_DOCUMENT, 'output') },
      securitySchemes: {
        token: {
          type: 'openIdConnect',
          description: `An access token for the resource \`${server.replace(/\/v1$/, '')}\` (RFC 8707), as a bearer token. Opaque: it is looked up at every call.`,
          openIdConnectUrl: `${issuer}/.well-known/openid-configuration`,
        },
      },
    },
  };
}
