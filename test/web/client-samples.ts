import { factsOf } from '#src/clients/client-facts.js';
import { clientSchema } from '#src/clients/client-schema.js';
import { templateText, TEMPLATE_NAMES } from '#src/helpdesk/console/client-templates.js';
import type { ClientErrorShown, ClientPages, ClientShown } from '#src/web/client-pages.js';
import type { Shell } from '#src/web/pages.js';
import { jwks } from '../oidc/support/registrations.js';
import { OFFICER } from './helpdesk-samples.js';

/** Pages about relying parties, in every state. */
const now = new Date('2026-11-23T01:15:42Z');
const before = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);

export const OPERATOR: Partial<Shell> = {
  path: '/helpdesk/clients',
  officer: {
    name: 'Nama Operator',
    tabs: [...(OFFICER.officer?.tabs ?? []), { name: 'clients', href: '/helpdesk/clients' }],
  },
};
export const DEVELOPER: Partial<Shell> = { path: '/developer', person: { name: 'Nama Pengembang' } };

const KINDS = [
  'access_denied',
  'invalid_client',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_redirect_uri',
  'invalid_request',
  'invalid_request_object',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'other',
];
const errorOf = (kind: string, change: Partial<ClientErrorShown> = {}): ClientErrorShown => ({
  kind,
  error: kind === 'other' ? 'temporarily_unavailable' : kind,
  detail: 'authorization code not found',
  endpoint: 'token',
  lastAt: before(7),
  times: 12,
  requestId: '4K7M2Q9RT0XW3B1C',
  ...change,
});

const schema = clientSchema({
  issuer: new URL('https://sso.asn.example'),
  adminResource: 'https://sso.asn.example/api/admin',
  production: true,
});
const facts = (change: object) =>
  factsOf(
    schema.parse({
      client_id: 'absensi',
      client_name: 'Absensi Digital',
      redirect_uris: ['https://absensi.instansi.go.id/callback', 'https://absensi.instansi.go.id/silent'],
      token_endpoint_auth_method: 'client_secret_basic',
      ...change,
    }),
  );
const PLAIN: ClientShown = {
  clientId: 'absensi',
  name: 'Absensi Digital',
  source: 'console',
  authentication: 'client_secret_basic',
  state: 'in_use',
  lastUsedAt: before(3),
  facts: facts({
    post_logout_redirect_uris: ['https://absensi.instansi.go.id/'],
    backchannel_logout_uri: 'https://absensi.instansi.go.id/backchannel-logout',
    x: {
      launch_uri: 'https://absensi.instansi.go.id/',
      acr: 'urn:asn:aal2',
      max_age_seconds: 900,
      claims: ['name', 'nip'],
      claims_in_id_token: true,
      allowed_employment: ['PNS', 'PPPK'],
      allowed_agencies: ['33.09', '33.11'],
      allowed_roles: ['pengawas'],
    },
  }),
  json: '{\n  "client_id": "absensi",\n  "client_name": "Absensi Digital"\n}',
  problems: [],
  weaknesses: [{ field: 'token_endpoint_auth_method', warning: 'client_secret_basic: a shared secret' }],
  changedAt: before(5000),
  errors: [
    errorOf('invalid_redirect_uri', {
      endpoint: 'authorization',
      detail: "redirect_uri did not match any of the client's registered redirect_uris",
    }),
    errorOf('invalid_grant'),
  ],
  carried: [
    { token: 'id_token', claims: ['sub', 'acr', 'amr', 'auth_time', 'sid', 'nip'] },
    { token: 'access_token', claims: ['sub', 'scope'] },
  ],
};
const bare = (state: ClientShown['state'], change: Partial<ClientShown> = {}): ClientShown => ({
  ...PLAIN,
  state,
  lastUsedAt: undefined,
  weaknesses: [],
  errors: [],
  carried: [],
  ...change,
});
const SHOWN: readonly (readonly [string, ClientShown])[] = [
  ['plain', PLAIN],
  ['every error', bare('in_use', { errors: KINDS.map((kind) => errorOf(kind, { requestId: undefined, detail: '' })) })],
  [
    'all that may be demanded, of a phone',
    bare('disabled', {
      source: 'file',
      authentication: 'private_key_jwt',
      facts: {
        ...facts({ application_type: 'native', x: { claims: [] } }),
        demands: ['fapi2', 'pkce', 'par', 'signed_request', 'dpop', 'certificate_bound'],
      },
    }),
  ],
  [
    'pairwise, with nothing of people',
    bare('in_use', {
      source: 'registration',
      facts: facts({ subject_type: 'pairwise', redirect_uris: ['https://a.go.id/cb'], x: { claims: [] } }),
    }),
  ],
  [
    'what its scopes give',
    bare('in_use', { facts: facts({ token_endpoint_auth_method: 'none', scope: 'openid profile' }) }),
  ],
  [
    'a service',
    bare('in_use', {
      facts: facts({
        redirect_uris: [],
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: 'https://absensi.instansi.go.id/jwks.json',
        x: { resources: { 'https://api.instansi.go.id': ['data:read', 'data:write'] } },
      }),
    }),
  ],
  [
    'a device',
    bare('in_use', {
      authentication: 'none',
      facts: facts({
        redirect_uris: [],
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        scope: 'openid profile',
        x: { allowed_employment: ['PNS'] },
      }),
    }),
  ],
  [
    'a service in between, disabled',
    bare('disabled', {
      facts: facts({
        redirect_uris: [],
        grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: 'https://absensi.instansi.go.id/jwks.json',
        x: {
          serves: ['https://api.instansi.go.id/absensi', 'https://api.instansi.go.id/cuti'],
          resources: { 'https://gaji.instansi.go.id': ['gaji:read'] },
        },
      }),
    }),
  ],
  [
    'one that checks tokens',
    bare('in_use', {
      facts: facts({ redirect_uris: [], grant_types: [], x: { serves: ['https://api.instansi.go.id'] } }),
    }),
  ],
  [
    'with keys',
    bare('in_use', {
      authentication: 'private_key_jwt',
      facts: facts({ token_endpoint_auth_method: 'private_key_jwt', jwks: jwks('absensi') }),
    }),
  ],
  [
    'refused',
    bare('refused', { facts: undefined, problems: [{ field: 'redirect_uris', problem: 'must hold an address' }] }),
  ],
];

