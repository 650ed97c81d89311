import { errors, type JsonValue, type KoaContextWithOIDC } from 'oidc-provider';
import { decodeJwt } from 'jose';
import { ASSERTION_SECONDS, CLOCK_TOLERANCE_SECONDS, PROOF_SECONDS, REQUEST_OBJECT_SECONDS } from '../lifetimes.js';

/** A JWT that a client signed, where it arrived. */
interface Received {
  readonly claims: Record<string, JsonValue>;
  readonly issuer: string;
  /** Seconds since the epoch. */
  readonly now: number;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** FAPI 2.0 section 5.3.2.1 (13): ten seconds of a clock that runs ahead are forgiven, not more. */
const isFromTheFuture = ({ claims: { iat }, now }: Received): boolean =>
  isNumber(iat) && iat > now + CLOCK_TOLERANCE_SECONDS;

/** an assertion is made for us alone and for one request (RFC 7523 section 3, FAPI 2.0 section 5.3.2.1). */
export function requireShortAssertion(assertion: Received): void {
  const { aud, iat, exp } = assertion.claims;
  if (aud !== assertion.issuer) throw new errors.InvalidClientAuth('audience (aud) must equal the issuer identifier');
  if (isFromTheFuture(assertion)) throw new errors.InvalidClientAuth('issued in the future');
  const latest = Math.min(
    (isNumber(iat) ? iat : assertion.now) + ASSERTION_SECONDS,
    assertion.now + ASSERTION_SECONDS + CLOCK_TOLERANCE_SECONDS,
  );
  if (!isNumber(exp) || exp > latest) {
    throw new errors.InvalidClientAuth(`a client assertion must expire within ${ASSERTION_SECONDS} seconds`);
  }
}

/** The media type of a request object, and what is said by JWTs that name none (RFC 9101 section 10.8, RFC 8725). */
const REQUEST_OBJECT_TYPES: readonly unknown[] = [undefined, 'JWT', 'jwt', 'oauth-authz-req+jwt'];

/**
 * A request object is made for us alone and soon over, and is no client assertion (RFC 9101 sections 4 and 10.8).
 * RS256 is for clients that registered it; FAPI 2.0 wants `nbf` as well (Message Signing section 5.3.1).
 */
export function requireShortRequestObject(
  object: Received & {
    readonly header: Record<string, JsonValue>;
    readonly client: { readonly clientId: string; readonly requestObjectSigningAlg?: unknown };
    readonly isFapi2: boolean;
  },
): void {
  const { claims, header, client, now } = object;
  const refuse = (reason: string): never => {
    throw new errors.InvalidRequestObject(reason);
  };
  if (claims.aud !== object.issuer) refuse('audience (aud) must equal the issuer identifier');
  if (!REQUEST_OBJECT_TYPES.includes(header.typ)) refuse('typ must be oauth-authz-req+jwt');
  if (claims.sub === client.clientId) refuse('a Request Object must not be a client assertion');
  if (header.alg === 'RS256' && client.requestObjectSigningAlg !== 'RS256') refuse('RS256 is not registered');
  if (isFromTheFuture(object)) refuse('issued in the future');
  if (!isNumber(claims.exp) || claims.exp > now + REQUEST_OBJECT_SECONDS + CLOCK_TOLERANCE_SECONDS) {
    refuse(`a Request Object must expire within ${REQUEST_OBJECT_SECONDS} seconds`);
  }
  if (object.isFapi2 && !isNumber(claims.nbf)) refuse("the 'nbf' claim is missing");
}

/** The provider reads a pushed request a second time, in a JWT of its own making when it came as parameters. */
export const isReadAgain = (ctx: KoaContextWithOIDC): boolean => 'PushedAuthorizationRequest' in ctx.oidc.entities;

/**
 * Whether a DPoP proof was made at another time than now, which takes a nonce of ours then (FAPI 2.0 section
 * 5.3.2.1 (13)). The provider itself would take five minutes. What is no proof is left to it to refuse.
 */
export function isOutOfTime(proof: string, now: number): boolean {
  try {
    const { iat } = decodeJwt(proof);
    return isNumber(iat) && Math.abs(now - iat) > PROOF_SECONDS;
  } catch {
    return false;
  }
}
