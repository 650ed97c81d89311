import { secondsAfter } from '#src/kernel/clock.js';
import { grantRole, revokeRole } from '#src/accounts/roles.js';
import { ROLES } from '#src/accounts/role.js';
import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import { clientCalls } from '#src/helpdesk/relying-parties/client-calls.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { startAdminApi, type AdminApi, type Answer } from '../admin-api.js';
import { addOfficer, addPerson, now, plantAgencies } from '../people.js';
import { resetParts, type ResetParts } from '../reset-parts.js';
import { clientParts, registrationOf, type ClientParts } from './parts.js';

/** What operators do to clients over the admin API, by HTTP. */
let db: Database & TestDatabase;
let parts: ResetParts;
let house: ClientParts;
let api: AdminApi;
let operator: AccountId;

const PATH = '/api/admin/v1/clients';

const callerOf = (accountId: AccountId, change: Partial<AdminCaller> = {}): AdminCaller => ({
  clientId: 'console',
  accountId,
  scopes: new Set(['clients:write']),
  authenticatedAt: secondsAfter(now, -60),
  acr: 'urn:asn:aal2',
  agency: undefined,
  ...change,
});

interface Sent {
  readonly body?: object;
  readonly key?: string;
  readonly token?: string;
}
const call = (method: string, path: string, { body, key, token = 'operator' }: Sent = {}): Promise<Answer> =>
  api.send({
    method,
    path: `${PATH}${path}`,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const events = async (): Promise<readonly object[]> =>
  await db.query('SELECT type, client_id, actor_id, detail FROM audit_events ORDER BY at, id');

beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
  house = clientParts(parts);
  api = await startAdminApi(parts, clientCalls(house.clientDesk));
  await plantAgencies(db);
  operator = await addOfficer(db, 'operator');
});
afterAll(async () => {
  await api.stop();
  await db.drop();
});
beforeEach(async () => {
  await db.query('TRUNCATE clients, audit_events, idempotency_keys CASCADE');
  await house.clients.reload();
  api.tokens.clear();
  api.tokens.set('operator', callerOf(operator));
});

it('a client is registered, with a secret that is told once, and followed at once', async () => {
  const answer = await call('POST', '', { body: registrationOf('satu') });
  expect(answer).toMatchObject({
    status: 201,
    body: {
      client: { client_id: 'satu', client_name: 'Layanan satu', source: 'console', state: 'in_use', last_errors: [] },
      client_secret: expect.stringMatching(/^[\w-]{43}$/) as string,
    },
  });
  const { client_secret: secret } = answer.body as { client_secret: string };
  expect(house.registry.holdsSecret('satu', secret, now)).toBe(true);
  const shown = await call('GET', '/satu');
  expect(shown).toMatchObject({
    status: 200,
    body: {
      registration: registrationOf('satu'),
      weaknesses: [{ field: 'token_endpoint_auth_method' }, { field: 'redirect_uris' }],
    },
  });
  expect(JSON.stringify(shown.body)).not.toContain(secret);
  expect(await events()).toEqual([
    { type: 'client.added', client_id: 'satu', actor_id: operator, detail: { source: 'console' } },
  ]);
});

it('every problem of a registration is told, where it is', async () => {
  const body = registrationOf('satu', {
    redirect_uris: ['http://satu.example/cb', 'https://satu.example/*'],
    x: { acr: 'high', colour: 'red' },
  });
  const answer = await call('POST', '', { body });
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_input' } });
  const { errors } = answer.body as { errors: { pointer: string; detail: string }[] };
  expect(errors.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(['#/x/acr', '#/x/colour']));
  expect(await db.query('SELECT 1 FROM clients')).toEqual([]);
  const addresses = await call('POST', '', { body: { ...body, x: {} } });
  expect((addresses.body as { errors: object[] }).errors).toEqual([
    { pointer: '#/redirect_uris', detail: 'http://satu.example/cb must be https' },
    { pointer: '#/redirect_uris', detail: 'https://satu.example/* must be exact, without wildcards' },
  ]);
});

it.each<[string, object, object]>([
  ['NUL', { client_name: 'a\0b' }, { pointer: '#/client_name', detail: 'holds characters that cannot be kept' }],
  ['half a character', { x: { icon: '\ud800' } }, { pointer: '#/x/icon' }],
  ['half a character for a field', { '\udc00': 1 }, { pointer: '#' }],
])('a registration with %s is refused, where it is', async (_, change, error) => {
  expect(await call('POST', '', { body: registrationOf('satu', change) })).toMatchObject({
    status: 422,
    body: { code: 'invalid_input', errors: [error] },
  });
  await call('POST', '', { body: registrationOf('satu') });
  expect(await call('PUT', '/satu', { body: registrationOf('satu', change) })).toMatchObject({ status: 422 });
});