type State<Name extends keyof ClientPages> = readonly (readonly [state: string, data: ClientPages[Name]])[];
const ISSUER = 'https://sso.asn.example';
const named = { clientId: 'absensi', name: 'Absensi Digital' };
const line = {
  ...named,
  source: 'file',
  authentication: 'private_key_jwt',
  state: 'in_use',
  lastUsedAt: before(3),
  errorsLastHour: 0,
} as const;
const METHODS = [
  'private_key_jwt',
  'client_secret_basic',
  'client_secret_post',
  'none',
  'self_signed_tls_client_auth',
  'tls_client_auth',
];
const SOURCES = ['file', 'command', 'console', 'registration'];

export const CLIENTS_STATES: State<'helpdesk/clients'> = [
  [
    'plain',
    {
      clients: [
        { ...line, clientId: 'myasn', name: 'MyASN' },
        { ...line, errorsLastHour: 3, source: 'console', authentication: 'client_secret_basic' },
        {
          ...line,
          clientId: 'lama',
          name: 'Aplikasi lama',
          state: 'disabled',
          lastUsedAt: undefined,
          authentication: 'none',
        },
      ],
    },
  ],
  [
    'everything',
    {
      clients: METHODS.map((authentication, index) => ({
        ...line,
        authentication,
        source: SOURCES[index % 4] ?? 'file',
        state: (['in_use', 'disabled', 'refused', 'waiting'] as const)[index % 4] ?? 'in_use',
        clientId: `c${index}`,
      })),
    },
  ],
  ['none', { clients: [] }],
  [
    'found',
    {
      clients: [line],
      lookup: { request: '4K7M2Q9RT0XW3B1C', found: { client: named, error: errorOf('invalid_grant') } },
    },
  ],
  ['not found', { clients: [line], lookup: { request: '4K7M2Q9RT0XW3B1C', found: undefined } }],
];

const developers = [{ id: 'a1', name: 'Nama Pengembang', agency: 'Dinas Kominfo' }];
const DONE = ['client_saved', 'client_disabled', 'client_enabled', 'developer_named', 'developer_dismissed'] as const;

export const CLIENT_STATES: State<'helpdesk/client'> = [
  ...SHOWN.map(
    ([state, client]) =>
      [
        state,
        {
          client,
          developers: state === 'plain' ? developers : [],
          mayEdit: client.source !== 'file',
          mayRotate: state === 'plain',
        },
      ] as const,
  ),
  ...DONE.map((done) => [done, { client: PLAIN, developers, mayEdit: true, mayRotate: true, done }] as const),
];

