import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { ADMIN, ISSUER, startAdminApi, type AdminApi, type Answer } from './admin-api.js';
import { addOfficer, addPerson, now, plantAgencies } from './people.js';
import { resetParts, type ResetParts } from './reset-parts.js';

/**
 * The document and the API are made from one table: these tests read the document as a stranger would, and hold the API
 * to it, so that they cover a call from the moment it stands in the table.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly { readonly token: readonly string[] }[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: Schema }> }>;
}
interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
}

let db: Database & TestDatabase;
let parts: ResetParts;
let api: AdminApi;
let document: Document;
let officer: AccountId;
let person: AccountId;
let caller: AdminCaller;

const ROOT = '/api/admin/v1';
const read = (headers: Record<string, string> = {}, host = ADMIN): Promise<Answer> =>
  api.send({ method: 'GET', path: `${ROOT}/openapi.json`, headers, host });

beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
  api = await startAdminApi(parts);
  await plantAgencies(db);
  [officer, person] = [await addOfficer(db), await addPerson(db)];
  document = (await read()).body as Document;
});
afterAll(async () => {
  await api.stop();
  await db.drop();
});
beforeEach(() => {
  caller = {
    clientId: 'console',
    accountId: officer,
    scopes: new Set(['accounts:read', 'accounts:write', 'accounts:mfa-reset', 'audit:read', 'clients:write']),
    authenticatedAt: secondsAfter(now, -60),
    acr: 'urn:asn:aal2',
    agency: undefined,
  };
  api.tokens.clear();
  api.tokens.set('good', caller);
});

interface Told extends Operation {
  readonly method: string;
  readonly template: string;
}
const operations = (): Told[] =>
  Object.entries(document.paths).flatMap(([template, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), template })),
  );
const pathOf = ({ template }: Told): string => `${ROOT}${template.replaceAll(/\{\w+\}/g, person)}`;

interface Sent {
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
  readonly query?: string;
}
const call = (told: Told, { headers = {}, body, query = '' }: Sent = {}): Promise<Answer> =>
  api.send({
    method: told.method,
    path: `${pathOf(told)}${query}`,
    headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...headers },
    // A GET or DELETE has no body: what is sent with one would be taken for the next request.
    ...(body === undefined || (told.method !== 'POST' && told.method !== 'PUT') ? {} : { body }),
  });

const codeOf = ({ body }: Answer): unknown => (body as { code?: unknown }).code;

/** The document speaks of this answer, in this form. */
function expectTold({ operationId, responses }: Told, { status, headers, body: sent }: Answer): void {
  const body = sent as { readonly code?: unknown; readonly title?: unknown };
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  expect([operationId, Object.keys(responses)]).toEqual([operationId, expect.arrayContaining([String(status)])]);
  expect([operationId, Object.keys(responses[status]?.content ?? {})]).toEqual([operationId, [type]]);
  if (type === 'application/problem+json') {
    expect(body).toMatchObject({ type: 'about:blank', status });
    expect([body.code, body.title].every((text) => typeof text === 'string')).toBe(true);
  }
}

it('is for everybody, on the admin host only', async () => {
  expect(await read()).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } });
  expect((await read({ authorization: 'Bearer stolen' })).status).toBe(200);
  expect((await read({}, ISSUER)).status).toBe(404);
});

it('names what a client needs to know', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.servers).toEqual([{ url: `http://${ADMIN}${ROOT}` }]);
  const ids = operations().map(({ operationId }) => operationId);
  expect(ids.length).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { operationId, summary, template, parameters, security } of operations()) {
    expect([operationId, summary]).toEqual([operationId, expect.stringMatching(/\w{3}/)]);
    expect([operationId, security]).toEqual([operationId, [{ token: [expect.stringMatching(/^\w+:[\w-]+$/)] }]]);
    const named = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named);
  }
});

it('refers to nothing that is not in it', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '');
  expect(refs.length).toBeGreaterThan(0);
  for (const ref of new Set(refs)) {
    expect(ref).toMatch(/^#\//);
    const found = ref
      .slice(2)
      .split('/')
      .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document);
    expect([ref, typeof found]).toEqual([ref, 'object']);
  }
});

