import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { ADMIN, ISSUER, startAdminApi, type AdminApi, type Answer, type Call } from './admin-api.js';
import { addOfficer, addPerson, now, plantAgencies } from './people.js';
import { auditOf, epochOf, resetParts, type ResetParts } from './reset-parts.js';

let db: Database & TestDatabase;
let parts: ResetParts;
let api: AdminApi;
let officer: AccountId;
let person: AccountId;
let caller: AdminCaller;
/** What the officer sends who was shown the code of the person. */
let presentBody: string;

beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
  api = await startAdminApi(parts);
  await plantAgencies(db);
});
afterAll(async () => {
  await api.stop();
  await db.drop();
});
beforeEach(async () => {
  await db.query('TRUNCATE audit_events, quotas, idempotency_keys, officer_acts');
  [officer, person] = [await addOfficer(db), await addPerson(db)];
  caller = {
    clientId: 'console',
    accountId: officer,
    scopes: new Set(['accounts:read', 'accounts:mfa-reset']),
    authenticatedAt: secondsAfter(now, -60),
    acr: 'urn:asn:aal2',
    agency: undefined,
  };
  api.tokens.clear();
  api.tokens.set('good', caller);
  presentBody = await present(person);
});

const BODY = { reason: 'Ponsel hilang', ticket: 'HD-2026-0117', verification: { method: 'photo_id' } };
const JSON_BODY = JSON.stringify(BODY);
const present = async (id: AccountId): Promise<string> => {
  const presence_code = await parts.present(id);
  await db.query('TRUNCATE audit_events');
  return JSON.stringify({ ...BODY, verification: { method: 'presence', presence_code } });
};
const resetPath = (id: string): string => `/api/admin/v1/accounts/${id}/mfa-reset`;

const post = ({ headers = {}, ...call }: Partial<Call> = {}): Promise<Answer> =>
  api.send({
    path: resetPath(person),
    body: presentBody,
    ...call,
    headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...headers },
  });

const problem = (status: number, code: string): Record<string, unknown> => ({
  status,
  body: { type: 'about:blank', title: code, status, code },
  headers: { 'content-type': 'application/problem+json' },
});

const refusals = async (): Promise<unknown[]> =>
  (await auditOf(db, 'desk.refused')).map((row) => (row.detail as { cause: string }).cause);

