import type { AccountId } from '../kernel/ids.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import { addressBucket } from './address.js';
import type { KnownBrowsers } from './known-browsers.js';
import { knownBrowserMailPlaces, giveBackQuotas, mailPlaces, spendQuotas, type Spending } from './quotas.js';
import type { Visitor } from './visitor.js';

/** Whom a mail goes to, and who asks for it. */
interface Asked {
  readonly accountId: AccountId;
  readonly visitor: Pick<Visitor, 'knownBrowser'>;
}

/**
 * The quota of one kind of mail that follows a right password (R-20, R-23). Apart from the resets', which strangers can
 * use up; of every kind apart from the others; and with a budget of its own for a browser that the account has logged in
 * with, so that somebody else who knows the password cannot use up its owner's.
 */
export interface MailsAfterPassword {
  /** Where the request comes from, as it is counted; to be kept for {@link giveBack}. */
  addressKeyOf(visitor: Visitor): Buffer;
  /** Takes one place: of the known browser's own budget while there is one, else of what all others share. */
  spend(tx: Queryable, mail: Asked & { addressKey: Buffer; now: Date }): Promise<Spending>;
  /** Gives back the place that a mail took which was sent at that time: its code was redeemed. */
  giveBack(tx: Queryable, mail: Asked & { addressKey: Buffer; spentAt: Date }): Promise<void>;
}

export function createMailsAfterPassword(
  { keyed, knownBrowsers }: { keyed: KeyedDigest; knownBrowsers: KnownBrowsers },
  kind: 'mailbox proof' | 'mfa reset',
): MailsAfterPassword {
  const ownPlaces = ({ accountId, visitor }: Asked) => {
    const nonce = knownBrowsers.find(visitor.knownBrowser, accountId);
    return nonce === undefined ? undefined : knownBrowserMailPlaces(keyed('mail to known browser', `${kind}|${nonce}`));
  };
  const sharedPlaces = ({ accountId, addressKey }: { accountId: AccountId; addressKey: Buffer }) =>
    mailPlaces({ account: keyed('mail after password', `${kind}|${accountId}`), address: addressKey });

  return {
    addressKeyOf: ({ address }) => keyed('address of mail after password', addressBucket(address)),
    async spend(tx, { now, ...asked }) {
      // Always the own places first: two that lock rows in another order could wait for one another.
      const places = ownPlaces(asked);
      const own = places && (await spendQuotas(tx, { places, now }));
      if (own?.kind === 'spent') return own;
      const shared = await spendQuotas(tx, { places: sharedPlaces(asked), now });
      return shared.kind === 'exhausted' && own !== undefined && own.until < shared.until ? own : shared;
    },
    async giveBack(tx, { spentAt, ...asked }) {
      // Wherever it was taken: places without that moment are left as they are.
      const places = ownPlaces(asked);
      if (places !== undefined) await giveBackQuotas(tx, { places, spentAt });
      await giveBackQuotas(tx, { places: sharedPlaces(asked), spentAt });
    },
  };
}
