import type { AccountId } from '../kernel/ids.js';
import type { AdminCaller, AdminTokens } from './admin-tokens.js';

/** Writes by people need an authentication at most this old (R-10, RFC 9470). */
const MAX_AGE_SECONDS = 300;
/** Classes that count as two factors. */
const ACCEPTED_ACR: readonly string[] = ['urn:asn:aal2', 'phr'];
/** RFC 6750 section 3: a challenge has at least one parameter. */
const REALM = 'realm="admin"';

/** A person whom the token admits to a call. Their authority is another question, asked by the action itself. */
export interface AdminPerson {
  readonly accountId: AccountId;
  readonly clientId: string;
}

export type AdmissionCode = 'invalid_token' | 'insufficient_scope' | 'forbidden' | 'insufficient_user_authentication';

export interface Denied {
  readonly kind: 'denied';
  readonly status: 401 | 403;
  readonly code: AdmissionCode;
  /** For `WWW-Authenticate`: what would help. Undefined when nothing would. */
  readonly challenge: string | undefined;
}

export type Admission = { readonly kind: 'admitted'; readonly person: AdminPerson } | Denied;

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** Finds out whose token the Authorization header holds, looking at nothing else of the call. */
export async function identifyCaller(
  authorization: string | undefined,
  tokens: AdminTokens,
): Promise<{ readonly kind: 'identified'; readonly caller: AdminCaller } | Denied> {
  if (authorization === undefined || !/^Bearer\b/i.test(authorization)) {
    // RFC 6750 section 3.1: who has shown nothing is told of no error.
    return { kind: 'denied', status: 401, code: 'invalid_token', challenge: `Bearer ${REALM}` };
  }
  const [, bearer] = BEARER.exec(authorization) ?? [];
  const caller = bearer === undefined ? undefined : await tokens.verify(bearer);
  if (caller !== undefined) return { kind: 'identified', caller };
  return { kind: 'denied', status: 401, code: 'invalid_token', challenge: `Bearer ${REALM}, error="invalid_token"` };
}

/** Lets a person in to change something: with the scope, and from a recent authentication with two factors. */
export function admitPerson(caller: AdminCaller, { scope, now }: { scope: string; now: Date }): Admission {
  if (!caller.scopes.has(scope)) {
    const challenge = `Bearer ${REALM}, error="insufficient_scope", scope="${scope}"`;
    return { kind: 'denied', status: 403, code: 'insufficient_scope', challenge };
  }
  // A service has no identity that could have checked another one.
  if (caller.accountId === undefined) return { kind: 'denied', status: 403, code: 'forbidden', challenge: undefined };
  if (!isFresh(caller, now)) {
    const needed = `acr_values="${ACCEPTED_ACR.join(' ')}", max_age="${MAX_AGE_SECONDS}"`;
    const challenge = `Bearer ${REALM}, error="insufficient_user_authentication", ${needed}`;
    return { kind: 'denied', status: 401, code: 'insufficient_user_authentication', challenge };
  }
  return { kind: 'admitted', person: { accountId: caller.accountId, clientId: caller.clientId } };
}

function isFresh({ acr, authenticatedAt }: AdminCaller, now: Date): boolean {
  if (acr === undefined || authenticatedAt === undefined || !ACCEPTED_ACR.includes(acr)) return false;
  return now.getTime() - authenticatedAt.getTime() <= MAX_AGE_SECONDS * 1000;
}