describe('POST /api/admin/v1/accounts/:id/mfa-reset', () => {
  it('resets and says so', async () => {
    const answer = await post();
    expect(answer).toMatchObject({ status: 200, body: { status: 'done' } });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await epochOf(db, person)).toBe(1);
    expect(await auditOf(db, 'mfa_reset.done')).toMatchObject([
      { account_id: person, actor_id: officer, request_id: answer.headers['x-request-id'] },
    ]);
  });

  it('exists on the admin origin only (R-58)', async () => {
    for (const path of [resetPath(person), '/api/admin/v1/roles', '/api/admin']) {
      for (const authorization of ['Bearer good', '']) {
        const answer = await post({ host: ISSUER, path, headers: { authorization } });
        expect(answer).toMatchObject(problem(404, 'not_found'));
        expect(answer.headers['www-authenticate']).toBeUndefined();
      }
    }
    expect(await epochOf(db, person)).toBe(0);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['no token', {}, /^Bearer realm="admin"$/],
    ['another scheme', { authorization: 'Basic Zm9vOmJhcg==' }, /^Bearer realm="admin"$/],
    ['no token after the scheme', { authorization: 'Bearer' }, /error="invalid_token"/],
    ['an unknown token', { authorization: 'Bearer stolen' }, /error="invalid_token"/],
    ['two tokens', { authorization: 'Bearer good, Bearer good' }, /error="invalid_token"/],
    ['bytes that are no token', { authorization: 'Bearer go"od' }, /error="invalid_token"/],
  ])('asks for a token before it looks at anything: %s', async (_, headers, challenge) => {
    for (const call of [
      { path: resetPath(person), body: JSON_BODY },
      { path: resetPath(person), body: '{' },
      { path: resetPath('nobody'), body: 'x'.repeat(20_000) },
      { path: '/api/admin/v1/roles' },
      { path: '/api/admin', method: 'GET' },
      { path: '/api/admin/v1/accounts/x', method: 'DELETE' },
    ]) {
      const answer = await api.send({ ...call, headers });
      expect(answer).toMatchObject(problem(401, 'invalid_token'));
      expect(answer.headers['www-authenticate']).toMatch(challenge);
    }
    expect(await db.query('SELECT FROM audit_events')).toEqual([]);
  });

  it('takes a token in the Authorization header only', async () => {
    const path = `${resetPath(person)}?access_token=good`;
    expect(await api.send({ path, headers: { 'content-type': 'application/json' }, body: JSON_BODY })).toMatchObject(
      problem(401, 'invalid_token'),
    );
  });

  const STEP_UP =
    'Bearer realm="admin", error="insufficient_user_authentication", acr_values="urn:asn:aal2 phr", max_age="300"';

  it.each<[string, () => Partial<AdminCaller>, number, string, string | undefined]>([
    [
      'another scope',
      () => ({ scopes: new Set(['accounts:read', 'accounts:mfa-reset-all']) }),
      403,
      'insufficient_scope',
      'Bearer realm="admin", error="insufficient_scope", scope="accounts:mfa-reset"',
    ],
    ['a service', () => ({ accountId: undefined, acr: undefined }), 403, 'forbidden', undefined],
    [
      'an authentication older than five minutes',
      () => ({ authenticatedAt: secondsAfter(now, -301) }),
      401,
      'insufficient_user_authentication',
      STEP_UP,
    ],
    [
      'an authentication of unknown age',
      () => ({ authenticatedAt: undefined }),
      401,
      'insufficient_user_authentication',
      STEP_UP,
    ],
    ['one factor', () => ({ acr: 'urn:asn:aal1' }), 401, 'insufficient_user_authentication', STEP_UP],
    ['factors nobody knows', () => ({ acr: undefined }), 401, 'insufficient_user_authentication', STEP_UP],
  ])('refuses a token of %s, and records it', async (_, change, status, code, challenge) => {
    api.tokens.set('good', { ...caller, ...change() });
    const answer = await post({ body: '{' });
    expect(answer).toMatchObject(problem(status, code));
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(await auditOf(db, 'desk.refused')).toEqual([
      expect.objectContaining({
        account_id: person,
        actor_id: change().accountId === undefined && 'accountId' in change() ? null : officer,
        client_id: 'console',
        request_id: answer.headers['x-request-id'],
        detail: { action: 'mfa_reset', cause: code },
      }),
    ]);
    expect(await epochOf(db, person)).toBe(0);
  });

  it.each<[string, Partial<AdminCaller>]>([
    ['exactly five minutes old', { authenticatedAt: secondsAfter(now, -300) }],
    ['phishing-resistant', { acr: 'phr' }],
  ])('accepts an authentication that is %s', async (_, change) => {
    api.tokens.set('good', { ...caller, ...change });
    expect(await post()).toMatchObject({ status: 200 });
  });

  it('answers alike for accounts out of scope and unknown ones, and records both', async () => {
    const stranger = await addPerson(db, { place: 'sibling' });
    const answers = [];
    for (const id of [stranger, '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10', 'x', '%27%3B', '199001012023211001']) {
      const answer = await post({ path: resetPath(id) });
      expect(answer).toMatchObject(problem(404, 'not_found'));
      answers.push(JSON.stringify([answer.body, Object.keys(answer.headers)]));
    }
    expect(new Set(answers).size).toBe(1);
    expect(await refusals()).toEqual(['out_of_scope', 'unknown', 'unknown', 'unknown', 'unknown']);
    expect(await epochOf(db, stranger)).toBe(0);
  });

  it('waits for a second officer after a look at a document, or for an officer', async () => {
    const waits = { status: 202, body: { status: 'awaiting_approval', reset_id: expect.any(String) as string } };
    expect(await post({ body: JSON_BODY })).toMatchObject(waits);
    expect(await post({ body: JSON_BODY })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const colleague = await addOfficer(db);
    expect(await post({ path: resetPath(colleague), body: await present(colleague) })).toMatchObject(waits);
    expect(await epochOf(db, person)).toBe(0);
  });

  it('tells of an account within reach that is not theirs to act on', async () => {
    for (const id of [await addOfficer(db, 'auditor'), officer]) {
      expect(await post({ path: resetPath(id) })).toMatchObject(problem(403, 'forbidden'));
    }
    expect(await refusals()).toEqual(['above', 'self']);
  });

  it('says where a presence code is wrong, and counts it', async () => {
    const verification = { method: 'presence', presence_code: '00000000' };
    const answer = await post({ body: JSON.stringify({ ...BODY, verification }) });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_input' } });
    expect(JSON.stringify(answer.body)).toContain('#/verification/presence_code');
    expect(await refusals()).toEqual(['presence', 'invalid_input']);
    expect(await epochOf(db, person)).toBe(0);
  });

  it('says when there are places again', async () => {
    for (let time = 0; time < 20; time += 1) {
      expect((await post({ path: resetPath(await addPerson(db)), body: JSON_BODY })).status).toBe(202);
    }
    const answer = await post();
    expect(answer).toMatchObject(problem(429, 'throttled'));
    expect(answer.headers['retry-after']).toBe('3600');
    expect(await refusals()).toEqual(['throttled']);
  });
});

