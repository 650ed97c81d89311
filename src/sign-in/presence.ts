import type { Clock } from '../kernel/clock.js';
import type { AttemptId } from '../kernel/ids.js';
import type { Presence, PresenceIssued, PresenceView } from '../mfa/presence.js';
import type { Database } from '../storage/database.js';
import type { Visitor } from '../throttle/visitor.js';
import { evidenceOf, type Attempt } from './attempt.js';
import { mayShowPresence } from './journey.js';

export interface PresenceSignIn {
  /** Whether the person behind this sign-in may show an officer that they are there. */
  isOffered(attempt: Attempt): boolean;
  view(attempt: Attempt): Promise<PresenceView>;
  /** The same for a sign-in that may be gone, of a browser that holds it: nothing but whether its code was used. */
  findUsed(uid: AttemptId): Promise<Extract<PresenceView, { kind: 'used' }> | undefined>;
  issue(attempt: Attempt, visitor: Visitor): Promise<PresenceIssued>;
  withdraw(attempt: Attempt, visitor: Visitor): Promise<void>;
}

export function createPresenceSignIn(parts: { db: Database; presence: Presence; clock: Clock }): PresenceSignIn {
  const { db, presence, clock } = parts;
  return {
    isOffered: (attempt) => mayShowPresence(evidenceOf(attempt), clock.now()),
    view: async ({ uid, accountId }) =>
      accountId === undefined ? { kind: 'none' } : presence.view(db, { uid, accountId }),
    async findUsed(uid) {
      const view = await presence.view(db, { uid });
      return view.kind === 'used' ? view : undefined;
    },
    async issue({ uid, accountId, credEpoch }, visitor) {
      if (accountId === undefined || credEpoch === undefined) return { kind: 'gone' };
      return db.transaction((tx) => presence.issue(tx, { uid, accountId, credEpoch }, visitor));
    },
    async withdraw({ uid, accountId }, visitor) {
      if (accountId === undefined) return;
      await db.transaction((tx) => presence.withdraw(tx, { uid, accountId }, visitor));
    },
  };
}
