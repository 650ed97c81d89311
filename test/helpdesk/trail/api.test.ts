import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import type { Scope } from '#src/helpdesk/api/call.js';
import { trailCalls } from '#src/helpdesk/trail/calls.js';
import { createTrailExports } from '#src/helpdesk/trail/export.js';
import { createTrailSearches } from '#src/helpdesk/trail/search.js';
import type { AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../../support/test-database.js';
import { startAdminApi, type AdminApi, type Answer } from '../admin-api.js';
import { addOfficer, addPerson, now, plantAgencies } from '../people.js';
import { auditOf, resetParts } from '../reset-parts.js';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let api: AdminApi;
let officer: AccountId;
let person: AccountId;
let stranger: AccountId;

beforeAll(async () => {
  db = await openTestDatabase();
  await plantAgencies(db);
  const parts = resetParts(db);
  await parts.audit.prepare(db);
  officer = await addOfficer(db, 'agency_admin');
  person = await addPerson(db, { place: 'child' });
  stranger = await addPerson(db, { place: 'other' });
  parts.clock.at = new Date(now.getTime() - 60_000);
  for (let index = 0; index < 60; index += 1) {
    await parts.audit.record(db, {
      type: 'sign_in.otp_refused',
      detail: { cause: 'drift', drift_minutes: index },
      accountId: person,
    });
  }
  parts.clock.at = now;
  api = await startAdminApi(
    parts,
    trailCalls({ searches: createTrailSearches(parts), exports: createTrailExports(parts), clock: parts.clock }),
  );
  for (const [token, scopes] of [
    ['reads', ['audit:read']],
    ['other', ['accounts:read']],
  ] as const) {
    api.tokens.set(token, asOfficer(scopes));
  }
});
afterAll(async () => {
  await api.stop();
  await db.drop();
});

const asOfficer = (scopes: readonly Scope[]): AdminCaller => ({
  clientId: 'console',
  accountId: officer,
  scopes: new Set(scopes),
  authenticatedAt: now,
  acr: 'urn:asn:aal2',
  agency: undefined,
});

const get = (query: Record<string, string>, token = 'reads'): Promise<Answer> =>
  api.send({
    method: 'GET',
    path: `/api/admin/v1/audit?${new URLSearchParams(query).toString()}`,
    headers: { authorization: `Bearer ${token}` },
  });

interface Found {
  readonly events: readonly { event: string; account: { id: string }; detail: { drift_minutes: number } }[];
  readonly next_cursor: string | null;
}

it('reads page after page, and the first one leaves its row', async () => {
  const first = await get({ account: person });
  expect(first.status).toBe(200);
  const { events, next_cursor: cursor } = first.body as Found;
  expect(events).toHaveLength(50);
  expect(events[0]).toMatchObject({
    event: 'sign_in.otp_refused',
    account: { id: person },
    detail: { drift_minutes: 59 },
  });
  const second = (await get({ account: person, cursor: String(cursor) })).body as Found;
  expect(second.events.map(({ detail }) => detail.drift_minutes)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(second.next_cursor).toBeNull();
  expect(await auditOf(db, 'audit.searched')).toMatchObject([
    { account_id: person, actor_id: officer, client_id: 'console' },
  ]);
});

it('somebody out of scope is as nobody', async () => {
  const beyond = await get({ account: stranger });
  const unknown = await get({ account: '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10' });
  expect(beyond.status).toBe(404);
  expect(unknown.body).toEqual(beyond.body);
});

it.each([
  [{ from: '2026-11-20T00:00:00Z', to: '2026-11-19T00:00:00Z' }, 422],
  [{ from: '2020-11-20T00:00:00Z' }, 422],
  [{ from: 'yesterday' }, 422],
  [{ cursor: 'made-up' }, 422],
  [{ nip: '199001012023211001' }, 400],
  [{ types: 'sign_in.otp_refused', from: '2026-11-01T07:00:00+07:00' }, 200],
])('%j is %d', async (query, status) => {
  expect((await get(query as Record<string, string>)).status).toBe(status);
});

it('wants a token for the trail', async () => {
  expect((await get({}, 'other')).status).toBe(403);
  expect((await get({}, 'none')).status).toBe(401);
});

describe('as a file', () => {
  const exported = (query: Record<string, string>, token = 'reads'): Promise<Answer> =>
    api.send({
      method: 'GET',
      path: `/api/admin/v1/audit/export?${new URLSearchParams(query).toString()}`,
      headers: { authorization: `Bearer ${token}` },
    });

  it('comes as CSV or as JSON Lines, to be saved', async () => {
    const csv = await exported({ format: 'csv', account: person, types: 'sign_in.otp_refused' });
    expect([csv.status, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(csv.headers['content-disposition']).toMatch(/^attachment; filename="riwayat-2026-11-20\.csv"$/);
    expect(csv.headers['cache-control']).toContain('no-store');
    expect(String(csv.body).trimEnd().split('\r\n')).toHaveLength(61);
    const lines = await api.send({
      method: 'GET',
      path: `/api/admin/v1/audit/export?format=jsonl&account=${person}`,
      headers: { authorization: 'Bearer reads' },
    });
    expect([lines.status, lines.headers['content-type']]).toEqual([200, 'application/jsonl; charset=utf-8']);
    expect((await auditOf(db, 'audit.exported')).map(({ detail }) => detail)).toMatchObject([
      { format: 'csv', rows: 60, ended: 'whole' },
      { format: 'jsonl', ended: 'whole' },
    ]);
  });

  it.each([
    [{}, 422],
    [{ format: 'xlsx' }, 422],
    [{ format: 'csv', cursor: 'x' }, 400],
    [{ format: 'csv', from: '2020-11-20T00:00:00Z' }, 422],
  ])('%j is %d', async (query, status) => {
    expect((await exported(query as Record<string, string>)).status).toBe(status);
  });

  it('is of one’s own scope, and wants the token for the trail and a factor of the last five minutes', async () => {
    expect((await exported({ format: 'csv', account: stranger })).status).toBe(404);
    expect((await exported({ format: 'csv' }, 'other')).status).toBe(403);
    api.tokens.set('old', { ...asOfficer(['audit:read']), authenticatedAt: new Date(now.getTime() - 301_000) });
    const late = await exported({ format: 'csv' }, 'old');
    expect([late.status, late.headers['www-authenticate']]).toEqual([401, expect.stringContaining('max_age="300"')]);
    expect((await get({}, 'old')).status).toBe(200);
  });
});
