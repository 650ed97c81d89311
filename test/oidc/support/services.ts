import { API, web, jwks, SECRET } from './registrations.js';

export const PAYROLL = 'https://payroll.go.example/api';
export const VAULT = 'https://vault.go.example/api';
export const CELLAR = 'https://cellar.go.example/api';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const service = (id: string, x: object, rest: object = {}): object => ({
  client_id: id,
  client_name: `Client ${id}`,
  jwks: jwks(id),
  grant_types: [EXCHANGE],
  x,
  ...rest,
});
const person = ['authorization_code', 'refresh_token'];

/** Services that call each other: archive's API is `records`, which calls payroll, which calls the vault, and so on. */
export const services: readonly object[] = (
  [
    service('records', { serves: [API], resources: { [PAYROLL]: ['pay:read', 'pay:write'], [VAULT]: ['open'] } }),
    service('payroll', { serves: [PAYROLL], resources: { [VAULT]: ['open'] } }),
    service('vault', { serves: [VAULT], resources: { [CELLAR]: ['open'] } }),
    service('cellar', { serves: [CELLAR], resources: { [PAYROLL]: ['pay:read'] } }),
    service('bound', { serves: [API], resources: { [PAYROLL]: ['pay:read'] } }, { dpop_bound_access_tokens: true }),
    service('greedy', {
      serves: [API],
      resources: { ['https://sso.asn.example/api/admin']: ['accounts:read'], [PAYROLL]: ['pay:read'] },
    }),
    // A resource that asks and does nothing else.
    service('desk-api', { serves: [API] }, { grant_types: [] }),
    {
      ...service('old-api', { serves: [API] }, { grant_types: [] }),
      jwks: undefined,
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: SECRET,
    },
    web('masked', { grant_types: person, subject_type: 'pairwise', x: { resources: { [API]: ['read'] } } }),
    web('members', {
      grant_types: person,
      x: { allowed_employment: ['PNS'], resources: { [API]: ['read'], [PAYROLL]: ['pay:read'] } },
    }),
  ] as object[]
).map((client) => JSON.parse(JSON.stringify(client)) as object);
