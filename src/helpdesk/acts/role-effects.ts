import { needsAgency } from '../../accounts/role.js';
import type { AccountMail } from '../../accounts/account-mail.js';
import type { EndUnderWay } from '../../accounts/freezing.js';
import type { Audit } from '../../audit/audit.js';
import type { Devices } from '../../devices/devices.js';
import type { Clock } from '../../kernel/clock.js';
import { agencyCode } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { mayAppoint } from '../authority.js';
import { idOf } from '../judgement.js';
import type { Effect, Granted } from './effects.js';
import { appoint, dismiss, isHeld, selectHeldGrant, selectRoleOf } from './role-act-store.js';

/** Rolls the act back: the officer's rights ended since they were read. */
export class RightsEnded extends Error {}

/** Appointing officers and removing them. */
export function createRoleEffects(parts: {
  devices: Devices;
  underWay: readonly EndUnderWay[];
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): {
  readonly role_grant: Effect<'role_grant'>;
  readonly role_revoke: Effect<'role_revoke'>;
} {
  const { devices, underWay, accountMail, audit, clock } = parts;
  const tell = (
    tx: Queryable,
    { account, by }: Pick<Granted<'role_grant' | 'role_revoke'>, 'account' | 'by'>,
    action: 'role_grant' | 'role_revoke',
  ): Promise<void> =>
    accountMail.queue(tx, { account, mail: 'officer-acted', data: { at: clock.now(), action, by: by.told } });

  return {
    role_grant: {
      async barred(tx, { roles }, { role, agency }) {
        const wanted = await selectRoleOf(tx, { role, agency });
        return !mayAppoint(roles, wanted ?? { role, lineage: [] });
      },
      async unfit(tx, { id, status, frozen }, { role, agency }) {
        if (needsAgency(role) && agency === undefined) return 'role_needs_agency';
        if (!needsAgency(role) && agency !== undefined) return 'role_is_national';
        if ((await selectRoleOf(tx, { role, agency })) === undefined) return 'unknown_agency';
        if (status !== 'active') return 'inactive';
        if (frozen) return 'frozen';
        // Whoever has no factor of their own yet may be anybody's puppet.
        if ((await devices.activeOf(tx, id)).length === 0) return 'no_factor';
        return (await isHeld(tx, { accountId: id, role, agency })) ? 'held_already' : undefined;
      },
      // Power over the whole nation is given by two.
      needsSecond: (_tx, _account, { role }) => !needsAgency(role),
      async apply(tx, { account, order: { role, agency }, by }) {
        const code = agency === undefined ? undefined : agencyCode(agency);
        const wanted = { accountId: account.id, role, agency: code, officerId: by.actorId, now: clock.now() };
        const grantId = await appoint(tx, wanted);
        if (grantId === undefined) throw new RightsEnded();
        // What one officer began for an ordinary account must not end in an officer's.
        for (const end of underWay) await end(tx, account.id);
        await audit.record(tx, {
          type: 'role.granted',
          detail: { role, grant: grantId },
          accountId: account.id,
          ...by,
          agencyCode: agency ?? by.agencyCode,
        });
        await tell(tx, { account, by }, 'role_grant');
        return { grantId, told: account.email !== undefined };
      },
    },

    role_revoke: {
      async barred(tx, { roles }, { grantId }) {
        const id = idOf(grantId);
        const held = id === undefined ? undefined : await selectHeldGrant(tx, id);
        return held === undefined || !mayAppoint(roles, held);
      },
      unfit: () => undefined,
      // An operator is removed by two, or one of them could take the service over.
      async needsSecond(tx, _account, { grantId }) {
        return (await selectHeldGrant(tx, grantId))?.role === 'operator';
      },
      async apply(tx, { account, order: { grantId }, by }) {
        const held = await selectHeldGrant(tx, grantId);
        const wanted = { id: grantId, accountId: account.id, officerId: by.actorId, now: clock.now() };
        if (held === undefined || !(await dismiss(tx, wanted))) throw new RightsEnded();
        const detail = { role: held.role, grant: grantId };
        await audit.record(tx, { type: 'role.revoked', detail, accountId: account.id, ...by });
        await tell(tx, { account, by }, 'role_revoke');
        return { told: account.email !== undefined };
      },
    },
  };
}
