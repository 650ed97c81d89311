import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import { setPassword } from '#src/accounts/accounts.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../../support/test-database.js';
import { startAdminApi, type AdminApi, type Answer } from '../admin-api.js';
import { addOfficer, addPerson, give, now, plantAgencies } from '../people.js';
import { auditOf, resetParts } from '../reset-parts.js';

const db = await openTestDatabase();
const parts = resetParts(db);
let api: AdminApi;
let officer: AccountId;
let person: AccountId;
let nip: string;
let caller: AdminCaller;

beforeAll(async () => {
  api = await startAdminApi(parts);
  await plantAgencies(db);
});
afterAll(async () => {
  await api.stop();
  await db.drop();
});
beforeEach(async () => {
  await db.query('TRUNCATE audit_events, audit_unsealed, quotas, idempotency_keys');
  [officer, person] = [await addOfficer(db), await addPerson(db)];
  const [row] = await db.query('SELECT nip FROM accounts WHERE id = $1', [person]);
  nip = row?.nip as string;
  caller = {
    clientId: 'console',
    accountId: officer,
    scopes: new Set(['accounts:read']),
    authenticatedAt: secondsAfter(now, -7200),
    acr: 'urn:asn:aal2',
    agency: undefined,
  };
  api.tokens.set('good', caller);
});

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  api.send({
    method,
    path: `/api/admin/v1${path}`,
    headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const search = (body: unknown, headers?: Record<string, string>) => send('POST', '/accounts/search', body, headers);

it('reads need two factors, however long ago', async () => {
  expect((await search({ nip })).status).toBe(200);
  api.tokens.set('good', { ...caller, acr: 'urn:asn:aal1' });
  const answer = await search({ nip });
  expect(answer).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } });
  expect(answer.headers['www-authenticate']).toBe(
    'Bearer realm="admin", error="insufficient_user_authentication", acr_values="urn:asn:aal2 phr"',
  );
  api.tokens.set('good', { ...caller, accountId: undefined });
  expect(await search({ nip })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
});

it('finds by NIP and by name, in the words of the contract', async () => {
  const found = { id: person, agency: { code: 'OWN', name: 'Kabupaten OWN' }, status: 'not_activated' };
  expect((await search({ nip })).body).toEqual({
    accounts: [{ ...found, name: expect.stringMatching(/^Pegawai \d+$/) as string }],
    next_cursor: null,
  });
  const byName = (await search({ query: 'pegawai', agency: 'OWN' })).body as { accounts: { id: string }[] };
  expect(byName.accounts.map(({ id }) => id)).toEqual(expect.arrayContaining([person, officer]));
});

it.each<[string, unknown, number, string]>([
  ['both', { nip: '1', query: 'siti' }, 400, '#'],
  ['neither', {}, 400, '#'],
  ['a number for a NIP', { nip: 199001012023211001 }, 400, '#/nip'],
  ['half a NIP', { nip: '19900101' }, 422, '#/nip'],
  ['two letters', { query: 'ab' }, 422, '#/query'],
  ['no cursor of ours', { query: 'siti', cursor: 'x' }, 422, '#/cursor'],
])('refuses a search with %s', async (_, body, status, pointer) => {
  const answer = await search(body);
  expect(answer).toMatchObject({ status, body: { code: 'invalid_input' } });
  expect((answer.body as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)).toContain(pointer);
  expect(await auditOf(db, 'desk.refused')).toMatchObject([
    { actor_id: officer, detail: { action: 'accounts.search', cause: 'invalid_input' } },
  ]);
});

it('takes an Idempotency-Key for the same search, and for no other; the answer is read anew', async () => {
  const key = { 'idempotency-key': 'k1' };
  expect((await search({ nip }, key)).body).toMatchObject({ accounts: [{ id: person }] });
  await db.query(`UPDATE accounts SET agency_code = 'OTHER' WHERE id = $1`, [person]);
  expect((await search({ nip }, key)).body).toEqual({ accounts: [], next_cursor: null });
  expect(await search({ query: 'pegawai' }, key)).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  });
  const kept = await db.query('SELECT answer FROM idempotency_keys');
  expect(JSON.stringify(kept)).not.toContain('Pegawai');
});

it('shows a person, without what the document does not name', async () => {
  await setPassword(db, { accountId: person, passwordHash: '$argon2id$rahasia', now });
  const { status, body } = await send('GET', `/accounts/${person}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: person,
    nip,
    status: 'active',
    activated_at: now.toISOString(),
    last_login_at: null,
    password: { set: true, disabled: false, wait_until: null },
    email: { hint: 's•••••@c•••••', proved: true },
    last_mail: null,
    recovery_codes: null,
    roles: [],
  });
  expect(JSON.stringify(body)).not.toMatch(/rahasia|siti@contoh/);
});

it('diagnoses', async () => {
  await parts.audit.record(db, {
    type: 'sign_in.otp_refused',
    detail: { cause: 'drift', drift_minutes: 61 },
    accountId: person,
  });
  await setPassword(db, { accountId: person, passwordHash: '$argon2id$', now });
  const { body } = await send('GET', `/accounts/${person}/diagnosis`);
  expect(body).toEqual({
    main: { cause: 'clock_drift', tell: 'set_clock_automatic', reset_needed: false, minutes: 61 },
    others: [],
    attempts: [
      {
        at: now.toISOString(),
        step: 'code',
        during: 'sign_in',
        outcome: 'clock_drift',
        minutes: 61,
        browser: '',
        system: '',
      },
    ],
  });
});

it('answers alike for people out of scope and people who are not there', async () => {
  const far = await addPerson(db, { place: 'sibling' });
  for (const path of ['', '/diagnosis']) {
    const answers = await Promise.all(
      [far, '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10', nip, 'x'].map((id) => send('GET', `/accounts/${id}${path}`)),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 404,
        body: { type: 'about:blank', title: 'not_found', status: 404, code: 'not_found' },
      });
    }
  }
  expect(await auditOf(db, 'desk.refused')).toHaveLength(8);
});

it('lists roles for who answers for them', async () => {
  expect(await send('GET', '/roles')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  await give(db, officer, 'agency_admin');
  const { status, body } = await send('GET', '/roles?agency=OWN');
  expect(status).toBe(200);
  expect((body as { roles: unknown[] }).roles).toContainEqual({
    id: expect.any(String) as string,
    role: 'agency_admin',
    agency: { code: 'OWN', name: 'Kabupaten OWN' },
    account: { id: officer, name: expect.stringMatching(/^Pegawai/) as string },
    granted_at: now.toISOString(),
  });
  expect(await send('GET', '/roles?cursor=x')).toMatchObject({
    status: 422,
    body: { code: 'invalid_input', errors: [{ parameter: 'cursor' }] },
  });
});
