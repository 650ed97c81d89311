import { registrationOf } from '../helpdesk/relying-parties/parts.js';
import { viewOf } from '#src/clients/client-view.js';
import { createSelfRegistration } from '#src/clients/self-registration.js';
import { openConsoleHouse, type ConsoleHouse } from '../helpdesk/console-house.js';

/** Relying parties that register themselves (RFC 7591) at the whole running program, with a token and without. */
let house: ConsoleHouse;
let endpoint: string;

beforeAll(async () => {
  house = await openConsoleHouse();
  const known = { ...registrationOf('known'), client_name: 'MyASN' };
  expect(await house.services.clients.add(known, { source: 'command' })).toMatchObject({ kind: 'added' });
  const discovery = await fetch(new URL('/.well-known/openid-configuration', house.site.origin));
  ({ registration_endpoint: endpoint } = (await discovery.json()) as { registration_endpoint: string });
});
afterAll(() => house.close());

const invite = async (uses = 1, hours = 1): Promise<{ id: string; token: string }> => {
  const { db, clientInvitations } = house.services;
  return db.transaction((tx) => clientInvitations.invite(tx, { uses, hours, note: 'Tim Absensi' }));
};

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}
async function register(sent: unknown, token?: string): Promise<Told> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: typeof sent === 'string' ? sent : JSON.stringify(sent),
  });
  return { status: answer.status, body: (await answer.json()) as Told['body'], headers: answer.headers };
}
const count = async (): Promise<number> =>
  (await house.services.db.query(`SELECT 1 FROM clients WHERE source = 'registration'`)).length;
const APP = { redirect_uris: ['https://absensi.example/cb'] };
const authorization = (id: string, change: Record<string, string> = {}): URL => {
  const query = new URLSearchParams({
    client_id: id,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: 'https://absensi.example/cb',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    state: 'a state',
    ...change,
  });
  return new URL(`/oidc/auth?${query.toString()}`, house.site.origin);
};
const ask = (url: URL): Promise<Response> => fetch(url, { redirect: 'manual' });

it('answers with the metadata as registered, and a secret this once', async () => {
  const { token, id } = await invite();
  const { status, body, headers } = await register(
    { ...APP, client_name: 'Absensi', software_id: 'of no effect', subject_type: 'public' },
    token,
  );
  expect(status).toBe(201);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body).toEqual({
    client_id: expect.stringMatching(/^c-[0-9a-f-]{36}$/) as string,
    client_id_issued_at: Math.floor(house.time.now().getTime() / 1000),
    client_secret: expect.stringMatching(/^[\w-]{43}$/) as string,
    client_secret_expires_at: 0,
    client_name: 'Absensi',
    application_type: 'web',
    redirect_uris: APP.redirect_uris,
    post_logout_redirect_uris: [],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
    scope: 'openid profile email',
    subject_type: 'pairwise',
  });
  const [event] = await house.services.db.query(
    `SELECT detail FROM audit_events WHERE type = 'client.added' AND client_id = $1`,
    [body.client_id],
  );
  expect(event?.detail).toEqual({ source: 'registration', invitation: id });
  const { registration } = (await house.services.clients.find(body.client_id as string)) ?? {};
  expect(registration?.x).toEqual({ claims: ['name'] });
});

it('waits for an operator, and from then on logs people in and is told what it is refused', async () => {
  const { token } = await invite();
  const { body } = await register(APP, token);
  const { client_id: id, client_secret: secret } = body as { client_id: string; client_secret: string };
  const { clients } = house.services;
  const stateOf = async (): Promise<string | undefined> => {
    const record = await clients.find(id);
    return record && viewOf(record, []).state;
  };
  expect(await stateOf()).toBe('waiting');
  const early = await ask(authorization(id));
  expect(early.status).toBe(400);
  expect(await clients.enable(id)).toBe('done');
  expect(await stateOf()).toBe('in_use');
  expect((await ask(authorization(id))).headers.get('location')).toContain('/sign-in/');
  const refused = await ask(authorization(id, { redirect_uri: 'https://lain.example/cb' }));
  expect(refused.status).toBe(400);
  const grant = await fetch(new URL('/oidc/token', house.site.origin), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: 'none',
      redirect_uri: APP.redirect_uris[0] ?? '',
    }),
  });
  expect(grant.status).toBe(400);
  await house.services.clientUse.flush();
  const errors = await house.services.db.query(
    'SELECT endpoint, error, detail, request_ids FROM client_errors WHERE client_id = $1 ORDER BY endpoint, error',
    [id],
  );
  expect(errors).toEqual([
    {
      endpoint: 'authorization',
      error: 'invalid_client',
      detail: expect.stringMatching(/^disabled since /) as string,
      request_ids: [early.headers.get('x-request-id')],
    },
    {
      endpoint: 'authorization',
      error: 'invalid_redirect_uri',
      detail: "redirect_uri did not match any of the client's registered redirect_uris",
      request_ids: [refused.headers.get('x-request-id')],
    },
    {
      endpoint: 'token',
      error: 'invalid_grant',
      detail: 'authorization code not found',
      request_ids: [grant.headers.get('x-request-id')],
    },
  ]);
});

it('one that an operator ended does not wait again', async () => {
  const { token } = await invite();
  const { client_id: id } = (await register(APP, token)).body as { client_id: string };
  const { clients } = house.services;
  await clients.enable(id);
  await clients.disable(id);
  const record = await clients.find(id);
  expect(record && viewOf(record, []).state).toBe('disabled');
});

