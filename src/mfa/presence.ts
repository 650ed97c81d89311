import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { KeyedDigest } from '../security/digests.js';
import type { SealedBox } from '../security/sealed-box.js';
import type { SealedPlace } from '../security/sealed-place.js';
import { randomText } from '../security/secrets.js';
import type { Queryable } from '../storage/database.js';
import { addressBucket } from '../throttle/address.js';
import type { Quota } from '../throttle/policies.js';
import { giveBackQuotas, spendQuotas } from '../throttle/quotas.js';
import type { Visitor } from '../throttle/visitor.js';
import { presenceStore, type JudgedPresence, type PresenceGuess } from './presence-store.js';

const DIGITS = '0123456789';
const LENGTH = 8;
const COUNTER_BELOW = 1000;
const TTL_SECONDS = 600;
/** Wrong ones, by whichever officer, that void a code. */
const MAX_WRONG_TRIES = 5;

/** what one officer may mistype or guess, over all accounts. */
const WRONG_PRESENCE: Quota = { scope: 'presence-wrong', limit: 20, windowSeconds: 3600 };
/** What somebody who knows a password may have made from one address: each leaves a row in the trail. */
const NEW_PRESENCE: Quota = { scope: 'presence-new', limit: 20, windowSeconds: 3600 };

/** A sign-in whose password was right: what a code is bound to. */
export interface PresentAt {
  readonly uid: AttemptId;
  readonly accountId: AccountId;
  readonly credEpoch: number;
}

export type PresenceIssued =
  | { readonly kind: 'issued' }
  | { readonly kind: 'throttled'; readonly until: Date }
  /** The sign-in does not stand any more. */
  | { readonly kind: 'gone' };

/** What became of the code that a sign-in shows. */
export type PresenceView =
  /** There is none, or a newer one is shown in another browser. */
  | { readonly kind: 'none' }
  | { readonly kind: 'live'; readonly code: string; readonly counterCode: string; readonly expiresAt: Date }
  | { readonly kind: 'lapsed' }
  /** It was typed wrong too often. */
  | { readonly kind: 'mistyped' }
  /** An officer has used it; `isDone` once what they used it for is done. */
  | { readonly kind: 'used'; readonly isDone: boolean };

/** An officer types what a person shows them. */
export interface TypedPresence {
  readonly accountId: AccountId;
  /** As it was typed. */
  readonly typed: string;
  readonly by: {
    readonly officerId: AccountId;
    /** Of the person, for the trail. */
    readonly agencyCode?: string | undefined;
    readonly clientId?: string | undefined;
    readonly requestId?: string | undefined;
  };
}

export type PresenceAnswer =
  | { readonly kind: 'right'; readonly presenceId: string; readonly counterCode: string }
  /** Wrong, too old, used, withdrawn, or there is none: nobody is told which. */
  | { readonly kind: 'wrong' }
  /** This officer has typed too many wrong ones; nothing was looked at. */
  | { readonly kind: 'throttled'; readonly until: Date };

/**
 * That somebody sits before the officer who asks about their account: a code on the page of a sign-in whose password
 * was right. The officer types it and reads back a number that only the console knows; the person compares (ADR 0022).
 *
 * **Commit after `check` and `spend`, whatever they answer**: a rolled back wrong try was not counted.
 */
export interface Presence {
  /** Makes a code that holds for ten minutes and voids the account's older one. */
  issue(tx: Queryable, at: PresentAt, visitor: Visitor): Promise<PresenceIssued>;
  view(db: Queryable, at: { uid: AttemptId; accountId?: AccountId }): Promise<PresenceView>;
  /** The person leaves: nobody can use the code any more. */
  withdraw(tx: Queryable, at: { uid: AttemptId; accountId: AccountId }, visitor: Visitor): Promise<void>;
  /** Judges without using it up, for the number to read back. */
  check(tx: Queryable, typed: TypedPresence): Promise<PresenceAnswer>;
  /**
   * Uses it up, once, in the transaction of what it is used for, and before that raises the account's credential
   * epoch: the code holds for the epoch it was made in. The caller holds the account.
   */
  spend(tx: Queryable, typed: TypedPresence): Promise<PresenceAnswer>;
}

export interface PresenceParts {
  readonly box: SealedBox;
  readonly keyed: KeyedDigest;
  readonly audit: Audit;
  readonly clock: Clock;
}

export const SEALED_PRESENCE_CODE: SealedPlace = {
  table: 'presence_codes',
  column: 'sealed_code',
  row: ['id'],
  context: (id = '') => `presence_codes|${id}|code`,
};
const contextOf = (id: string): string => SEALED_PRESENCE_CODE.context(id);