describe('the body', () => {
  const big = { ...BODY, reason: 'x'.repeat(17_000) };
  const json = (value: unknown): string => JSON.stringify(value);
  const without = (name: keyof typeof BODY): string => json({ ...BODY, [name]: undefined });

  it.each<[string, string | Buffer, number, string | undefined]>([
    ['empty', '', 400, '#'],
    ['not JSON', '{"reason":', 400, '#'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 400, undefined],
    ['a form', 'reason=a&ticket=b', 400, '#'],
    ['null', 'null', 400, '#'],
    ['a list', json([BODY]), 400, '#'],
    ['a string', json(json(BODY)), 400, '#'],
    ['nested beyond reason', '['.repeat(16_000), 400, '#'],
    ['without a reason', without('reason'), 400, '#/reason'],
    ['without a ticket', without('ticket'), 400, '#/ticket'],
    ['without a verification', without('verification'), 400, '#/verification'],
    ['a number for the reason', json({ ...BODY, reason: 12345 }), 400, '#/reason'],
    ['a list for the reason', json({ ...BODY, reason: ['Ponsel hilang'] }), 400, '#/reason'],
    ['an object for the ticket', json({ ...BODY, ticket: { $ne: '' } }), 400, '#/ticket'],
    ['an agency', json({ ...BODY, agency_id: 'OWN' }), 400, '#'],
    ['another account', json({ ...BODY, id: '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10' }), 400, '#'],
    [
      'a prototype',
      '{"__proto__":{"x":1},"reason":"Ponsel hilang","ticket":"1","verification":{"method":"photo_id"}}',
      400,
      '#',
    ],
    ['a constructor', json({ ...BODY, constructor: { prototype: { x: 1 } } }), 400, '#'],
    [
      'more in the verification',
      json({ ...BODY, verification: { method: 'photo_id', by: 'x' } }),
      400,
      '#/verification',
    ],
    [
      'a presence code for a photo',
      json({ ...BODY, verification: { method: 'photo_id', presence_code: '1' } }),
      400,
      '#/verification',
    ],
    ['a short reason', json({ ...BODY, reason: ' ab ' }), 422, '#/reason'],
    ['a long reason', json({ ...BODY, reason: 'x'.repeat(501) }), 422, '#/reason'],
    ['a reason with a NUL', json({ ...BODY, reason: 'Ponsel\u0000hilang' }), 422, '#/reason'],
    [
      'a reason with half a character',
      '{"reason":"Ponsel \\ud800","ticket":"1","verification":{"method":"photo_id"}}',
      422,
      '#/reason',
    ],
    ['a blank ticket', json({ ...BODY, ticket: '  ' }), 422, '#/ticket'],
    ['a long ticket', json({ ...BODY, ticket: 'x'.repeat(65) }), 422, '#/ticket'],
    [
      'presence without a code',
      json({ ...BODY, verification: { method: 'presence' } }),
      400,
      '#/verification/presence_code',
    ],
    ['another verification', json({ ...BODY, verification: { method: 'by_phone' } }), 422, '#/verification/method'],
    [
      'the verification of the server',
      json({ ...BODY, verification: { method: 'operator' } }),
      422,
      '#/verification/method',
    ],
    ['too large', json(big), 413, undefined],
  ])('is refused and that is recorded: %s', async (_, body, status, pointer) => {
    const answer = await post({ body });
    expect(answer).toMatchObject(problem(status, 'invalid_input'));
    if (pointer !== undefined) {
      const { errors } = answer.body as { errors: { pointer: string; detail: string }[] };
      expect(errors.map((error) => error.pointer)).toContain(pointer);
      expect(JSON.stringify(errors)).not.toMatch(/agency_id|by_phone|Ponsel|0c7e5a3e/);
    }
    expect(await refusals()).toEqual(['invalid_input']);
    expect(await epochOf(db, person)).toBe(0);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('is refused when it grows too large on the way', async () => {
    const answer = await post({ body: JSON.stringify(big), headers: { 'transfer-encoding': 'chunked' } });
    expect(answer).toMatchObject(problem(413, 'invalid_input'));
    expect(await refusals()).toEqual(['invalid_input']);
  });

  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['application/x-www-form-urlencoded', 415],
    ['text/plain', 415],
    ['multipart/form-data; boundary=x', 415],
    ['', 415],
  ])('comes as %s: %i', async (type, status) => {
    expect(await post({ headers: { 'content-type': type } })).toMatchObject({ status });
    expect(await refusals()).toEqual(status === 200 ? [] : ['invalid_input']);
  });

  it('keeps line breaks of a reason, trimmed', async () => {
    expect(await post({ body: json({ ...BODY, reason: ' Ponsel hilang.\nKTP diperiksa.\t\n' }) })).toMatchObject({
      status: 202,
    });
    expect(await db.query('SELECT reason FROM officer_acts WHERE account_id = $1', [person])).toEqual([
      { reason: 'Ponsel hilang.\nKTP diperiksa.' },
    ]);
  });
});

