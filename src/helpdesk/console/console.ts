import { rolesOf } from '../../accounts/roles.js';
import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import type { Trace } from '../../throttle/visitor.js';
import type { HeldRole } from '../authority.js';
import { selectRestEnd, selectUsableRoles } from '../authority-store.js';

export type Opened =
  | { readonly kind: 'open'; readonly roles: readonly HeldRole[] }
  /** Who holds no role; or whose own factors were reset less than a day ago: until then. */
  | { readonly kind: 'shut'; readonly restsUntil: Date | undefined };

/** Who may open the console. */
export interface Console {
  /**
   * The roles that somebody can use at this moment (A47); where there are none, that is recorded. What a role reaches is
   * judged by each action for itself.
   */
  open(accountId: AccountId, trace: Trace): Promise<Opened>;
}

export function createConsole({ db, audit, clock }: { db: Database; audit: Audit; clock: Clock }): Console {
  return {
    async open(accountId, trace) {
      const now = clock.now();
      const roles = await selectUsableRoles(db, accountId, now);
      if (roles.length > 0) return { kind: 'open', roles };
      const holds = (await rolesOf(db, accountId)).length > 0;
      const restsUntil = holds ? await selectRestEnd(db, accountId, now) : undefined;
      const cause = restsUntil === undefined ? 'no_role' : 'resting';
      await audit.record(db, { type: 'console.refused', detail: { cause }, accountId, ...trace });
      return { kind: 'shut', restsUntil };
    },
  };
}