export const CLIENT_ACT_STATES: State<'helpdesk/client/act'> = [
  ['disable', { action: 'disable', step: 'disable', client: named }],
  ['enable', { action: 'enable', step: 'enable', client: named }],
  ['disable a service', { action: 'disable_service', step: 'disable', client: named }],
  ['enable a service', { action: 'enable_service', step: 'enable', client: named }],
  ['dismiss', { action: 'dismiss', step: 'developers/a1/remove', client: named, developer: 'Nama Pengembang' }],
];

export const CLIENT_SECRET_STATES: State<'helpdesk/client/secret'> = [
  ['new client', { client: named, issuer: ISSUER, secret: 'uY3J5vQ0b8kz2nXq7WcR4tLm9sHd1fGaPeVoZxKiTjU' }],
  [
    'new secret',
    {
      client: named,
      issuer: ISSUER,
      secret: 'uY3J5vQ0b8kz2nXq7WcR4tLm9sHd1fGaPeVoZxKiTjU',
      formerUntil: before(-1440),
    },
  ],
];

const templates = TEMPLATE_NAMES.map((name) => ({ name, href: `/helpdesk/clients/new?template=${name}` }));
const NEW = { action: '/helpdesk/clients/new', registration: templateText('web'), problems: [], templates };

export const CLIENT_EDIT_STATES: State<'helpdesk/client/edit'> = [
  ['new', NEW],
  [
    'wrong',
    {
      ...NEW,
      problems: [
        { field: '', problem: 'is not an object in JSON' },
        { field: 'x.acr', problem: 'must be one of urn:asn:aal2, phr' },
      ],
      error: { code: 'invalid_input', field: 'registration' },
    },
  ],
  ['change', { ...NEW, action: '/helpdesk/clients/absensi/edit', client: named, templates: [] }],
];

export const CLIENT_DEVELOPER_STATES: State<'helpdesk/client/developer'> = [
  ['plain', { client: named }],
  ['nobody', { client: named, nip: '199001012015011009', error: { code: 'not_found', field: 'nip' } }],
  ['no NIP', { client: named, nip: '1990', error: { code: 'invalid_input', field: 'nip' } }],
  ['throttled', { client: named, error: { code: 'throttled', limit: 'requests', retryAfterSeconds: 600 } }],
];

const typed = { uses: '1', hours: '24', note: '' };
const invitation = {
  id: 'i1',
  note: 'Tim Absensi',
  uses: 3,
  usesLeft: 2,
  expiresAt: before(-1440),
  state: 'good',
} as const;

export const INVITATION_STATES: State<'helpdesk/clients/invitations'> = [
  [
    'plain',
    {
      typed,
      invitations: [
        invitation,
        { ...invitation, id: 'i2', state: 'over', usesLeft: 0, note: '' },
        { ...invitation, id: 'i3', state: 'ended' },
      ],
    },
  ],
  ['none', { typed, invitations: [] }],
  ['made', { typed, invitations: [invitation], token: 'uY3J5vQ0b8kz2nXq7WcR4tLm9sHd1fGaPeVoZxKiTjU' }],
  ...(['uses', 'hours', 'note'] as const).map(
    (field) =>
      [
        `wrong ${field}`,
        { typed: { ...typed, [field]: 'x' }, invitations: [], error: { code: 'invalid_input', field } },
      ] as const,
  ),
];

export const DEVELOPER_CLIENTS_STATES: State<'developer/clients'> = [
  [
    'plain',
    {
      clients: [
        { ...line, errorsLastHour: 2 },
        { ...line, clientId: 'lama', name: 'Aplikasi lama', state: 'disabled', lastUsedAt: undefined },
      ],
    },
  ],
];

const addresses = ['issuer', 'discovery', 'authorization', 'token', 'userinfo', 'jwks', 'end_session'].map((name) => ({
  name,
  address: `https://sso.asn.example/oidc/${name}`,
}));
const trial = {
  address: 'https://sso.asn.example/oidc/auth?client_id=absensi&response_type=code&scope=openid',
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
};

export const DEVELOPER_CLIENT_STATES: State<'developer/client'> = [
  ['plain', { client: PLAIN, addresses, trial }],
  ['found', { client: PLAIN, addresses, trial, lookup: { request: 'r-1', found: errorOf('invalid_grant') } }],
  ['not found', { client: PLAIN, addresses, trial, lookup: { request: 'r-2', found: undefined } }],
  ['refused', { client: bare('refused', { facts: undefined }), addresses }],
];
