import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import { createIdempotency } from '#src/helpdesk/idempotency.js';
import { createFeedDesk } from '#src/helpdesk/personnel-feed.js';
import { personnelFeedCalls } from '#src/helpdesk/personnel-feed-calls.js';
import { beginPlan } from '#src/provisioning/account-plan-store.js';
import { createFeedIntake, type FeedIntake } from '#src/provisioning/feed-intake.js';
import { withBulkSession } from '#src/storage/copy.js';
import { addAgencies } from '../accounts/people.js';
import { csvOf, feedOver, nip, type FeedRow } from '../provisioning/feed.js';
import { quietLog } from '../support/quiet-log.js';
import { eventually } from '../support/processes.js';
import { openTestDatabase } from '../support/test-database.js';
import { startAdminApi, type AdminApi, type Answer } from './admin-api.js';
import { auditOf, resetParts, type ResetParts } from './reset-parts.js';

/** `POST /personnel-feed` and `GET /personnel-feed/{run}` (docs/adr/0020). */

const PATH = '/api/admin/v1/personnel-feed';
const MAX_BYTES = 60_000;

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let parts: ResetParts;
let api: AdminApi;
let intake: FeedIntake;
const feed: AdminCaller = {
  clientId: 'kepegawaian',
  accountId: undefined,
  scopes: new Set(['accounts:write']),
  authenticatedAt: undefined,
  acr: undefined,
  agency: undefined,
};

beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
  const { keyed, clock, refusals } = parts;
  intake = createFeedIntake({ feed: feedOver(db), log: quietLog(), maxBytes: MAX_BYTES });
  const desk = createFeedDesk({
    ...{ db, intake, refusals },
    mayFeed: (clientId) => clientId !== 'integrasi',
    idempotency: createIdempotency({ keyed, clock }),
  });
  api = await startAdminApi(parts, personnelFeedCalls(desk));
});
beforeEach(async () => {
  await db.query('TRUNCATE agencies, accounts, audit_events, feed_runs, idempotency_keys CASCADE');
  await addAgencies(db);
  api.tokens.clear();
  api.tokens.set('national', feed);
  api.tokens.set('regency', { ...feed, clientId: 'daerah', agency: 'REGENCY' });
  api.tokens.set('other', { ...feed, clientId: 'integrasi' });
});
afterAll(async () => {
  await api.stop();
  await intake.stop();
  await db.drop();
});

