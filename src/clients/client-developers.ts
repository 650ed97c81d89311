import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import {
  deleteDeveloper,
  deleteDeveloperEverywhere,
  insertDeveloper,
  selectClientsOf,
  selectDevelopers,
} from './client-developers-store.js';
import type { By } from './clients.js';

/** Somebody who builds a relying party. */
export interface Developer {
  readonly accountId: AccountId;
  readonly name: string;
  readonly agency: string;
  readonly namedAt: Date;
}

/** Who may see the registration of a client and its errors, besides operators (ADR 0031). */
export interface ClientDevelopers {
  /** By name; nobody whose account is no longer in use. */
  ofClient(clientId: string): Promise<readonly Developer[]>;
  /** Ids of the clients that somebody builds, at this moment. */
  clientsOf(id: AccountId): Promise<readonly string[]>;
  /** False when they are one already, or there is no such client or active account. */
  name(tx: Queryable, named: { clientId: string; accountId: string; by: By }): Promise<boolean>;
  /** For an account that is somebody else's from now on. */
  dismissEverywhere(tx: Queryable, accountId: AccountId): Promise<void>;
  /** False when they were none. */
  dismiss(tx: Queryable, dismissed: { clientId: string; accountId: string; by: By }): Promise<boolean>;
}

export const createClientDevelopers = (parts: { db: Queryable; audit: Audit; clock: Clock }): ClientDevelopers => {
  const { db, audit, clock } = parts;
  return {
    ofClient: (clientId) => selectDevelopers(db, clientId),
    clientsOf: (id) => selectClientsOf(db, id),
    async name(tx, { clientId, accountId, by }) {
      if (!(await insertDeveloper(tx, { clientId, accountId, now: clock.now() }))) return false;
      await audit.record(tx, { type: 'client.developer_named', detail: {}, clientId, accountId, ...by });
      return true;
    },
    async dismissEverywhere(tx, accountId) {
      const clientIds = await deleteDeveloperEverywhere(tx, accountId);
      const type = 'client.developer_dismissed' as const;
      await audit.record(tx, ...clientIds.map((clientId) => ({ type, detail: {}, clientId, accountId })));
    },
    async dismiss(tx, { clientId, accountId, by }) {
      if (!(await deleteDeveloper(tx, { clientId, accountId }))) return false;
      await audit.record(tx, { type: 'client.developer_dismissed', detail: {}, clientId, accountId, ...by });
      return true;
    },
  };
};
