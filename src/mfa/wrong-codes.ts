import type { Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { EndSessions } from '../accounts/end-sessions.js';
import type { Audit } from '../audit/audit.js';
import type { Devices } from '../devices/devices.js';
import type { Clock } from '../kernel/clock.js';
import type { Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import type { Guesses } from './guesses.js';

/** The owner is told when somebody who knows the password fails at the code this often. */
const WARN_AFTER = 3;

export type Consequence =
  | { readonly kind: 'none' }
  /** A wait begins: what was half done is over. */
  | { readonly kind: 'wait'; readonly until: Date }
  /** Apps and recovery codes are closed for good, passkeys are not; all that was open has ended. */
  | { readonly kind: 'disabled' };

/**
 * What a wrong second factor leads to, the same wherever it was typed. `trace` is of the browser that typed it, which
 * may be a thief's: the owner is told of just that one.
 */
export interface WrongCodes {
  follow(tx: Queryable, wrong: { account: Account; failures: number; trace: Trace }): Promise<Consequence>;
}

export function createWrongCodes(parts: {
  devices: Devices;
  guesses: Guesses;
  endSessions: EndSessions;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): WrongCodes {
  const { devices, guesses, endSessions, accountMail, audit, clock } = parts;
  return {
    async follow(tx, { account, failures, trace }) {
      if (failures === WARN_AFTER) {
        await accountMail.queue(tx, { account, mail: 'wrong-code-warning', data: { at: clock.now() } });
      }
      if (guesses.isLast(failures)) {
        const closed = await devices.closeApps(tx, account.id);
        // The credentials stay what they were: a reset that its owner waits for must not be ended by a stranger's codes.
        await endSessions.ofAccounts(tx, [account.id]);
        // They were counted against what is closed: whoever binds a new authenticator may mistype its first code.
        await guesses.clear(tx, account.id);
        await audit.record(
          tx,
          ...closed.map((device) => ({
            type: 'device.closed' as const,
            detail: { device },
            accountId: account.id,
            ...trace,
          })),
        );
        await accountMail.queue(tx, { account, mail: 'authenticator-disabled', data: { at: clock.now() } });
        return { kind: 'disabled' };
      }
      if (!guesses.endsSpell(failures)) return { kind: 'none' };
      const next = await guesses.reserve(tx, account.id);
      return next.kind === 'waiting' ? { kind: 'wait', until: next.until } : { kind: 'none' };
    },
  };
}
