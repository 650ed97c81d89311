import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type Provider from 'oidc-provider';
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import type { Audit } from '../../audit/audit.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { TOKEN_EXCHANGE, type ClientRegistration } from '../../clients/client-schema.js';
import { epochSeconds, type Clock } from '../../kernel/clock.js';
import type { Database } from '../../storage/database.js';
import { inherit } from './access-token-claims.js';
import { serves } from './introspection-policy.js';
import type { AccessTokens, ActorClaim, LiveAccessToken } from './access-tokens.js';
import { scopesAt } from './resources.js';
import { TOKEN_SECONDS } from '../lifetimes.js';
import type { Accounts } from '../login/person-account.js';
import { requestId } from '../request-scope.js';
import { guarded } from '../unavailable.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'audience',
  'resource',
  'scope',
] as const;
const REPEATABLE = ['audience', 'resource'];

/** So many services may stand between a person and the last one: a longer chain is a circle or a mistake. */
export const MAX_ACTORS = 3;

type Parameters = Partial<Readonly<Record<(typeof PARAMETERS)[number], string | string[]>>>;

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly registry: Pick<ClientRegistry, 'registration'>;
  readonly tokens: AccessTokens;
  readonly accounts: Pick<Accounts, 'mayUse'>;
  readonly adminResource: string;
}

/** Section 2.2.2: whatever is wrong with the request or a token in it, `detail` is for our log. */
const refuse = (detail: string): Error =>
  Object.assign(new errors.InvalidRequest('the token cannot be exchanged'), { error_detail: detail });

/**
 * Token exchange (RFC 8693) for a service that was called on behalf of a person and calls the next one: the access
 * token it was called with, for one that the next service takes. It names both (`act`), gives what the exchanging
 * client is registered for, and lives no longer than the first, nor than 10 minutes. Asked anew each time is whether
 * the person may still be spoken for; there is no refresh token.
 */
export function registerTokenExchange(provider: Provider, parts: Parts): void {
  provider.registerGrantType<Parameters>(
    TOKEN_EXCHANGE,
    (ctx) => exchange(provider, ctx, parts),
    PARAMETERS,
    REPEATABLE,
  );
}

async function exchange(
  provider: Provider,
  ctx: Context,
  { db, clock, audit, registry, tokens, accounts, adminResource }: Parts,
): Promise<void> {
  const { client, params } = ctx.oidc;
  const registration = registry.registration(client.clientId);
  requireKnownTypes(params);
  const target = targetOf(params, registration, adminResource);
  const scope = scopeOf(params, target.scopes);
  const subject = await subjectOf(tokens, params.subject_token, registration);
  const { claims, grant } = subject;
  if (!(await accounts.mayUse(grant.accountId, client.clientId))) throw refuse('the person may not use this client');

  const act = actorOf(client.clientId, claims.act);
  if (depthOf(act) > MAX_ACTORS) throw refuse('too many actors');
  const left = claims.exp - epochSeconds(clock.now());
  if (left < 1) throw refuse('the subject token has expired');

  const token = new provider.AccessToken({
    client,
    accountId: grant.accountId,
    grantId: grant.id,
    gty: TOKEN_EXCHANGE,
    expiresIn: Math.min(TOKEN_SECONDS, left),
  });
  token.resourceServer = new provider.ResourceServer(target.resource, {
    scope: target.scopes.join(' '),
    audience: target.resource,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  });
  token.scope = scope;
  await bindToSender(provider, ctx, token);
  const { sub, gid = '', sid, acr, amr, auth_time: authTime } = claims;
  inherit(token, { sub, act, gid, sid, acr, amr, auth_time: authTime });

  await guarded(() =>
    audit.record(db, {
      type: 'token.exchanged',
      accountId: grant.accountId,
      clientId: client.clientId,
      requestId: requestId(),
      detail: { from: claims.client_id, resource: target.resource },
    }),
  );
  ctx.oidc.entity('AccessToken', token);
  ctx.body = buildTokenResponse(provider, {
    accessToken: await token.save(),
    issuedTokenType: ACCESS_TOKEN,
    tokenType: token.tokenType,
    expiresIn: token.expiration,
    scope,
  });
}

type Context = TokenEndpointGrantContext<Parameters>;
type AccessToken = InstanceType<Provider['AccessToken']>;

/** To the key that the client proves to have: if it offers a proof, and always where its registration asks for one. */
async function bindToSender(provider: Provider, ctx: Context, token: AccessToken): Promise<void> {
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  const certificate = checkMtlsCert(provider, ctx);
  if (certificate !== undefined) token.setThumbprint('x5t', certificate);
  if (proof === undefined) return;
  await checkDpopReplay(provider, ctx, proof, ctx.oidc.client.clientId);
  token.setThumbprint('jkt', proof.thumbprint);
}

function requireKnownTypes(params: Parameters): void {
  const {
    subject_token_type: given,
    requested_token_type: wanted,
    actor_token: actor,
    actor_token_type: actorType,
  } = params;
  if (typeof params.subject_token !== 'string') throw new errors.InvalidRequest('subject_token is missing');
  if (given !== ACCESS_TOKEN) throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN}`);
  if (wanted !== undefined && wanted !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN}`);
  }
  // The client proves itself, and it is the actor.
  if (actor !== undefined || actorType !== undefined) throw new errors.InvalidRequest('actor_token is not supported');
}

/** The one resource that the new token is for, and what the client may do there. */
function targetOf(
  { resource, audience }: Parameters,
  registration: ClientRegistration | undefined,
  adminResource: string,
): { resource: string; scopes: readonly string[] } {
  const named = [...new Set([resource, audience].flat().filter((each) => each !== undefined))];
  const [only] = named;
  if (only === undefined || named.length > 1) throw new errors.InvalidTarget('name one resource');
  const scopes = scopesAt(registration, only);
  // What officers do, they do by their own hand.
  if (scopes === undefined || only === adminResource) throw new errors.InvalidTarget();
  return { resource: only, scopes };
}

/** What was asked of what is registered; all of it when nothing was asked (RFC 6749 section 3.3). */
function scopeOf({ scope }: Parameters, registered: readonly string[]): string {
  const asked = typeof scope === 'string' ? scope.split(' ') : registered;
  const foreign = asked.find((each) => !registered.includes(each));
  if (foreign !== undefined) throw new errors.InvalidScope('requested scope is not allowed', foreign);
  return [...new Set(asked)].join(' ');
}

/** The person's token, if it was made for this client to be called with. */
async function subjectOf(
  tokens: AccessTokens,
  token: unknown,
  registration: ClientRegistration | undefined,
): Promise<LiveAccessToken & { readonly grant: NonNullable<LiveAccessToken['grant']> }> {
  const found = await tokens.find(String(token));
  if (found === undefined) throw refuse('not a live access token of ours');
  if (!serves(registration, found.claims.aud)) throw refuse('the token is for another resource');
  if (found.grant === undefined) throw refuse('the token is of no person');
  return { claims: found.claims, grant: found.grant };
}

const actorOf = (clientId: string, before: ActorClaim | undefined): ActorClaim =>
  before === undefined ? { sub: clientId } : { sub: clientId, act: before };

const depthOf = (act: ActorClaim | undefined): number => (act === undefined ? 0 : 1 + depthOf(act.act));