it.each([
  ['MyASN', 'the name of another client'],
  ['my-asn', 'written otherwise'],
  ['MyΑЅΝ', 'in other alphabets'],
  ['ＭｙＡＳＮ', 'in wide letters'],
  ['ASN Dig1tal', 'the name of this program'],
])('does not get a name that people know: %s (%s)', async (client_name) => {
  const { token } = await invite();
  const refused = await register({ ...APP, client_name }, token);
  expect([refused.status, refused.body.error]).toEqual([400, 'invalid_client_metadata']);
  expect(refused.body.error_description).toMatch(/^client_name /);
  expect((await register(APP, token)).status).toBe(201);
});

it.each<[string, object]>([
  ['NUL', { client_name: 'a\0b' }],
  ['half a character', { contacts: ['\ud800@b.example'] }],
  ['NUL where nobody looks', { software_id: '\0' }],
  ['NUL in a key', { jwks: { keys: [{ kty: 'EC', 'a\0': 1 }] } }],
])('what no database keeps is refused like all else: %s', async (_, change) => {
  const { token } = await invite();
  const { status, body, headers } = await register({ ...APP, ...change }, token);
  expect([status, body.error]).toEqual([400, 'invalid_client_metadata']);
  expect(headers.get('content-type')).toContain('application/json');
});

it('in production is called by https only', async () => {
  const { clients, clientInvitations: invitations } = house.services;
  const order = async (production: boolean, field: string) => {
    const { token } = await invite();
    const sent = { ...APP, [field]: 'http://absensi.example/it' };
    return createSelfRegistration({ clients, invitations, production }).register({ token, sent, requestId: 'one' });
  };
  for (const field of ['jwks_uri', 'backchannel_logout_uri']) {
    expect(await order(true, field)).toMatchObject({ kind: 'refused', description: `${field} must be https` });
    expect(await order(false, field)).toMatchObject({ kind: 'registered' });
  }
});

it('a browser or phone application gets no secret, one with keys proves itself by them', async () => {
  const { token } = await invite(2);
  const phone = { ...APP, application_type: 'native', token_endpoint_auth_method: 'none' };
  expect((await register({ ...phone, redirect_uris: ['id.example.absensi:/cb'] }, token)).body).not.toHaveProperty(
    'client_secret',
  );
  const jwks = {
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    ],
  };
  const { status, body } = await register({ ...APP, jwks }, token);
  expect([status, body.token_endpoint_auth_method, body.client_secret]).toEqual([201, 'private_key_jwt', undefined]);
});

it.each<[string, unknown, string]>([
  ['nothing', undefined, 'Bearer realm="registration"'],
  ['a token that nobody made', 'abc', 'Bearer realm="registration", error="invalid_token"'],
])('without a token: %s', async (_, token, challenge) => {
  const before = await count();
  const { status, body, headers } = await register(APP, token as string | undefined);
  expect([status, body, headers.get('www-authenticate')]).toEqual([401, { error: 'invalid_token' }, challenge]);
  expect(await count()).toBe(before);
});

it('a token ends by its time, by its uses and by its operator', async () => {
  const late = await invite(1, 1);
  house.time.pass({ minutes: 61 });
  expect((await register(APP, late.token)).status).toBe(401);
  const twice = await invite(2);
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => register(APP, twice.token)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 401, 401, 401]);
  const ended = await invite(5);
  const { db, clientInvitations } = house.services;
  expect(await db.transaction((tx) => clientInvitations.end(tx, ended.id))).toBe(true);
  expect((await register(APP, ended.token)).status).toBe(401);
  const kept = await db.query('SELECT digest FROM client_invitations');
  expect(JSON.stringify(kept)).not.toContain(ended.token);
});

it.each<[string, object, string]>([
  ['an address that is not https', { redirect_uris: ['http://absensi.example/cb'] }, 'invalid_redirect_uri'],
  ['an address with a wildcard', { redirect_uris: ['https://*.example/cb'] }, 'invalid_redirect_uri'],
  ['no address', { redirect_uris: [] }, 'invalid_redirect_uri'],
  ['an unknown method', { token_endpoint_auth_method: 'client_secret_jwt' }, 'invalid_client_metadata'],
  ['what operators decide', { x: { claims: ['nip'] } }, 'invalid_client_metadata'],
  ['an empty x', { x: {} }, 'invalid_client_metadata'],
  ['acting for itself', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
  ['token exchange', { grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] }, 'invalid_client_metadata'],
  ['what the personnel system knows', { scope: 'openid asn' }, 'invalid_client_metadata'],
  ['scopes of the admin API', { scope: 'openid clients:write' }, 'invalid_client_metadata'],
  ['weeks without the person', { scope: 'openid offline_access' }, 'invalid_client_metadata'],
  ['devices', { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] }, 'invalid_client_metadata'],
  [
    'addresses at two hosts',
    { redirect_uris: ['https://satu.example/cb', 'https://dua.example/cb'] },
    'invalid_redirect_uri',
  ],
  ['the implicit flow', { response_types: ['token'] }, 'invalid_client_metadata'],
])('refuses %s, and the token is not used up', async (_, change, error) => {
  const { token } = await invite();
  const before = await count();
  const { status, body } = await register({ ...APP, ...change }, token);
  expect([status, body.error, typeof body.error_description]).toEqual([400, error, 'string']);
  expect(await count()).toBe(before);
  expect((await register(APP, token)).status).toBe(201);
});

it.each(['{', '[]', '"text"', 'null'])('refuses a body that is no object: %s', async (sent) => {
  const { token } = await invite();
  expect(await register(sent, token)).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } });
});

it('nothing of another client can be taken, its id least of all', async () => {
  const { token } = await invite(2);
  const first = await register(APP, token);
  const second = await register({ ...APP, client_id: first.body.client_id, client_secret: 'a'.repeat(40) }, token);
  expect(second.status).toBe(201);
  expect(second.body.client_id).not.toBe(first.body.client_id);
  expect(second.body.client_secret).not.toBe('a'.repeat(40));
});
