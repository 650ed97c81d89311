import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { NOBODY, type AccountId, type AgencyCode } from '../kernel/ids.js';
import { digest, sameBytes, type KeyedDigest } from '../security/digests.js';
import { CROCKFORD, randomId } from '../security/secrets.js';
import type { Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import { lockAccount } from './account-store.js';
import * as store from './activation-slip-store.js';

/** How long a slip can be used: long enough to reach a village office by hand. */
export const SLIP_SECONDS = 30 * 24 * 3600;
/** How long a typed code opens the page for the password. */
const PASSAGE_SECONDS = 30 * 60;
const LENGTH = 16;
const GROUP = 4;
/** Longer than any honest way to type a code. */
const MAX_TYPED = 64;

/** Who issues, for the trail. */
export interface SlipIssuer {
  readonly officerId: AccountId;
  /** Of the person. */
  readonly agencyCode?: AgencyCode | undefined;
  readonly clientId?: string | undefined;
  readonly trace?: Partial<Trace> | undefined;
}

/** A browser that has typed a right code. */
export interface SlipHolder {
  readonly passage: string;
  readonly browserId: string;
}

/**
 * One-time codes on paper, with which people make their first password who cannot use the mailed code (ADR 0023). A code
 * is stored nowhere: it is the keyed digest of its slip's id. A slip ends with the first password however it came about,
 * a freeze, a leave, a newer slip, or after 30 days.
 */
export interface ActivationSlips {
  /**
   * Makes the account's one slip, which replaces an older one, in the caller's transaction, which has asked for the
   * officer's authority. Undefined when the account has had a password or may not be used.
   */
  issue(
    tx: Queryable,
    order: { readonly accountId: AccountId; readonly by: SlipIssuer },
  ): Promise<{ readonly slipId: string; readonly expiresAt: Date } | undefined>;
  /** What is printed: four groups of four. Whoever sees it can make the account's first password. */
  codeOf(slipId: string): string;
  /**
   * Judges what was typed for an account, or for nobody with the same work, and opens the way to the password in
   * this browser. Undefined: wrong, or there is no slip.
   */
  open(
    tx: Queryable,
    given: { readonly accountId: AccountId | undefined; readonly typed: string; readonly browserId: string },
  ): Promise<string | undefined>;
  find(db: Queryable, holder: SlipHolder): Promise<store.FoundPassage | undefined>;
  /** Uses the slip up, once, in the transaction that sets the password; the caller holds the account. */
  spend(tx: Queryable, holder: SlipHolder): Promise<boolean>;
  /** The account was frozen or closed. */
  voidAll(tx: Queryable, accountId: AccountId): Promise<void>;
}

export interface ActivationSlipParts {
  readonly keyed: KeyedDigest;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** The sixteen characters that somebody meant, as Crockford base32 is read; undefined when it cannot be a code. */
function normalise(typed: string): string | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}.\u00ad\u200b-\u200d\u2060\ufeff\u2212]+/gu, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return code.length === LENGTH ? code : undefined;
}

export function createActivationSlips({ keyed, audit, clock }: ActivationSlipParts): ActivationSlips {
  /** 80 bits that nobody can tell from random without the key. */
  function charactersOf(slipId: string): string {
    let bits = BigInt(`0x${keyed('activation slip', slipId).subarray(0, 10).toString('hex')}`);
    let code = '';
    for (let place = 0; place < LENGTH; place += 1) {
      code = CROCKFORD.charAt(Number(bits & 31n)) + code;
      bits >>= 5n;
    }
    return code;
  }
  const holderOf = ({ passage, browserId }: SlipHolder): store.PassageHolder => ({
    passage: digest(passage),
    browser: keyed('slip browser', browserId),
    now: clock.now(),
  });

  return {
    async issue(tx, { accountId, by }) {
      // In a statement before: of two who make one at once, the second replaces what the first has made.
      await lockAccount(tx, accountId);
      const now = clock.now();
      const expiresAt = secondsAfter(now, SLIP_SECONDS);
      const made = await store.insertSlip(tx, { accountId, officerId: by.officerId, now, expiresAt });
      if (made === undefined) return undefined;
      const { agencyCode, clientId, trace = {} } = by;
      const about = { accountId, actorId: by.officerId, agencyCode, clientId, ...trace };
      await audit.record(
        tx,
        ...made.replaced.map((slip) => ({
          type: 'slip.voided' as const,
          detail: { slip, cause: 'replaced' as const },
          ...about,
        })),
        { type: 'slip.issued', detail: { slip: made.id }, ...about },
      );
      return { slipId: made.id, expiresAt };
    },

    codeOf: (slipId) => charactersOf(slipId).replace(new RegExp(`.{${GROUP}}(?!$)`, 'g'), '$&-'),

    async open(tx, { accountId, typed, browserId }) {
      const now = clock.now();
      const slip = await store.selectLive(tx, accountId ?? NOBODY, now);
      const right = Buffer.from(charactersOf(slip ?? NOBODY));
      const isRight = sameBytes(Buffer.from(normalise(typed) ?? ''), right);
      if (slip === undefined || !isRight) return undefined;
      const passage = randomId(16);
      const until = secondsAfter(now, PASSAGE_SECONDS);
      const opened = await store.openPassage(tx, { slip, ...holderOf({ passage, browserId }), until });
      return opened ? passage : undefined;
    },

    find: (db, holder) => store.selectPassage(db, holderOf(holder)),
    spend: (tx, holder) => store.spendSlip(tx, holderOf(holder)),

    async voidAll(tx, accountId) {
      const slip = await store.voidSlip(tx, accountId, clock.now());
      if (slip === undefined) return;
      await audit.record(tx, { type: 'slip.voided', detail: { slip, cause: 'ended' }, accountId });
    },
  };
}
