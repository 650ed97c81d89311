import { z } from 'zod';
import { ADMIN_SCOPES } from './admin-resource.js';
import { CLAIM_NAMES, OIDC_SCOPES } from './scopes.js';
import {
  ASSERTION_ALGS,
  CONTENT_ENCRYPTIONS,
  ENCRYPTION_ALGS,
  REQUEST_OBJECT_ALGS,
  SIGNED_RESPONSE_ALGS,
} from './algorithms.js';
import { ACR_LADDER } from './authentication-class.js';
import { addressProblem, isLoopback } from './client-addresses.js';
import { nameProblem } from './client-name.js';
import { sectorProblem } from './sector.js';
import { keyProblems, isPublicKey } from './client-keys.js';
import { fapi2Contradictions, isFapi2 } from './fapi2.js';
import { certificateProblems, type MutualTls } from './mutual-tls.js';

/** What the loader knows about the installation. */
export interface ClientRules {
  readonly issuer: URL;
  /** The admin API's audience: the only resource with the scopes of the admin plane. */
  readonly adminResource: string;
  readonly production: boolean;
  /** Absent where no proxy hands client certificates over. */
  readonly mutualTls?: MutualTls | undefined;
}

/** Ids of the clients that are part of this program. */
export const OWN_CLIENT_IDS = ['asn-digital', 'asn-account', 'helpdesk', 'helpdesk-act'];

/** Ids that are words of our pages' addresses, or of every object: whoever keeps something by id would find these. */
const RESERVED_IDS: readonly string[] = ['new', ...Object.getOwnPropertyNames(Object.prototype)];