it('every operation exists, and asks for a token first', async () => {
  for (const told of operations()) {
    const answer = await call(told, { headers: { authorization: '' }, body: '{' });
    expect([told.operationId, answer.status, codeOf(answer)]).toEqual([told.operationId, 401, 'invalid_token']);
    expectTold(told, answer);
  }
});

it('every operation wants its scope, and two factors; a write, fresh ones', async () => {
  for (const told of operations()) {
    const { operationId, security, method } = told;
    api.tokens.set('good', { ...caller, scopes: new Set() });
    const scopeless = await call(told);
    expect([operationId, scopeless.status, codeOf(scopeless)]).toEqual([operationId, 403, 'insufficient_scope']);
    expect(scopeless.headers['www-authenticate']).toContain(`scope="${security[0]?.token[0]}"`);
    expectTold(told, scopeless);
    api.tokens.set('good', { ...caller, acr: 'urn:asn:aal1' });
    const weak = await call(told);
    expect([operationId, codeOf(weak)]).toEqual([
      operationId,
      expect.stringMatching(/^(insufficient_user_authentication|forbidden)$/),
    ]);
    expectTold(told, weak);
    api.tokens.set('good', { ...caller, authenticatedAt: secondsAfter(now, -301) });
    const stale = await call(told, { body: '{' });
    if (method === 'DELETE') expect([operationId, stale.status]).toEqual([operationId, 401]);
    expectTold(told, stale);
  }
});

it('every body that is not as it is told is refused as it is told', async () => {
  for (const told of operations()) {
    const schema = told.requestBody?.content['application/json']?.schema;
    if (schema === undefined) continue;
    const bodies: [string, Sent, number[]][] = [
      ['no JSON', { body: '{' }, [400]],
      ['a list', { body: '[]' }, [400, 422]],
      ['a member too many', { body: '{"surprise":1}' }, [400, 422]],
      ['a form', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, [415]],
      ['too much', { body: JSON.stringify({ reason: 'x'.repeat(17_000) }) }, [413]],
    ];
    // A registration is an object of any members: which there are is judged by the call itself.
    const isOpen = typeof schema.additionalProperties === 'object';
    for (const [name, sent, statuses] of bodies) {
      if (isOpen && name === 'a member too many') continue;
      const answer = await call(told, sent);
      expect([told.operationId, name, codeOf(answer), statuses.includes(answer.status)]).toEqual([
        told.operationId,
        name,
        'invalid_input',
        true,
      ]);
      expectTold(told, answer);
    }
  }
});

it('every query that is not as it is told is refused as it is told', async () => {
  for (const told of operations()) {
    const inQuery = told.parameters.filter((parameter) => parameter.in === 'query');
    if (inQuery.length === 0) continue;
    const [{ name } = { name: '' }] = inQuery;
    for (const query of ['?surprise=1', `?${name}=a&${name}=b`]) {
      const answer = await call(told, { query });
      expect([told.operationId, query, codeOf(answer)]).toEqual([told.operationId, query, 'invalid_input']);
      expectTold(told, answer);
    }
  }
});

it('every POST takes an Idempotency-Key, and refuses one that is none', async () => {
  for (const told of operations().filter(({ method }) => method === 'POST')) {
    expect(told.parameters.map(({ name }) => name)).toContain('Idempotency-Key');
    for (const key of ['', 'a b', 'x'.repeat(256), ['a', 'b']]) {
      const answer = await call(told, { headers: { 'idempotency-key': key }, body: '{}' });
      expect([told.operationId, key, answer.status, codeOf(answer)]).toEqual([
        told.operationId,
        key,
        400,
        'invalid_input',
      ]);
      expect(answer.body).toMatchObject({ errors: [{ parameter: 'Idempotency-Key' }] });
      expectTold(told, answer);
    }
  }
});

it('there is nothing besides what it tells', async () => {
  const told = new Set(operations().map(({ method, template }) => `${method} ${template}`));
  for (const template of Object.keys(document.paths)) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      if (told.has(`${method} ${template}`)) continue;
      const stray = { ...operations()[0], method, template } as Told;
      const answer = await call(stray, method === 'POST' ? { body: '{}' } : {});
      expect([method, template, answer.status]).toEqual([method, template, 404]);
    }
  }
});