describe('Idempotency-Key', () => {
  const keyed = (key: string | string[], call: Partial<Call> = {}): Promise<Answer> =>
    post({ ...call, headers: { 'idempotency-key': key } });

  it('gives 16 calls at once the same answer and one effect', async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => keyed('a3f1')));
    const told = answers.map(({ status, body }) => ({ status, body }));
    expect(told[0]).toMatchObject({ status: 200, body: { status: 'done' } });
    expect(told).toEqual(Array(16).fill(told[0]));
    expect(await epochOf(db, person)).toBe(1);
  });

  it('takes the same request however its JSON is written', async () => {
    await keyed('a3f1');
    const { reason, ticket, verification } = JSON.parse(presentBody) as typeof BODY;
    const other = JSON.stringify({ verification, ticket, reason: ` ${reason} ` }, undefined, 2);
    expect(await keyed('a3f1', { body: other })).toMatchObject({ status: 200, body: { status: 'done' } });
    expect(await epochOf(db, person)).toBe(1);
  });

  it('is refused for another body', async () => {
    await keyed('a3f1');
    const other = JSON.stringify({ ...(JSON.parse(presentBody) as object), ticket: 'HD-2026-0118' });
    const answer = await keyed('a3f1', { body: other });
    expect(answer).toMatchObject(problem(422, 'idempotency_key_reused'));
    expect(await epochOf(db, person)).toBe(1);
  });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
    ['with a space', 'a b'],
    ['sent twice', ['a3f1', 'b4e2']],
  ])('is refused when it is %s', async (_, key) => {
    expect(await keyed(key)).toMatchObject(problem(400, 'invalid_input'));
    expect(await epochOf(db, person)).toBe(0);
  });
});