export const AUTH_METHODS = ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'] as const;
/** RFC 8628: devices that have no browser of their own. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8693: a service that was called on behalf of a person calls the next one. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  DEVICE_GRANT,
  TOKEN_EXCHANGE,
] as const;
/** RFC 8705: in an installation that knows client certificates. */
export const CERTIFICATE_METHODS = ['self_signed_tls_client_auth', 'tls_client_auth'] as const;
/** Ways to answer an authorization request; with `jwt` signed (JARM). */
export const RESPONSE_MODES = [
  'query',
  'form_post',
  'fragment',
  'jwt',
  'query.jwt',
  'form_post.jwt',
  'fragment.jwt',
] as const;
const PROFILES = ['fapi2'] as const;
const CATEGORIES = ['Seleksi CASN', 'Individu', 'Instansi', 'Layanan Pendukung'] as const;
const EMPLOYMENTS = ['PNS', 'PPPK', 'CPNS', 'PPPK_PARUH_WAKTU'] as const;

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`);
/** Adds what a rule says of a value. */
const judged =
  <T>(rule: (value: T) => string | undefined) =>
  (value: T, check: z.core.$RefinementCtx): void => {
    const problem = rule(value);
    if (problem !== undefined) check.addIssue({ code: 'custom', message: problem });
  };
const name = z.string().min(1).max(100).superRefine(judged(nameProblem));
const webAddress = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be a web address')
  .superRefine(judged(addressProblem));

/** Exact addresses to which people are sent: https, or http to this machine outside production. */
function redirectAddress(rules: ClientRules, native: boolean): (text: string) => string | undefined {
  return (text) => {
    const url = URL.parse(text);
    if (url === null) return 'must be an absolute address';
    if (text.includes('#')) return 'must not have a fragment';
    if (text.includes('*')) return 'must be exact, without wildcards';
    const wrong = addressProblem(text);
    if (wrong !== undefined) return wrong;
    switch (url.protocol) {
      case 'https:':
        // RFC 8252 section 7.2: claimed by the application, which nobody can do for this machine.
        return native && isLoopback(url) ? 'must be http on a loopback host' : undefined;
      case 'http:':
        if (isLoopback(url) && (native || !rules.production)) return undefined;
        return rules.production && !native ? 'must be https' : 'must be https, or http to a loopback host';
      default:
        // RFC 8252 section 7.1: a scheme of one's own is a domain name written backwards.
        return native && url.protocol.includes('.') ? undefined : 'must be https';
    }
  };
}

const publicJwk = z
  .looseObject({ kty: z.string() })
  .refine((jwk) => ['RSA', 'EC', 'OKP'].includes(jwk.kty), 'must be an RSA, EC or OKP key')
  .refine((jwk) => !['d', 'p', 'q', 'k', 'priv'].some((part) => part in jwk), 'must hold public keys only')
  .refine(isPublicKey, 'is not a key that can be read');

/** RFC 8707 section 2. */
const resourceAddress = z
  .string()
  .refine((text) => URL.canParse(text) && !text.includes('#'), 'must be an absolute address without fragment');

/** Only what stands there itself: a resource may be called anything. */
const scopesAt = (resources: Readonly<Record<string, readonly string[]>>, uri: string): readonly string[] =>
  (Object.hasOwn(resources, uri) ? resources[uri] : undefined) ?? [];

const extension = (rules: ClientRules) =>
  z.strictObject({
    category: oneOf(CATEGORIES).optional(),
    icon: name.optional(),
    description: name.optional(),
    launch_uri: webAddress.optional(),
    acr: oneOf(ACR_LADDER).optional(),
    max_age_seconds: z.int().min(0).max(43_200).optional(),
    allowed_employment: z.array(oneOf(EMPLOYMENTS)).optional(),
    allowed_agencies: z.array(z.string().min(1)).optional(),
    allowed_roles: z.array(z.string().min(1)).optional(),
    claims: z.array(oneOf(CLAIM_NAMES)).optional(),
    claims_in_id_token: z.boolean().optional(),
    require_pkce: z.boolean().optional(),
    profile: oneOf(PROFILES).optional(),
    redirect_origins: z
      .array(
        z
          .string()
          .refine((text) => URL.parse(text)?.origin === text, 'must be an origin, without path')
          .superRefine(judged(addressProblem)),
      )
      .optional(),
    resources: z
      .record(resourceAddress, z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope')))
      .superRefine((resources, check) => {
        const unknown = scopesAt(resources, rules.adminResource).find((scope) => !ADMIN_SCOPES.includes(scope));
        if (unknown !== undefined) {
          check.addIssue({
            code: 'custom',
            message: `the admin API has no scope ${unknown}`,
            path: [rules.adminResource],
          });
        }
      })
      .optional(),
    serves: z
      .array(resourceAddress.refine((uri) => uri !== rules.adminResource, 'is served by this program'))
      .optional(),
    keycloak_js: z.boolean().optional(),
    agency: z.string().min(1).optional(),
    personnel_feed: z.boolean().optional(),
  });

/** OpenID Connect Dynamic Client Registration 1.0 names, and our own under `x` (docs/CONTRACT). */
export const clientSchema = (rules: ClientRules) =>
  z
    .strictObject({
      client_id: z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$/,
          'must be 1 to 64 letters, digits, dots, dashes, underscores or tildes, a letter or digit first',
        )
        .refine((id) => !OWN_CLIENT_IDS.includes(id), 'is the id of a built-in client')
        .refine((id) => !RESERVED_IDS.includes(id), 'is a word with a meaning of its own'),
      client_name: name,
      application_type: oneOf(['web', 'native']).default('web'),
      client_secret: z.string().min(32, 'must have 32 characters or more').optional(),
      client_uri: webAddress.optional(),
      logo_uri: webAddress.optional(),
      policy_uri: webAddress.optional(),
      tos_uri: webAddress.optional(),
      // OpenID Connect Core section 4.
      initiate_login_uri: webAddress.refine((text) => text.startsWith('https:'), 'must be https').optional(),
      contacts: z.array(z.email()).optional(),
      grant_types: z.array(oneOf(GRANT_TYPES)).default(['authorization_code']),
      response_types: z.array(oneOf(['code'])).optional(),
      response_modes: z.array(oneOf(RESPONSE_MODES)).min(1).optional(),
      redirect_uris: z.array(z.string()).default([]),
      post_logout_redirect_uris: z.array(z.string()).default([]),
      backchannel_logout_uri: webAddress.optional(),
      backchannel_logout_session_required: z.boolean().optional(),
      token_endpoint_auth_method: oneOf([...AUTH_METHODS, ...CERTIFICATE_METHODS]).default('private_key_jwt'),
      token_endpoint_auth_signing_alg: oneOf(ASSERTION_ALGS).optional(),
      tls_client_auth_subject_dn: z.string().min(1).optional(),
      tls_client_auth_san_dns: z.string().min(1).optional(),
      tls_client_auth_san_uri: z.string().min(1).optional(),
      tls_client_auth_san_ip: z.string().min(1).optional(),
      tls_client_auth_san_email: z.string().min(1).optional(),
      jwks: z.strictObject({ keys: z.array(publicJwk).min(1) }).optional(),
      jwks_uri: webAddress.optional(),
      id_token_signed_response_alg: oneOf(SIGNED_RESPONSE_ALGS).default('ES256'),
      id_token_encrypted_response_alg: oneOf(ENCRYPTION_ALGS).optional(),
      id_token_encrypted_response_enc: oneOf(CONTENT_ENCRYPTIONS).optional(),
      authorization_signed_response_alg: oneOf(SIGNED_RESPONSE_ALGS).optional(),
      request_object_signing_alg: oneOf(REQUEST_OBJECT_ALGS).optional(),
      require_signed_request_object: z.boolean().optional(),
      default_acr_values: z.array(oneOf(ACR_LADDER)).optional(),
      default_max_age: z.int().min(0).optional(),
      require_auth_time: z.boolean().optional(),
      require_pushed_authorization_requests: z.boolean().optional(),
      dpop_bound_access_tokens: z.boolean().optional(),
      tls_client_certificate_bound_access_tokens: z.boolean().optional(),
      scope: z
        .string()
        .refine(
          (text) => text.split(' ').every((scope) => OIDC_SCOPES.includes(scope)),
          `must be some of ${OIDC_SCOPES.join(' ')}`,
        )
        .optional(),
      subject_type: oneOf(['public', 'pairwise']).optional(),
      sector_identifier_uri: z
        .url({ protocol: /^https$/, error: 'must be https' })
        .superRefine(judged(addressProblem))
        .optional(),
      x: extension(rules).default({}),
    })
    .superRefine((client, check) => {
      const problem = (field: string, message: string): void => {
        check.addIssue({ code: 'custom', path: [field], message });
      };
      const logsIn = client.grant_types.includes('authorization_code');
      const judge = redirectAddress(rules, client.application_type === 'native');
      for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
        for (const uri of client[field]) {
          const wrong = judge(uri);
          if (wrong !== undefined) problem(field, `${uri} ${wrong}`);
        }
      }
      if (client.grant_types.length === 0 && client.x.serves === undefined)
        problem('grant_types', 'may be empty only for a client with x.serves');
      const withoutSector = sectorProblem(client);
      if (withoutSector !== undefined) problem(...withoutSector);
      if (logsIn && client.redirect_uris.length === 0) problem('redirect_uris', 'must hold an address');
      if (!logsIn && client.redirect_uris.length > 0)
        problem('redirect_uris', 'are of no use without authorization_code');
      if (client.grant_types.includes('refresh_token') && !logsIn && !client.grant_types.includes(DEVICE_GRANT))
        problem('grant_types', 'refresh_token needs authorization_code or the device grant');
      switch (client.token_endpoint_auth_method) {
        // The secret stands beside the registration: one that is missing is made by `clients rotate-secret`.
        case 'client_secret_basic':
        case 'client_secret_post':
          break;
        case 'none':
          if (client.x.require_pkce === false)
            problem('x.require_pkce', 'PKCE is all that protects a client without a secret');
          for (const grant of ['client_credentials', TOKEN_EXCHANGE] as const) {
            if (client.grant_types.includes(grant)) problem('grant_types', `${grant} needs client authentication`);
          }
          if (client.x.serves !== undefined) problem('x.serves', 'needs client authentication');
          break;
        case 'private_key_jwt':
        case 'self_signed_tls_client_auth':
        case 'tls_client_auth':
          break;
      }
      const found = [
        ...keyProblems(client),
        ...certificateProblems(client, rules.mutualTls),
        ...(isFapi2(client) ? fapi2Contradictions(client) : []),
      ];
      for (const each of found) problem(each.field, each.problem);
      if (!logsIn && client.response_modes !== undefined)
        problem('response_modes', 'are of no use without authorization_code');
      if (
        client.token_endpoint_auth_signing_alg !== undefined &&
        client.token_endpoint_auth_method !== 'private_key_jwt'
      ) {
        problem('token_endpoint_auth_signing_alg', `is of no use with ${client.token_endpoint_auth_method}`);
      }
      if (client.client_secret !== undefined && !usesSecret(client)) {
        problem('client_secret', `is of no use with ${client.token_endpoint_auth_method}`);
      }
      if (client.x.keycloak_js === true && client.token_endpoint_auth_method !== 'none')
        problem('x.keycloak_js', 'is for applications in the browser, without a secret');
      if (client.grant_types.includes(TOKEN_EXCHANGE)) {
        if (client.x.serves === undefined) problem('x.serves', 'names whose tokens a client may exchange');
        if (client.x.resources === undefined) problem('x.resources', 'names what a client may exchange tokens for');
      }
      if (client.x.personnel_feed === true) {
        const mayWrite = scopesAt(client.x.resources ?? {}, rules.adminResource).includes('accounts:write');
        if (!client.grant_types.includes('client_credentials')) {
          problem('x.personnel_feed', 'is for clients with client_credentials');
        } else if (!mayWrite) {
          problem('x.personnel_feed', `needs accounts:write at ${rules.adminResource}`);
        }
      }
      if (client.x.agency !== undefined && !client.grant_types.includes('client_credentials')) {
        problem('x.agency', 'is for clients with client_credentials');
      }
    });

/** Whether a client proves itself with a shared secret. */
export const usesSecret = (client: Pick<ClientRegistration, 'token_endpoint_auth_method'>): boolean =>
  client.token_endpoint_auth_method.startsWith('client_secret_');

export type ClientRegistration = z.infer<ReturnType<typeof clientSchema>>;
