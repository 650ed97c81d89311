import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import { csvOf } from '../provisioning/feed.js';
import { PASSWORD, type Employee } from '../support/employees.js';
import { eventually } from '../support/processes.js';
import { errorIn, rotating, userinfo } from '../support/relying-party.js';
import { startToldSite, type ToldSite } from '../support/told-site.js';

/** The personnel system itself, over the admin API of the running program: an employee leaves (docs/adr/0020). */

// Starting, signing in with the clock stopped, and waiting for the relying party to be told.
jest.setTimeout(60_000);

const SECRET = 'a-shared-secret-of-the-personnel-system';

/** A service that keeps people's records; `agency` binds it. */
const service = (origin: string, id: string, x: object) => ({
  client_id: id,
  client_name: 'Kepegawaian',
  grant_types: ['client_credentials'],
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: SECRET,
  x: { resources: { [`${origin}/api/admin`]: ['accounts:write'] }, ...x },
});

let house: ToldSite;
beforeAll(async () => {
  house = await startToldSite((origin) => [
    service(origin, 'siasn-feed', { personnel_feed: true }),
    service(origin, 'other-agency-feed', { personnel_feed: true, agency: 'OTHER' }),
    service(origin, 'integration', {}),
  ]);
});
afterAll(() => house.stop());

async function tokenOf(client: string): Promise<string> {
  const { origin } = house.site;
  const answer = await fetch(`${origin}/oidc/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'accounts:write',
      resource: `${origin}/api/admin`,
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}

const send = async (client: string, body: string, query = ''): Promise<Response> =>
  fetch(`${house.site.origin}/api/admin/v1/personnel-feed${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(client)}`, 'content-type': 'text/csv' },
    body,
  });

interface Run {
  readonly state: string;
  readonly report: { readonly left: number; readonly skipped: number } | null;
}

async function taken(client: string, body: string, query = ''): Promise<Run> {
  const answer = await send(client, body, query);
  expect(answer.status).toBe(202);
  const { run } = (await answer.json()) as { run: string };
  const headers = { authorization: `Bearer ${await tokenOf(client)}` };
  let shown: Run = { state: '', report: null };
  await eventually('the file to be taken in', async () => {
    const seen = await fetch(`${house.site.origin}/api/admin/v1/personnel-feed/${run}`, { headers });
    shown = (await seen.json()) as Run;
    return !['waiting', 'running'].includes(shown.state);
  });
  return shown;
}

async function rowOf({ id, nip, email }: Employee, status: string): Promise<Record<string, string>> {
  const [row] = await house.site.running.services.db.query(
    'SELECT name, agency_code, employment FROM accounts WHERE id = $1',
    [id],
  );
  return { nip, email, status, ...(row as Record<string, string>) };
}

it('an employee who leaves is out of everything within seconds', async () => {
  const person = await house.person();
  const { tokens } = await house.signIn(person);
  expect((await userinfo(house.visitor(), tokens)).status).toBe(200);
  const file = csvOf([await rowOf(person, 'inactive')]);

  const elsewhere = await taken('other-agency-feed', file);
  expect(elsewhere).toMatchObject({ state: 'applied', report: { left: 0, skipped: 1 } });
  expect((await userinfo(house.visitor(), tokens)).status).toBe(200);

  const began = performance.now();
  expect(await taken('siasn-feed', file)).toMatchObject({ state: 'applied', report: { left: 1, skipped: 0 } });
  expect((await userinfo(house.visitor(), tokens)).status).toBe(401);
  expect(errorIn(await rotating.refresh(house.visitor(), tokens.refresh_token))).toBe('invalid_grant');
  await eventually('the relying party to be told', () => house.party.received.length === 1);
  const visitor = house.visitor();
  const page = await visitor.follow('/login');
  const refused = await visitor.submit(page, '/password', { username: person.nip, password: PASSWORD });
  expect([refused.page, refused.errors]).toEqual(['sign-in/password', ['invalid_credentials']]);
  expect(performance.now() - began).toBeLessThan(15_000);

  const { db } = house.site.running.services;
  const events = await db.query(
    `SELECT type, client_id, account_id FROM audit_events WHERE type IN ('account.imported_inactive', 'feed.applied') ORDER BY id`,
  );
  expect(events).toEqual([
    { type: 'feed.applied', client_id: 'other-agency-feed', account_id: null },
    { type: 'account.imported_inactive', client_id: null, account_id: person.id },
    { type: 'feed.applied', client_id: 'siasn-feed', account_id: null },
  ]);
  const [run] = await db.query(
    `SELECT encode(digest, 'hex') AS digest FROM feed_runs ORDER BY started_at DESC LIMIT 1`,
  );
  expect(run).toEqual({ digest: createHash('sha256').update(file).digest('hex') });
});

it('a service that is not registered as the feed is refused', async () => {
  expect((await send('integration', csvOf([]), '?mode=full')).status).toBe(403);
});
