import type { Mailer } from '../mail/mailer.js';
import type { Mails } from '../mail/templates.js';
import type { Queryable } from '../storage/database.js';
import type { Account } from './accounts.js';
import { lastThreeOf } from './nip.js';

export interface AccountNotice<Kind extends keyof Mails> {
  /** Undefined for a decoy, which does the same work and reaches nobody. */
  readonly account: Pick<Account, 'email' | 'name' | 'nip'> | undefined;
  readonly mail: Kind;
  /** What this mail tells besides whose account it is. */
  readonly data: Omit<Mails[Kind], 'nipEnding'>;
  readonly locale?: 'id' | 'en';
  /** A mail with a code is not sent any more once the code has expired (F-11). */
  readonly expiresAt?: Date;
}

/** Mail to the person behind an account, at the address on file in the caller's transaction. */
export interface AccountMail {
  /** Does nothing for an account without an address. */
  queue<Kind extends keyof Mails>(tx: Queryable, notice: AccountNotice<Kind>): Promise<void>;
}

export function createAccountMail(mailer: Mailer): AccountMail {
  return {
    async queue(tx, { account, mail, data, locale = 'id', expiresAt }) {
      if (account !== undefined && account.email === undefined) return;
      await mailer.queue(tx, {
        to: account?.email === undefined ? undefined : { address: account.email, name: account.name },
        mail,
        data: { ...data, nipEnding: account === undefined ? '000' : lastThreeOf(account.nip) } as Mails[typeof mail],
        locale,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
    },
  };
}
