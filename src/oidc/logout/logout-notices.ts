import type { AccountId } from '../../kernel/ids.js';
import type { Outbox } from '../../outbox/outbox.js';
import type { Queryable } from '../../storage/database.js';
import type { ClientRegistration } from '../../clients/client-schema.js';

/** The outbox kind of a message to a relying party that its session ended. */
export const BACKCHANNEL_LOGOUT = 'backchannel_logout';

/** What a relying party knows as one session: the `sub` and `sid` of its ID tokens. */
export interface PartySession {
  readonly clientId: string;
  readonly accountId: AccountId;
  readonly sid: string;
}

/** Tells relying parties that their sessions ended (OpenID Connect Back-Channel Logout 1.0, R-33). */
export interface LogoutNotices {
  /**
   * Queues a message for each of these sessions whose relying party wants to know, in the transaction that ends them:
   * it leaves if, and only if, they ended.
   */
  queue(tx: Queryable, ended: readonly PartySession[]): Promise<void>;
}

/** Registrations by client id; see the client registry. */
export interface Registrations {
  registration(clientId: string): Pick<ClientRegistration, 'backchannel_logout_uri'> | undefined;
}

export function createLogoutNotices(parts: { outbox: Outbox; registry: Registrations }): LogoutNotices {
  const { outbox, registry } = parts;
  return {
    async queue(tx, ended) {
      const told = ended.filter(
        ({ clientId }) => registry.registration(clientId)?.backchannel_logout_uri !== undefined,
      );
      await outbox.add(
        tx,
        ...told.map((session) => ({ kind: BACKCHANNEL_LOGOUT, payload: session, lane: session.clientId })),
      );
    },
  };
}
