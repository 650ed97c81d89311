import { randomUUID } from 'node:crypto';
import type { ClientInvitations } from './client-invitations.js';
import { latinProblem, skeletonOf } from './client-name.js';
import type { ClientRegistration } from './client-schema.js';
import type { Clients } from './clients.js';
import { unstorable } from './storable.js';

/**
 * What a client says of itself when it registers itself. Everything else is of no effect, as RFC 7591 section 2 has it,
 * but `x`: who may use a client, what it learns of people and which services it reaches is decided by operators.
 */
const OWN_WORDS = [
  'client_name',
  'application_type',
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'initiate_login_uri',
  'contacts',
  'grant_types',
  'response_types',
  'redirect_uris',
  'post_logout_redirect_uris',
  'backchannel_logout_uri',
  'backchannel_logout_session_required',
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'jwks',
  'jwks_uri',
  'id_token_signed_response_alg',
  'id_token_encrypted_response_alg',
  'id_token_encrypted_response_enc',
  'authorization_signed_response_alg',
  'request_object_signing_alg',
  'require_signed_request_object',
  'require_pushed_authorization_requests',
  'dpop_bound_access_tokens',
  'default_acr_values',
  'default_max_age',
  'require_auth_time',
  'scope',
] as const;

/** Grants by which a client acts for a person who logs in; a client that acts for itself is made by operators. */
const GRANTS: readonly unknown[] = ['authorization_code', 'refresh_token'];
/** Scopes without a word of what the personnel system knows, and nothing that outlives a session. */
const SCOPES: readonly string[] = ['openid', 'profile', 'email'];
/** Told to every client that registered itself, until an operator says otherwise. */
const CLAIMS = ['name'] as const;
/** Addresses that we call, in production by https. */
const CALLED = ['jwks_uri', 'backchannel_logout_uri'] as const;

/** RFC 7591 section 3.2.2. */
export interface RegistrationRefused {
  readonly kind: 'refused';
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
  readonly description: string;
}

export type SelfRegistered =
  | {
      readonly kind: 'registered';
      readonly client: ClientRegistration;
      readonly secret: string | undefined;
      readonly issuedAt: Date;
    }
  | { readonly kind: 'uninvited' }
  | RegistrationRefused;

const invalid = (
  description: string,
  error: RegistrationRefused['error'] = 'invalid_client_metadata',
): RegistrationRefused => ({ kind: 'refused', error, description });

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

function judge(sent: Readonly<Record<string, unknown>>, production: boolean): RegistrationRefused | undefined {
  const [lost] = unstorable(sent);
  if (lost !== undefined) return invalid(lost.join(' ').trim());
  if ('x' in sent) return invalid('x is decided by the operators');
  const grant = listed(sent.grant_types).find((each) => !GRANTS.includes(each));
  if (grant !== undefined) return invalid('grant_types may be authorization_code and refresh_token');
  const scopes = typeof sent.scope === 'string' ? sent.scope.split(' ') : [];
  if (!scopes.every((scope) => SCOPES.includes(scope))) return invalid(`scope may hold ${SCOPES.join(' ')}`);
  const open = CALLED.find((field) => /^http:/i.test(String(sent[field])));
  if (production && open !== undefined) return invalid(`${open} must be https`);
  const name = typeof sent.client_name === 'string' ? latinProblem(sent.client_name) : undefined;
  return name === undefined ? undefined : invalid(`client_name ${name}`);
}

interface Registration {
  readonly client_name: unknown;
  readonly [field: string]: unknown;
}

/** Its registration, with the defaults of RFC 7591 section 2 where a client says nothing, and with the least of people. */
function registrationOf(sent: Readonly<Record<string, unknown>>): Registration {
  const said: Readonly<Record<string, unknown>> = Object.fromEntries(
    OWN_WORDS.flatMap((name) => (name in sent ? [[name, sent[name]]] : [])),
  );
  const hasKeys = 'jwks' in said || 'jwks_uri' in said;
  const id = randomUUID();
  return {
    token_endpoint_auth_method: hasKeys ? 'private_key_jwt' : 'client_secret_basic',
    scope: SCOPES.join(' '),
    ...said,
    client_name: said.client_name ?? `Aplikasi tanpa nama ${id.slice(0, 8)}`,
    client_id: `c-${id}`,
    // It cannot put what it knows of people beside what another client knows.
    subject_type: 'pairwise',
    x: { claims: CLAIMS },
  };
}

/** How a relying party registers itself (RFC 7591), with a token that an operator gave out (ADR 0031). */
export interface SelfRegistration {
  /** Whether there is anything to read: asked before a body is looked at. */
  isInvited(token: string): Promise<boolean>;
  register(order: { token: string; sent: unknown; requestId: string }): Promise<SelfRegistered>;
}

export function createSelfRegistration(parts: {
  readonly clients: Clients;
  readonly invitations: ClientInvitations;
  readonly production: boolean;
}): SelfRegistration {
  const { clients, invitations, production } = parts;
  return {
    isInvited: (token) => invitations.isGood(token),

    async register({ token, sent, requestId }) {
      if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
        return invalid('the body must be an object');
      const words = sent as Readonly<Record<string, unknown>>;
      const wrong = judge(words, production);
      if (wrong !== undefined) return (await invitations.isGood(token)) ? wrong : { kind: 'uninvited' };
      const written = registrationOf(words);
      return clients
        .change<SelfRegistered>(async (edits) => {
          const invitation = await invitations.spend(edits.tx, token);
          if (invitation === undefined) return { kind: 'uninvited' };
          const mine = skeletonOf(String(written.client_name));
          if ((await edits.names()).some((name) => skeletonOf(name) === mine))
            throw new NotAccepted(invalid('client_name reads like the name of another client'));
          const from = { source: 'registration', by: { requestId }, invitation } as const;
          const added = await edits.add(written, { ...from, isWaiting: true });
          if (added.kind === 'added') {
            const record = await edits.find(added.client.client_id);
            if (record === undefined) throw new Error('a client was lost on the way');
            return { kind: 'registered', client: added.client, secret: added.secret, issuedAt: record.createdAt };
          }
          if (added.kind === 'taken') throw new Error('a random id was taken');
          const problems = added.problems.map(({ field, problem }) => `${field} ${problem}`.trim());
          const isOfAddress = added.problems.every(({ field }) =>
            /^(?:redirect_uris|sector_identifier_uri)/.test(field),
          );
          throw new NotAccepted(
            invalid(problems.join('; '), isOfAddress ? 'invalid_redirect_uri' : 'invalid_client_metadata'),
          );
        })
        .catch((error: unknown) => {
          if (error instanceof NotAccepted) return error.refusal;
          throw error;
        });
    },
  };
}

/** Undoes the transaction: who is refused has used nothing up. */
class NotAccepted extends Error {
  readonly refusal: RegistrationRefused;
  constructor(refusal: RegistrationRefused) {
    super('a registration was refused');
    this.refusal = refusal;
  }
}
