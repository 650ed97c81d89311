import type { RoleGrant } from '../../accounts/role.js';
import { rolesOf } from '../../accounts/roles.js';
import type { Audit } from '../../audit/audit.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import type { Trace } from '../../throttle/visitor.js';

/** Who may open the console. */
export interface Console {
  /**
   * The roles somebody holds at this moment (A47). Undefined for who holds none, which is recorded. What a role reaches
   * is judged by each action for itself.
   */
  open(accountId: AccountId, trace: Trace): Promise<readonly RoleGrant[] | undefined>;
}

export function createConsole({ db, audit }: { db: Database; audit: Audit }): Console {
  return {
    async open(accountId, trace) {
      const roles = await rolesOf(db, accountId);
      if (roles.length > 0) return roles;
      await audit.record(db, { type: 'console.refused', detail: { cause: 'no_role' }, accountId, ...trace });
      return undefined;
    },
  };
}