it('an id that is taken is a conflict, and nothing changes', async () => {
  await call('POST', '', { body: registrationOf('satu') });
  const again = await call('POST', '', { body: registrationOf('satu', { client_name: 'Lain' }) });
  expect(again).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(house.registry.registration('satu')?.client_name).toBe('Layanan satu');
});

it('a repeated call registers once; its answer has no secret the second time', async () => {
  const first = await call('POST', '', { body: registrationOf('satu'), key: 'k1' });
  const second = await call('POST', '', { body: registrationOf('satu'), key: 'k1' });
  expect(second.status).toBe(201);
  const { client, client_secret: secret } = first.body as { client: object; client_secret: string };
  expect(second.body).toEqual({ client });
  expect(await events()).toHaveLength(1);
  const kept = await db.query('SELECT answer::text FROM idempotency_keys');
  expect(JSON.stringify(kept)).not.toContain(secret);
  const other = await call('POST', '', { body: registrationOf('dua'), key: 'k1' });
  expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
});

it('a registration is replaced, but not its id, nor one of the file, nor one that is not there', async () => {
  await call('POST', '', { body: registrationOf('satu') });
  const body = { ...registrationOf('satu', { client_name: 'Nama baru' }), client_id: undefined };
  expect(await call('PUT', '/satu', { body })).toMatchObject({
    status: 200,
    body: { client: { client_name: 'Nama baru' } },
  });
  expect(house.registry.registration('satu')?.client_name).toBe('Nama baru');
  expect(await call('PUT', '/satu', { body: registrationOf('dua') })).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '#/client_id', detail: 'cannot be changed' }] },
  });
  expect(await call('PUT', '/dua', { body: registrationOf('dua') })).toMatchObject({ status: 404 });
  await house.clients.loadFile([{ clientId: 'tiga', metadata: registrationOf('tiga'), secret: undefined }]);
  expect(await call('PUT', '/tiga', { body: registrationOf('tiga') })).toMatchObject({
    status: 409,
    body: { errors: [{ detail: 'stands in CLIENTS_FILE: change it there' }] },
  });
  expect(await db.query(`SELECT 1 FROM clients WHERE client_id = 'dua'`)).toEqual([]);
});

it('is disabled with all it holds, and enabled again', async () => {
  await call('POST', '', { body: registrationOf('satu') });
  expect(await call('POST', '/satu/disable')).toMatchObject({ status: 200, body: { client: { state: 'disabled' } } });
  expect(house.registry.registration('satu')).toBeUndefined();
  expect((await house.clients.find('satu'))?.endedAt).toBeDefined();
  expect(await call('POST', '/satu/disable')).toMatchObject({ status: 409 });
  expect(await call('POST', '/satu/enable')).toMatchObject({ status: 200, body: { client: { state: 'in_use' } } });
  expect(house.registry.registration('satu')).toBeDefined();
  expect(await call('POST', '/tidak/disable')).toMatchObject({ status: 404 });
  expect(await events()).toMatchObject([
    { type: 'client.added' },
    { type: 'client.disabled', actor_id: operator },
    { type: 'client.enabled', actor_id: operator },
  ]);
});

it('a new secret is told once, and the one before goes on as long as it was said', async () => {
  const made = (await call('POST', '', { body: registrationOf('satu') })).body as { client_secret: string };
  const answer = await call('POST', '/satu/rotate-secret', { body: { overlap_hours: 2 } });
  expect(answer).toMatchObject({
    status: 200,
    body: { former_until: secondsAfter(now, 7200).toISOString(), client: { secrets: [{}, {}] } },
  });
  const { client_secret: secret } = answer.body as { client_secret: string };
  const holds = (which: string, seconds: number) =>
    house.registry.holdsSecret('satu', which, secondsAfter(now, seconds));
  expect([holds(secret, 7201), holds(made.client_secret, 7199), holds(made.client_secret, 7201)]).toEqual([
    true,
    true,
    false,
  ]);
  await call('POST', '', {
    body: registrationOf('dua', { token_endpoint_auth_method: 'none', application_type: 'native' }),
  });
  expect(await call('POST', '/dua/rotate-secret', { body: {} })).toMatchObject({ status: 409 });
  expect(await call('POST', '/satu/rotate-secret', { body: { overlap_hours: 721 } })).toMatchObject({ status: 422 });
});

