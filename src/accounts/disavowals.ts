import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { DisavowLink, MailKind, NoticeEvent, NoticeKind } from '../mail/mails.js';
import { isNotice } from '../mail/wording.js';
import { digest } from '../security/digests.js';
import type { SealedBox } from '../security/sealed-box.js';
import { sealedColumn, type SealedPlace } from '../security/sealed-place.js';
import { randomId } from '../security/secrets.js';
import type { Queryable } from '../storage/database.js';
import * as store from './disavowal-store.js';

/** login.gov's `event_disavowal_expiration_hours`, and R-11: ten days. */
const TTL_SECONDS = 10 * 24 * 3600;

/** A link that was mailed: whose account, what it told of, where it went. */
export interface Disavowal {
  readonly accountId: AccountId;
  readonly events: readonly { readonly kind: NoticeKind; readonly at: Date }[];
  readonly address: string;
  readonly used: boolean;
}

/** The "Bukan saya" of notice mails: 128 random bits each, of which only the digest is kept. */
export interface Disavowals {
  /**
   * A new link for a mail that tells of these events. None while the account is frozen: there is nothing left to freeze,
   * and who reads a stolen mailbox must not be handed a way to undo what the officer does next (docs/adr/0014).
   */
  issue(
    tx: Queryable,
    mail: { accountId: AccountId; events: readonly NoticeEvent[]; address: string },
  ): Promise<DisavowLink | undefined>;
  /** Undefined when it is unknown, too old or voided. */
  find(db: Queryable, token: string): Promise<Disavowal | undefined>;
  /** The same, to the one caller who used it up. */
  spend(tx: Queryable, token: string): Promise<Disavowal | undefined>;
  /** Ends every link of an account: an officer has looked at it. */
  voidAll(tx: Queryable, accountId: AccountId): Promise<void>;
}

export const SEALED_DISAVOWAL = {
  ...sealedColumn('disavowals', 'address'),
  row: [`encode(token, 'hex')`],
} satisfies SealedPlace;
const contextOf = (token: Buffer): string => SEALED_DISAVOWAL.context(token.toString('hex'));

export function createDisavowals(parts: { box: SealedBox; clock: Clock; origin: string }): Disavowals {
  const { box, clock, origin } = parts;
  const opened = (row: store.DisavowalRow | undefined): Disavowal | undefined =>
    row && {
      accountId: row.accountId,
      // A newer process may have told of something that this one has no words for.
      events: row.events.flatMap(({ kind, at }) =>
        isNotice(kind as MailKind) ? [{ kind: kind as NoticeKind, at }] : [],
      ),
      address: box.open(row.address, contextOf(row.token)).toString(),
      used: row.used,
    };
  return {
    async issue(tx, { accountId, events, address }) {
      const secret = randomId(16);
      const token = digest(secret);
      const until = secondsAfter(clock.now(), TTL_SECONDS);
      const issued = await store.insertDisavowal(tx, {
        token,
        accountId,
        events: events.map(({ kind, data }) => ({ kind, at: data.at })),
        address: box.seal(address, contextOf(token)),
        expiresAt: until,
      });
      return issued ? { href: `${origin}/bukan-saya/${secret}`, until } : undefined;
    },
    find: async (db, secret) => opened(await store.findDisavowal(db, digest(secret), clock.now())),
    spend: async (tx, secret) => opened(await store.spendDisavowal(tx, digest(secret), clock.now())),
    voidAll: store.deleteDisavowals,
  };
}
