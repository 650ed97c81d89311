import type { ExternalSigningKey } from 'oidc-provider';
import { epochSeconds, type Clock } from '../kernel/clock.js';
import type { Delivery, OutboxHandler } from '../outbox/worker.js';
import type { PostForm } from '../security/outbound-form.js';
import { randomId } from '../security/secrets.js';
import { breaker, type Breaker, type BreakerOptions } from '../storage/breaker.js';
import type { ClientRegistry } from '../clients/client-registry.js';
import { signJwt } from './keys.js';
import type { PartySession } from './logout-notices.js';
import type { Subjects } from './subjects.js';

/** A logout token is worth nothing to whoever finds it later (R-33, A50). */
const LOGOUT_TOKEN_SECONDS = 120;
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** What one relying party may take of our time. */
export const LOGOUT_TIMEOUT_MS = 2_500;
/** After so many calls in a row that took their whole time it is left alone for a while: the others must not wait. */
const PATIENCE: BreakerOptions = { slowMs: 2_000, failures: 5, pauseMs: 30_000 };

export interface LogoutDeliveryParts {
  readonly registry: ClientRegistry;
  readonly subjects: Subjects;
  /** Those of this moment, for each attempt. */
  readonly keys: () => readonly ExternalSigningKey[];
  /** As it stands in tokens. */
  readonly issuer: string;
  readonly clock: Clock;
  readonly post: PostForm;
  readonly patience?: BreakerOptions;
}

/** OpenID Connect Back-Channel Logout 1.0 section 2.8: 200 or 204 is well, 400 is final. */
function judge(status: number): Delivery {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `http_${status}`;
  // Too busy and too slow are a relying party's "later" (RFC 9110 section 15.5.9, RFC 6585 section 4).
  return status >= 500 || status === 408 || status === 429 ? { kind: 'retry', reason } : { kind: 'refused', reason };
}

/** Its message is a code, as in the rows and the log. */
class NotDelivered extends Error {}

/** Tells one relying party that one of its sessions ended, with a token made for this attempt. */
export function createLogoutDelivery(parts: LogoutDeliveryParts): OutboxHandler {
  const { registry, subjects, keys, issuer, clock, post, patience = PATIENCE } = parts;
  const breakers = new Map<string, Breaker>();
  const breakerOf = (clientId: string): Breaker => {
    const known = breakers.get(clientId) ?? breaker(patience);
    breakers.set(clientId, known);
    return known;
  };

  return async ({ payload }, signal) => {
    const { clientId, accountId, sid } = payload as PartySession;
    const client = registry.registration(clientId);
    // A process with a newer clients file may know it.
    if (client?.backchannel_logout_uri === undefined) return { kind: 'retry', reason: 'client_unknown' };
    const address = new URL(client.backchannel_logout_uri);
    const now = epochSeconds(clock.now());

    let reason = 'paused';
    try {
      return await breakerOf(clientId)(async () => {
        const token = await signJwt(keys(), {
          alg: client.id_token_signed_response_alg,
          typ: 'logout+jwt',
          // Section 2.4; a nonce is forbidden there, or the token could pass for an ID token.
          claims: {
            iss: issuer,
            sub: subjects.at(clientId, accountId),
            aud: clientId,
            iat: now,
            exp: now + LOGOUT_TOKEN_SECONDS,
            jti: randomId(),
            sid,
            events: { [EVENT]: {} },
          },
        });
        const posted = await post(address, { fields: { logout_token: token }, signal });
        if (posted.kind === 'answered' && posted.status < 500) return judge(posted.status);
        throw new NotDelivered(posted.kind === 'answered' ? `http_${posted.status}` : posted.reason);
      });
    } catch (error) {
      if (error instanceof NotDelivered) reason = error.message;
      return { kind: 'retry', reason };
    }
  };
}
