import type { AccountMail } from '../accounts/account-mail.js';
import type { EndSessions } from '../accounts/end-sessions.js';
import type { EndUnderWay } from '../accounts/freezing.js';
import type { Nip } from '../accounts/nip.js';
import { revokeRolesOfLeavers, revokeRolesOfMovers } from '../accounts/roles.js';
import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Applied, EmailMoved, StartedOver } from './account-apply-store.js';

export interface FeedEffectParts {
  readonly endSessions: EndSessions;
  /** Everything else that an account has under way. */
  readonly underWay: readonly EndUnderWay[];
  /** Ends factors of every kind, and links in mails of before. Answers how many authenticators ended. */
  readonly forgetHolder: (tx: Queryable, accountId: AccountId) => Promise<number>;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly clock: Clock;
}

/**
 * What follows from a file, in the transaction of its changes: who left has nothing open any more and holds no role,
 * who moved holds no role of an agency left behind, an old address is told of the new one (R-11, R-40, A21). An account
 * that is another person's has nothing of who had it before, who is told nothing: neither of them knows the other.
 */
export function createFeedEffects(parts: FeedEffectParts) {
  const { endSessions, underWay, forgetHolder, accountMail, audit, clock } = parts;

  const endUnderWay = async (tx: Queryable, id: AccountId): Promise<void> => {
    for (const end of underWay) await end(tx, id);
  };

  const recordRevoked = async (
    tx: Queryable,
    ended: Awaited<ReturnType<typeof revokeRolesOfLeavers>>,
  ): Promise<void> => {
    if (ended.length === 0) return;
    await audit.record(
      tx,
      ...ended.map(({ id, accountId, role, agencyCode }) => ({
        type: 'role.revoked' as const,
        detail: { role, grant: id },
        accountId,
        agencyCode,
      })),
    );
  };

  async function left(tx: Queryable, ids: readonly AccountId[]): Promise<void> {
    await endSessions.ofAccounts(tx, ids);
    for (const id of ids) await endUnderWay(tx, id);
    await recordRevoked(tx, await revokeRolesOfLeavers(tx, ids, clock.now()));
    await audit.record(
      tx,
      ...ids.map((id) => ({ type: 'account.imported_inactive' as const, detail: {}, accountId: id })),
    );
  }

  async function moved(tx: Queryable, moves: Applied['moved']): Promise<void> {
    await recordRevoked(
      tx,
      await revokeRolesOfMovers(
        tx,
        moves.map(({ id }) => id),
        clock.now(),
      ),
    );
    await audit.record(
      tx,
      ...moves.map(({ id, from, to }) => ({
        type: 'account.moved' as const,
        detail: { from, to },
        accountId: id,
        agencyCode: to,
      })),
    );
  }

  async function emailMoved(tx: Queryable, { id, nip, name, oldEmail }: EmailMoved): Promise<void> {
    await endUnderWay(tx, id);
    await audit.record(tx, { type: 'account.email_imported', detail: {}, accountId: id });
    await accountMail.queue(tx, {
      account: { id, nip: nip as Nip, name, email: oldEmail },
      mail: 'contact-changed',
      data: { at: clock.now(), by: 'import' },
    });
  }

  async function startedOver(tx: Queryable, { id, cause }: StartedOver): Promise<void> {
    await endSessions.ofAccounts(tx, [id]);
    await endUnderWay(tx, id);
    const devices = await forgetHolder(tx, id);
    await recordRevoked(tx, await revokeRolesOfLeavers(tx, [id], clock.now()));
    await audit.record(tx, { type: 'account.started_over', detail: { cause, devices }, accountId: id });
  }

  return async (tx: Queryable, applied: Applied): Promise<void> => {
    if (applied.left.length > 0) await left(tx, applied.left);
    if (applied.moved.length > 0) await moved(tx, applied.moved);
    for (const account of applied.emailMoved) await emailMoved(tx, account);
    for (const account of applied.startedOver) await startedOver(tx, account);
    if (applied.returned.length > 0) {
      await audit.record(
        tx,
        ...applied.returned.map((id) => ({ type: 'account.imported_active' as const, detail: {}, accountId: id })),
      );
    }
  };
}
