import { randomUUID } from 'node:crypto';
import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { KeyedDigest } from '../security/digests.js';
import { randomId } from '../security/secrets.js';
import type { Queryable } from '../storage/database.js';
import {
  endInvitation,
  insertInvitation,
  selectGood,
  selectInvitations,
  spendInvitation,
} from './client-invitations-store.js';
import type { By } from './clients.js';

/** A token with which relying parties register themselves. */
export interface Invitation {
  readonly id: string;
  /** Whom it is for, in the operator's words. */
  readonly note: string;
  readonly uses: number;
  readonly usesLeft: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | undefined;
}

/** Initial access tokens (RFC 7591 section 3): without one nobody registers anything (ADR 0031). */
export interface ClientInvitations {
  /** The token is told this once. */
  invite(
    tx: Queryable,
    order: { uses: number; hours: number; note: string; by?: By },
  ): Promise<{ readonly id: string; readonly token: string; readonly expiresAt: Date }>;
  /** The latest first, also those that are over. */
  list(): Promise<readonly Invitation[]>;
  /** False when it has ended already, or there is none. */
  end(tx: Queryable, id: string, by?: By): Promise<boolean>;
  /** Whether a token may be used now; uses nothing up. */
  isGood(token: string): Promise<boolean>;
  /** Uses it once; its id, or undefined when it may not be used. */
  spend(tx: Queryable, token: string): Promise<string | undefined>;
}

export const MAX_USES = 100;
export const MAX_HOURS = 30 * 24;
export const MAX_NOTE = 200;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createClientInvitations(parts: {
  db: Queryable;
  keyed: KeyedDigest;
  audit: Audit;
  clock: Clock;
}): ClientInvitations {
  const { db, keyed, audit, clock } = parts;
  const digestOf = (token: string): Buffer => keyed('client invitation', token);
  return {
    async invite(tx, { uses, hours, note, by = {} }) {
      const [id, token, now] = [randomUUID(), randomId(32), clock.now()];
      const expiresAt = secondsAfter(now, Math.round(hours * 3600));
      await insertInvitation(tx, { id, digest: digestOf(token), note, uses, now, expiresAt });
      await audit.record(tx, { type: 'client.invited', detail: { invitation: id, uses }, ...by });
      return { id, token, expiresAt };
    },
    list: () => selectInvitations(db),
    async end(tx, id, by = {}) {
      if (!UUID.test(id) || !(await endInvitation(tx, id, clock.now()))) return false;
      await audit.record(tx, { type: 'client.invitation_ended', detail: { invitation: id }, ...by });
      return true;
    },
    isGood: (token) => selectGood(db, digestOf(token), clock.now()),
    spend: (tx, token) => spendInvitation(tx, digestOf(token), clock.now()),
  };
}