export function createPresence({ box, keyed, audit, clock }: PresenceParts): Presence {
  // The account is part of what is digested: a code moved to another row is nobody's.
  const digestOf = (accountId: AccountId, code: string): Buffer => keyed('presence code', `${accountId}|${code}`);
  /** Tells nothing of the code; whoever has not typed it into the console cannot know it. */
  const counterOf = (id: string): string =>
    String(keyed('presence counter-code', id).readUInt32BE() % COUNTER_BELOW).padStart(3, '0');

  function guessOf({ accountId, typed }: TypedPresence, now: Date): PresenceGuess {
    const digits = typed.normalize('NFKC').replace(/[\s\p{Pd}.]+/gu, '');
    const isCode = digits.length === LENGTH && /^\d+$/.test(digits);
    const nonce = randomBytes(32);
    // What cannot be a code is a wrong try like any other: compared with a digest nobody has.
    const guess = isCode ? digestOf(accountId, digits) : randomBytes(32);
    const blinded = createHash('sha256').update(nonce).update(guess).digest();
    return { accountId, nonce, blinded, now, maxWrongTries: MAX_WRONG_TRIES };
  }

  async function judge(
    tx: Queryable,
    given: TypedPresence,
    look: (guess: PresenceGuess) => Promise<JudgedPresence | undefined>,
  ): Promise<PresenceAnswer> {
    const { accountId, by } = given;
    const now = clock.now();
    const { agencyCode, clientId, requestId } = by;
    const about = { accountId, actorId: by.officerId, agencyCode, clientId, requestId };
    const refuse = (cause: 'wrong' | 'throttled', presence?: string): Promise<void> =>
      audit.record(tx, { type: 'presence.refused', detail: { cause, presence }, ...about });
    // Counted before it is looked at, so that parallel guesses cannot pass together.
    const places = [{ quota: WRONG_PRESENCE, key: keyed('presence officer', by.officerId) }];
    const counted = await spendQuotas(tx, { places, now });
    if (counted.kind === 'exhausted') {
      await refuse('throttled');
      return { kind: 'throttled', until: counted.until };
    }
    const judged = await look(guessOf(given, now));
    if (judged?.right !== true) {
      await refuse('wrong', judged?.id);
      return { kind: 'wrong' };
    }
    await giveBackQuotas(tx, { places, spentAt: now });
    return { kind: 'right', presenceId: judged.id, counterCode: counterOf(judged.id) };
  }

  return {
    async issue(tx, { uid, accountId, credEpoch }, { address, requestId, agent }) {
      const now = clock.now();
      const key = keyed('presence new', `${accountId}|${addressBucket(address)}`);
      const spending = await spendQuotas(tx, { places: [{ quota: NEW_PRESENCE, key }], now });
      if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
      const id = randomUUID();
      const code = randomText(LENGTH, DIGITS);
      const made = await presenceStore(tx).put({
        id,
        attempt: uid,
        accountId,
        credEpoch,
        codeDigest: digestOf(accountId, code),
        sealedCode: box.seal(code, contextOf(id)),
        expiresAt: secondsAfter(now, TTL_SECONDS),
        now,
      });
      if (!made) return { kind: 'gone' };
      await audit.record(tx, { type: 'presence.shown', detail: { presence: id }, accountId, requestId, agent });
      return { kind: 'issued' };
    },

    async view(db, { uid, accountId }) {
      const kept = await presenceStore(db).find(uid, accountId);
      if (kept === undefined) return { kind: 'none' };
      const { id, sealedCode, expiresAt } = kept;
      if (kept.isSpent) return { kind: 'used', isDone: kept.isOutdated };
      if (expiresAt <= clock.now() || kept.isOutdated || sealedCode === undefined) return { kind: 'lapsed' };
      if (kept.wrongTries >= MAX_WRONG_TRIES) return { kind: 'mistyped' };
      const code = box.open(sealedCode, contextOf(id)).toString();
      return { kind: 'live', code, counterCode: counterOf(id), expiresAt };
    },

    async withdraw(tx, { uid, accountId }, { requestId, agent }) {
      const id = await presenceStore(tx).withdraw({ attempt: uid, accountId });
      if (id === undefined) return;
      await audit.record(tx, { type: 'presence.withdrawn', detail: { presence: id }, accountId, requestId, agent });
    },

    check: (tx, given) => judge(tx, given, (guess) => presenceStore(tx).check(guess)),
    spend: (tx, given) => judge(tx, given, (guess) => presenceStore(tx).spend(guess)),
  };
}