it('everything else is 404 for whoever has a token', async () => {
  for (const [method, path] of [
    ['GET', '/api/admin'],
    ['GET', '/api/admin/v1/accounts'],
    ['GET', resetPath(person)],
    ['POST', '/api/admin/v1/accounts/mfa-reset'],
    ['DELETE', resetPath(person)],
    ['POST', `/api/admin/v2/accounts/${person}/mfa-reset`],
  ] as const) {
    const headers = { authorization: 'Bearer good' };
    expect(await api.send({ method, path, headers })).toMatchObject(problem(404, 'not_found'));
  }
});

it('needs a host that is served', async () => {
  expect((await post({ host: 'evil.test' })).status).toBe(421);
  expect((await post({ host: ADMIN.toUpperCase() })).status).toBe(200);
});

it('writes no personal data to the log', async () => {
  await post({ path: resetPath('199001012023211001') });
  const lines = parts.log.lines.filter(({ message }) => message === 'request');
  expect(lines.at(-1)?.fields).toMatchObject({ route: '/api/admin/v1/accounts/:id/mfa-reset', account: officer });
});

describe('what PostgreSQL cannot hold', () => {
  beforeEach(async () => {
    const scopes = new Set(['accounts:read', 'accounts:write']);
    api.tokens.set('admin', { ...caller, accountId: await addOfficer(db, 'agency_admin'), scopes });
  });

  it.each<[string, string, object]>([
    ['a role of', '/api/admin/v1/roles', { role: 'helpdesk', agency: 'OWN\u0000', reason: 'Petugas baru' }],
    ['two officers in', '/api/admin/v1/agencies/OWN%00/two-officers', { on: true }],
  ])('is no agency: %s one with a NUL', async (_, path, body) => {
    const sent = path.endsWith('/roles') ? { ...body, account_id: person } : body;
    const answer = await api.send({
      method: 'POST',
      path,
      headers: { authorization: 'Bearer admin', 'content-type': 'application/json' },
      body: JSON.stringify(sent),
    });
    expect([404, 422]).toContain(answer.status);
  });
});

it('what waits is shown with what it would do: nobody agrees blindly', async () => {
  const operators = [await addOfficer(db, 'operator'), await addOfficer(db, 'operator')] as const;
  await db.query(
    `INSERT INTO devices (id, account_id, kind, status, name, secret, created_at, activated_at)
     VALUES (gen_random_uuid(), $1, 'totp', 'active', 'Ponsel', 'v1.k1.sealed', $2, $2)`,
    [person, now],
  );
  const scopes = new Set(['accounts:read', 'accounts:write']);
  for (const [number, accountId] of operators.entries()) {
    api.tokens.set(`operator-${number}`, { ...caller, accountId, scopes });
  }
  const asked = await api.send({
    method: 'POST',
    path: '/api/admin/v1/roles',
    headers: { authorization: 'Bearer operator-0', 'content-type': 'application/json' },
    body: JSON.stringify({ account_id: person, role: 'operator', reason: 'Petugas baru' }),
  });
  expect(asked.status).toBe(202);
  const headers = { authorization: 'Bearer operator-1' };
  const listed = await api.send({ method: 'GET', path: '/api/admin/v1/orders', headers });
  expect(listed.body).toMatchObject({ orders: [{ action: 'role_grant', role: 'operator', may_decide: true }] });
  // The call for resets agrees to nothing else (docs/adr/0019).
  const { order_id } = asked.body as { order_id: string };
  api.tokens.set('operator-1', { ...caller, accountId: operators[1], scopes: new Set(['accounts:mfa-reset']) });
  const other = await api.send({ method: 'POST', path: `/api/admin/v1/mfa-resets/${order_id}/approve`, headers });
  expect(other).toMatchObject(problem(404, 'not_found'));
});