it('a write wants a second factor of the last five minutes, a read one of the login, and both their scope', async () => {
  api.tokens.set('operator', callerOf(operator, { authenticatedAt: secondsAfter(now, -301) }));
  expect(await call('POST', '', { body: registrationOf('satu') })).toMatchObject({
    status: 401,
    body: { code: 'insufficient_user_authentication' },
    headers: { 'www-authenticate': expect.stringContaining('max_age="300"') as string },
  });
  expect(await call('GET', '')).toMatchObject({ status: 200, body: { clients: [] } });
  api.tokens.set('operator', callerOf(operator, { scopes: new Set(['accounts:write', 'accounts:read']) }));
  expect(await call('GET', '')).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  api.tokens.set('operator', callerOf(operator, { accountId: undefined, acr: undefined }));
  expect(await call('GET', '')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
});

describe('who may', () => {
  const CALLS: readonly [method: string, path: string, sent?: Sent][] = [
    ['GET', ''],
    ['GET', '/ada'],
    ['GET', '/tidak'],
    ['POST', '', { body: registrationOf('baru') }],
    ['PUT', '/ada', { body: registrationOf('ada', { client_name: 'Lain' }) }],
    ['PUT', '/tidak', { body: registrationOf('tidak') }],
    ['POST', '/ada/disable'],
    ['POST', '/tidak/disable'],
    ['POST', '/ada/enable'],
    ['POST', '/ada/rotate-secret', { body: {} }],
    ['POST', '/tidak/rotate-secret', { body: {} }],
  ];
  const kinds = [...ROLES, 'nobody', 'rested', 'frozen'] as const;

  async function somebody(kind: (typeof kinds)[number]): Promise<AccountId> {
    const role = ROLES.find((each) => each === kind) ?? 'operator';
    const id = await addOfficer(db, role);
    const grant = { accountId: id, role, agencyCode: undefined, now };
    if (kind === 'nobody') await db.transaction((tx) => revokeRole(tx, grant));
    if (kind === 'frozen') await db.query('UPDATE accounts SET frozen_at = $2 WHERE id = $1', [id, now]);
    if (kind === 'rested') {
      await db.query(
        `INSERT INTO devices (id, account_id, kind, status, name, created_at, activated_at, ended_at, ended_reason)
         VALUES (gen_random_uuid(), $1, 'totp', 'ended', 'Lama', $2, $2, $2, 'helpdesk_reset')`,
        [id, now],
      );
    }
    return id;
  }

  it.each(kinds)(
    '%s: operators everything, the others nothing, whether there is such a client or not',
    async (kind) => {
      await call('POST', '', { body: registrationOf('ada') });
      const before = await db.query('SELECT * FROM clients');
      const id = await somebody(kind);
      api.tokens.set(kind, callerOf(id));
      await db.query('TRUNCATE audit_events');
      const answers = [];
      for (const [method, path, sent] of CALLS) answers.push(await call(method, path, { ...sent, token: kind }));
      if (kind === 'operator') {
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 201, 200, 404, 200, 404, 200, 200, 404]);
        return;
      }
      expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
      expect(answers[0]).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(await db.query('SELECT * FROM clients')).toEqual(before);
      const refused = (await events()) as { type: string; actor_id: string; detail: { cause: string } }[];
      expect(refused).toHaveLength(CALLS.length);
      for (const event of refused) {
        expect(event).toMatchObject({ type: 'desk.refused', actor_id: id, detail: { cause: 'role' } });
      }
    },
  );

  it('a role that ends while the call is under way ends it, and a call that is under way holds the role', async () => {
    const id = await addOfficer(db, 'operator');
    api.tokens.set('late', callerOf(id));
    const grant = { accountId: id, role: 'operator', agencyCode: undefined, now } as const;
    // The first to have the role's row decides: the call waits for the revocation, and finds it gone.
    let answer: Promise<Answer> | undefined;
    await db.transaction(async (tx) => {
      await revokeRole(tx, grant);
      answer = call('POST', '', { body: registrationOf('terlambat'), token: 'late' });
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    expect(await answer).toMatchObject({ status: 403 });
    expect(house.registry.registration('terlambat')).toBeUndefined();
    await db.transaction((tx) => grantRole(tx, grant));
    expect(await call('POST', '', { body: registrationOf('terlambat'), token: 'late' })).toMatchObject({ status: 201 });
  });

  it('a person who is no officer at all', async () => {
    api.tokens.set('person', callerOf(await addPerson(db)));
    expect(await call('GET', '', { token: 'person' })).toMatchObject({ status: 403 });
  });
});
