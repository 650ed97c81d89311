import type { AdminCaller, AdminTokens } from '../admin-tokens.js';
import type { Call, Caller } from './call.js';
import type { Problem, ProblemCode } from './problem.js';

/** Writes by people need an authentication at most this old (R-10, RFC 9470). */
const MAX_AGE_SECONDS = 300;
/** Classes that count as two factors. */
const ACCEPTED_ACR: readonly string[] = ['urn:asn:aal2', 'phr'];

type AdmissionCode = Extract<
  ProblemCode,
  'invalid_token' | 'insufficient_scope' | 'forbidden' | 'insufficient_user_authentication'
>;

export type Denied = Problem<AdmissionCode> & { readonly kind: 'denied' };

/** RFC 6750 section 3: a challenge has at least one parameter. */
const challenged = (problem: AdmissionCode, ...parameters: readonly string[]): Denied => ({
  kind: 'denied',
  problem,
  challenge: `Bearer ${['realm="admin"', ...parameters].join(', ')}`,
});
/** Nothing would help. */
const FORBIDDEN: Denied = { kind: 'denied', problem: 'forbidden' };

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** Finds out whose token the Authorization header holds, looking at nothing else of the call. */
export async function identifyCaller(
  authorization: string | undefined,
  tokens: AdminTokens,
): Promise<{ readonly kind: 'identified'; readonly caller: AdminCaller } | Denied> {
  // RFC 6750 section 3.1: who has shown nothing is told of no error.
  if (authorization === undefined || !/^Bearer\b/i.test(authorization)) return challenged('invalid_token');
  const [, bearer] = BEARER.exec(authorization) ?? [];
  const caller = bearer === undefined ? undefined : await tokens.verify(bearer);
  return caller === undefined ? challenged('invalid_token', 'error="invalid_token"') : { kind: 'identified', caller };
}

/**
 * Lets a caller in: with the scope, and, a person, with two factors; to change something, from an authentication of the
 * last five minutes. A service has no identity that could have checked another one, so most calls are for people.
 */
export function admit(
  { clientId, accountId, agency, ...token }: AdminCaller,
  { scope, callers, kind }: Pick<Call, 'scope' | 'callers' | 'kind'>,
  now: Date,
): { readonly kind: 'admitted'; readonly caller: Caller } | Denied {
  if (!token.scopes.has(scope))
    return challenged('insufficient_scope', 'error="insufficient_scope"', `scope="${scope}"`);
  if (accountId === undefined) {
    if (callers === 'person') return FORBIDDEN;
    return { kind: 'admitted', caller: { kind: 'service', clientId, agency } };
  }
  if (callers === 'service') return FORBIDDEN;
  if (!hasTwoFactors(token) || (kind === 'write' && !isFresh(token, now))) {
    const needed = [
      `acr_values="${ACCEPTED_ACR.join(' ')}"`,
      ...(kind === 'write' ? [`max_age="${MAX_AGE_SECONDS}"`] : []),
    ];
    return challenged('insufficient_user_authentication', 'error="insufficient_user_authentication"', ...needed);
  }
  return { kind: 'admitted', caller: { kind: 'person', accountId, clientId } };
}

const hasTwoFactors = ({ acr }: Pick<AdminCaller, 'acr'>): boolean => acr !== undefined && ACCEPTED_ACR.includes(acr);

const isFresh = ({ authenticatedAt }: Pick<AdminCaller, 'authenticatedAt'>, now: Date): boolean =>
  authenticatedAt !== undefined && now.getTime() - authenticatedAt.getTime() <= MAX_AGE_SECONDS * 1000;
