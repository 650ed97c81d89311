import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import { openPerson } from '../support/person.js';
import { startSite, type TestSite } from '../support/site.js';
import { enrol, PASSWORD, resetPassword } from './steps.js';

const RATRI = { nip: '198601152009032009', email: 'ratri@bkpsdm.boyolali.example' };
const BAYU = { nip: '199502282024211003', email: 'bayu@disdik.boyolali.example' };
const SECRET = 'a shared secret of thirty-two bytes or more';
const CALLBACK = 'http://127.0.0.1:1/callback';

let site: TestSite;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sso-asn-clients-'));
  const file = join(folder, 'clients.json');
  site = await startSite(async (origin) => {
    const desk = {
      client_id: 'desk',
      client_name: 'Meja bantuan',
      redirect_uris: [CALLBACK],
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: SECRET,
      x: { category: 'Instansi', resources: { [`${origin}/api/admin`]: ['accounts:mfa-reset'] } },
    };
    await writeFile(file, JSON.stringify([desk]));
    return { CLIENTS_FILE: file };
  });
});
afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true });
});

/** Logs an officer in and answers the access token for the admin API. */
async function officersToken(who: typeof RATRI): Promise<string> {
  const officer = openPerson(site.origin, { stopAt: (url) => url.href.startsWith(CALLBACK) });
  await resetPassword(site, officer, who);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- plain HTTP to this machine
  const execute = [client.allowInsecureRequests];
  const config = await client.discovery(new URL(site.origin), 'desk', undefined, client.ClientSecretBasic(SECRET), {
    execute,
  });
  const codeVerifier = client.randomPKCECodeVerifier();
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid accounts:mfa-reset',
    resource: `${site.origin}/api/admin`,
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  });
  await officer.get(address.href);
  await officer.submit('/password', { username: who.nip, password: PASSWORD });
  await enrol(officer);
  const tokens = await client.authorizationCodeGrant(config, officer.shown.url, { pkceCodeVerifier: codeVerifier });
  return tokens.access_token;
}

it('lets an officer with a fresh login reset the factor of a person of the agency, and nobody else', async () => {
  const bayu = openPerson(site.origin);
  await resetPassword(site, bayu, BAYU);
  await bayu.get('/login');
  await bayu.submit('/password', { username: BAYU.nip, password: PASSWORD });
  await enrol(bayu);
  expect(bayu.shown.page).toBe('launcher');

  const token = await officersToken(RATRI);
  // At the desk, without the phone: the right password shows a code.
  const here = openPerson(site.origin);
  await here.get('/login');
  await here.submit('/password', { username: BAYU.nip, password: PASSWORD });
  await here.get(here.shown.url.pathname.replace(/otp$/, 'presence'));
  await here.submit('/presence');
  const presence_code = /data-presence-code="(\d{8})"/.exec(here.shown.html)?.[1];

  const [row] = await site.running.services.db.query('SELECT id FROM accounts WHERE nip = $1', [BAYU.nip]);
  const asked = new Date();
  const reset = (accountId: string) =>
    fetch(`${site.origin}/api/admin/v1/accounts/${accountId}/mfa-reset`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        reason: 'Ponsel hilang',
        ticket: 'T-1',
        verification: { method: 'presence', presence_code },
      }),
    });
  const done = await reset(String(row?.id));
  expect([done.status, await done.json()]).toMatchObject([200, { status: 'done', told: true }]);
  expect((await reset('00000000-0000-4000-8000-000000000000')).status).toBe(404);

  // Everything of the person has ended, the person is told, and enrolling again takes the mailbox.
  expect((await bayu.get('/')).page).toBe('front');
  expect((await site.mailbox.next(BAYU.email, asked)).text).toContain('Ratri Anjani');
  await bayu.get('/login');
  const next = await bayu.submit('/password', { username: BAYU.nip, password: PASSWORD });
  expect(next.page).toBe('sign-in/prove-mailbox');
});