interface Sending {
  readonly token?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
}
const send = (rows: readonly FeedRow[] | string, { token = 'national', query = '', headers }: Sending = {}) =>
  api.send({
    path: `${PATH}${query}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv', ...headers },
    body: typeof rows === 'string' ? rows : csvOf(rows),
  });
const show = (run: string, token = 'national'): Promise<Answer> =>
  api.send({ method: 'GET', path: `${PATH}/${run}`, headers: { authorization: `Bearer ${token}` } });

interface Shown {
  readonly state: string;
  readonly [name: string]: unknown;
}
const runIn = ({ body }: Answer): string => (body as { run: string }).run;
/** The run when it is over. */
async function ended(run: string, token?: string): Promise<Shown> {
  let shown: Shown = { state: '' };
  await eventually('the run to end', async () => {
    shown = (await show(run, token)).body as Shown;
    return !['waiting', 'running'].includes(shown.state);
  });
  return shown;
}
const refusals = async () => (await auditOf(db, 'desk.refused')).map(({ detail, client_id: id }) => [id, detail]);

it('takes a file in behind the scenes, and tells what became of it', async () => {
  const rows = [{ nip: nip(0) }, { nip: nip(1), agency_code: 'OTHER' }, { nip: 'x' }];
  const sent = await send(rows);
  expect(sent).toMatchObject({ status: 202, body: { run: expect.stringMatching(/^[0-9a-f-]{36}$/) as string } });
  const run = await ended(runIn(sent));
  expect(run).toMatchObject({
    ...{ state: 'applied', mode: 'delta', dry_run: false, cause: null, progress: null },
    sha256: createHash('sha256').update(csvOf(rows)).digest('hex'),
    report: { created: 2, skipped: 1, left: 0 },
    problems: [{ line: 4, column: 'nip', reason: 'is not 18 digits' }],
  });
  expect(await db.query('SELECT count(*)::integer AS n FROM accounts')).toEqual([{ n: 2 }]);
  const moved = await ended(runIn(await send([{ nip: nip(0), agency_code: 'OTHER' }], { query: '?mode=full' })));
  expect(moved).toMatchObject({
    mode: 'full',
    report: { moved: 1, left: 1, missing: 1, flows: [{ from: 'REGENCY', to: 'OTHER', people: 1 }] },
  });
});

it('changes nothing in a dry run', async () => {
  const run = await ended(runIn(await send([{ nip: nip(0) }], { query: '?dry_run=true' })));
  expect(run).toMatchObject({ state: 'applied', dry_run: true, report: { created: 1 } });
  expect(await db.query('SELECT FROM accounts')).toEqual([]);
});

it('keeps a service that is bound to an agency to the people of that agency', async () => {
  await ended(runIn(await send([{ nip: nip(0), agency_code: 'OTHER' }, { nip: nip(1) }])));
  const rows = [{ nip: nip(0) }, { nip: nip(2), agency_code: 'OFFICE' }, { nip: nip(3), agency_code: 'OTHER' }];
  const run = await ended(runIn(await send(rows, { token: 'regency', query: '?mode=full' })), 'regency');
  expect(run).toMatchObject({
    report: { created: 1, left: 1, missing: 1, skipped: 2 },
    problems: [
      { line: 2, column: 'nip', reason: 'belongs to a person of another agency' },
      { line: 4, column: 'agency_code', reason: 'is not an agency of this feed' },
    ],
  });
});

it('refuses, as a whole, what would make too many inactive, and nobody can agree to it from afar', async () => {
  const rows = Array.from({ length: 30 }, (_, at) => ({ nip: nip(at) }));
  await ended(runIn(await send(rows)));
  const run = await ended(runIn(await send([], { query: '?mode=full' })));
  expect(run).toMatchObject({ state: 'refused', cause: 'too_many_inactive', report: { left: 30 } });
  expect(await send([], { query: '?mode=full&agreed_inactive=30' })).toMatchObject({ status: 400 });
});

it('says so when the file cannot be read', async () => {
  expect(await ended(runIn(await send('nip\n')))).toMatchObject({ state: 'refused', cause: 'unusable' });
});

describe('is not for', () => {
  it('services that are not registered as a feed', async () => {
    expect(await send([], { token: 'other' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await refusals()).toEqual([['integrasi', { action: 'feed.take', cause: 'forbidden' }]]);
  });

  it('people, whatever they are', async () => {
    const accountId = '7d3cc42b-3bb5-4a4c-8f4e-5a5a5a5a5a5a' as never;
    api.tokens.set('person', { ...feed, accountId, acr: 'phr', authenticatedAt: parts.clock.now() });
    expect(await send([], { token: 'person' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await show('x', 'person')).toMatchObject({ status: 403 });
  });

  it('strangers, nor tokens without the scope', async () => {
    expect(await send([], { token: 'stolen' })).toMatchObject({ status: 401 });
    api.tokens.set('national', { ...feed, scopes: new Set(['accounts:read']) });
    expect(await send([])).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });
});

it.each([
  ['JSON', { 'content-type': 'application/json' }, '{}', 415],
  ['more than fits', {}, 'x'.repeat(MAX_BYTES + 1), 413],
])('refuses %s', async (_what, headers, body, status) => {
  expect(await send(body, { headers })).toMatchObject({ status, body: { code: 'invalid_input' } });
  expect(await db.query('SELECT FROM feed_runs')).toEqual([]);
});

it.each(['?mode=all', '?mode=full&mode=delta', '?dry_run=yes', '?within=OTHER'])('refuses %s', async (query) => {
  expect((await send([], { query })).body).toMatchObject({ code: 'invalid_input' });
});

it('takes files much larger than any other body', async () => {
  const rows = Array.from({ length: 900 }, (_, at) => ({ nip: nip(at) }));
  expect(csvOf(rows).length).toBeGreaterThan(32 * 1024);
  expect(await ended(runIn(await send(rows)))).toMatchObject({ report: { created: 900 } });
});

it('makes nothing of a file that breaks off on its way', async () => {
  await new Promise<void>((resolve) => {
    const sent = request({
      port: api.port,
      method: 'POST',
      path: PATH,
      headers: {
        host: 'admin.contoh.test',
        authorization: 'Bearer national',
        'content-type': 'text/csv',
        'content-length': '5000',
      },
    });
    sent.on('error', () => {
      resolve();
    });
    sent.write(csvOf([{ nip: nip(0) }]), () => setTimeout(() => sent.destroy(), 50));
  });
  await eventually('the refusal to be on record', async () => (await refusals()).length === 1);
  expect(await db.query('SELECT FROM feed_runs')).toEqual([]);
  expect(await ended(runIn(await send([{ nip: nip(0) }])))).toMatchObject({ report: { created: 1 } });
});

it('is a conflict while another file is taken in', async () => {
  const run = runIn(await send([]));
  await ended(run);
  await withBulkSession(db.url, async (session) => {
    await beginPlan(session);
    await db.query(`UPDATE feed_runs SET state = 'running' WHERE id = $1`, [run]);
    expect(await send([])).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });
  expect(await refusals()).toEqual([['kepegawaian', { action: 'feed.take', cause: 'busy' }]]);
});

it('does a call that is repeated with its key once', async () => {
  const headers = { 'idempotency-key': 'berkas-2026-11-23' };
  const first = await send([{ nip: nip(0) }], { headers });
  // At once, and when it is over.
  expect(await send([{ nip: nip(0) }], { headers })).toMatchObject({ status: 202, body: first.body as object });
  await ended(runIn(first));
  expect(await send([{ nip: nip(0) }], { headers })).toMatchObject({ status: 202, body: first.body as object });
  expect(await db.query('SELECT FROM feed_runs')).toHaveLength(1);
  for (const [rows, query] of [
    [[{ nip: nip(1) }], ''],
    [[{ nip: nip(0) }], '?mode=full'],
  ] as const) {
    expect(await send(rows, { headers, query })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  }
});

it('shows a run to the service that sent it, and to nobody else', async () => {
  const run = runIn(await send([{ nip: nip(0) }]));
  await ended(run);
  for (const [id, token] of [
    [run, 'regency'],
    [run, 'other'],
    ['00000000-0000-0000-0000-000000000000', 'national'],
    ['x', 'national'],
  ] as const) {
    expect(await show(id, token)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  }
  expect(await refusals()).toHaveLength(4);
});

it('is documented as a file', async () => {
  const { body } = await api.send({ method: 'GET', path: '/api/admin/v1/openapi.json' });
  expect(body).toMatchObject({
    paths: {
      '/personnel-feed': {
        post: {
          requestBody: { content: { 'text/csv': {} } },
          parameters: expect.arrayContaining([
            expect.objectContaining({ name: 'mode', in: 'query', required: false }),
            expect.objectContaining({ name: 'Feed-Signature', in: 'header' }),
          ]) as unknown,
          responses: { 202: {}, 403: {}, 409: {}, 413: {}, 415: {} },
        },
      },
      '/personnel-feed/{run}': { get: {} },
    },
  });
});
