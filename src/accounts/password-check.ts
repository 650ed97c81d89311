import { findByName, isUsable, recordLogin, recordPasswordFailure, type Account } from './accounts.js';
import type { AccountMail } from './account-mail.js';
import { canonicalName } from './name.js';
import { unmetRules } from './password-policy.js';
import { passwordFailuresOf } from './password-waits.js';
import type { Audit } from '../audit/audit.js';
import type { AuditDetails } from '../audit/events.js';
import type { Clock } from '../kernel/clock.js';
import { NOBODY } from '../kernel/ids.js';
import type { DecoyHashes } from '../security/decoy-hashes.js';
import type { KeyedDigest } from '../security/digests.js';
import { Busy } from '../security/hash-queue.js';
import type { Passwords } from '../security/passwords.js';
import type { Database } from '../storage/database.js';
import { addressBucket } from '../throttle/address.js';
import type { AddressGuard } from '../throttle/address-guard.js';
import { clearFailures, giveBackFailure, reserveFailure, type FailureCounter } from '../throttle/failures.js';
import type { KnownBrowsers } from '../throttle/known-browsers.js';
import { PASSWORD_FAILURES, TRUSTED_BROWSER_FAILURES } from '../throttle/policies.js';
import type { Visitor } from '../throttle/visitor.js';

/** Longer than any password we accept: refused before it is normalised, which costs time (R-36, A40). */
const MAX_PASSWORD_BYTES = 1024;

/** So much of a text that can be no name tells it from others. */
const MAX_COUNTED_LENGTH = 64;

export type PasswordVerdict =
  | { readonly kind: 'accepted'; readonly account: Account; readonly weak: boolean; readonly accept: Accept }
  /** Unknown, wrong, inactive, frozen, disabled: one answer for all. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly until: Date };

/** Forgets the failures of this name; to be called in the transaction that records what the password opened. */
export type Accept = Parameters<Database['transaction']>[0];

export interface PasswordCheck {
  /**
   * Checks a typed name and password with every limit. Throws `Busy` when the hash queue is full; then
   * nothing is counted.
   */
  check(typed: { username: string; password: string }, visitor: Visitor): Promise<PasswordVerdict>;
}

type Refused = AuditDetails['sign_in.password_refused']['cause'];

function causeOf(account: Account | undefined): Refused | undefined {
  if (account === undefined) return 'unknown';
  if (account.status !== 'active') return 'inactive';
  if (!isUsable(account)) return 'frozen';
  return account.passwordDisabled ? 'disabled' : undefined;
}

export function createPasswordCheck(parts: {
  db: Database;
  passwords: Passwords;
  decoys: DecoyHashes;
  addresses: AddressGuard;
  knownBrowsers: KnownBrowsers;
  accountMail: AccountMail;
  audit: Audit;
  keyed: KeyedDigest;
  clock: Clock;
}): PasswordCheck {
  const { db, passwords, decoys, addresses, knownBrowsers, accountMail, audit, keyed, clock } = parts;

  /** Takes one try: of the browser's own budget where it is known and has one left, else of what strangers share. */
  async function reserve(shared: FailureCounter, account: Account | undefined, visitor: Visitor) {
    const nonce = account && knownBrowsers.find(visitor.knownBrowser, account.id);
    if (nonce !== undefined) {
      const own: FailureCounter = { policy: TRUSTED_BROWSER_FAILURES, key: keyed('known browser budget', nonce) };
      const reserved = await reserveFailure(db, { ...own, now: clock.now() });
      if (reserved.kind === 'reserved') return { kind: 'reserved' as const, counter: own };
    }
    const reserved = await reserveFailure(db, { ...shared, now: clock.now() });
    return reserved.kind === 'reserved' ? { kind: 'reserved' as const, counter: shared } : reserved;
  }

  async function recordRefusal(account: Account | undefined, cause: Refused, visitor: Visitor): Promise<void> {
    await db.transaction(async (tx) => {
      await audit.record(tx, {
        type: 'sign_in.password_refused',
        detail: { cause },
        accountId: account?.id,
        requestId: visitor.requestId,
        agent: visitor.agent,
      });
      // The same statement for names that do not exist (R-19, A3).
      const counted = account !== undefined && cause === 'mismatch' ? account.id : NOBODY;
      const { disabled } = await recordPasswordFailure(tx, counted, clock.now());
      if (account === undefined || !disabled) return;
      await audit.record(tx, {
        type: 'sign_in.password_disabled',
        detail: {},
        accountId: account.id,
        requestId: visitor.requestId,
        agent: visitor.agent,
      });
      await accountMail.queue(tx, { account, mail: 'password-disabled', data: { at: clock.now() } });
    });
  }

  /** The better hash; undefined when the queue is full: then the next login makes it. */
  async function rehash(
    stored: string,
    password: string,
    from: string,
  ): Promise<{ from: string; to: string } | undefined> {
    try {
      return { from: stored, to: await passwords.hash(password, from) };
    } catch (error) {
      if (error instanceof Busy) return undefined;
      throw error;
    }
  }

  return {
    async check({ username, password }, visitor) {
      const bucket = keyed('address', addressBucket(visitor.address));
      const address = await addresses.check(bucket);
      const name = canonicalName(username);
      const account = name.kind === 'malformed' ? undefined : await findByName(db, name);
      const isKnown = account !== undefined && knownBrowsers.find(visitor.knownBrowser, account.id) !== undefined;
      if (address.kind === 'waiting' && !isKnown) return { kind: 'throttled', until: address.until };

      // What can be no name counts for itself: one counter for all would make strangers wait for one another.
      const typedName = name.kind === 'malformed' ? username.slice(0, MAX_COUNTED_LENGTH) : name.value;
      const nameKey = keyed('typed name', `${name.kind}:${typedName}`);
      // By account where there is one: its NIP and its account name must not give two sets of tries.
      const shared: FailureCounter =
        account === undefined ? { policy: PASSWORD_FAILURES, key: nameKey } : passwordFailuresOf(keyed, account.id);
      const reserved = await reserve(shared, account, visitor);
      if (reserved.kind === 'waiting') return { kind: 'throttled', until: reserved.until };
      const { counter } = reserved;

      const barred = causeOf(account);
      const oversize = Buffer.byteLength(password) > MAX_PASSWORD_BYTES;
      const stored = barred === undefined && !oversize ? account?.passwordHash : undefined;
      const decoy = decoys.of(shared.key.toString('base64'), account?.passwordHash);
      const verdict = await passwords
        .verify(stored ?? decoy, oversize ? '' : password, addressBucket(visitor.address))
        .catch(async (error: unknown) => {
          await giveBackFailure(db, { ...counter, now: clock.now() });
          throw error;
        });
      if (verdict.kind === 'mismatch' || account === undefined) {
        await recordRefusal(account, barred ?? 'mismatch', visitor);
        await addresses.recordFailure(bucket, nameKey);
        return { kind: 'refused' };
      }

      await addresses.recordSuccess(bucket, nameKey);
      const rehashed =
        verdict.outdated && stored !== undefined
          ? await rehash(stored, password, addressBucket(visitor.address))
          : undefined;
      return {
        kind: 'accepted',
        account,
        weak: unmetRules(password, account).length > 0,
        accept: async (tx) => {
          await clearFailures(tx, { ...counter, now: clock.now() });
          if (counter !== shared && account.passwordFailures > 0)
            await clearFailures(tx, { ...shared, now: clock.now() });
          if (rehashed !== undefined || account.passwordFailures > 0) {
            await recordLogin(tx, { accountId: account.id, now: clock.now(), rehashed, completed: false });
          }
          await audit.record(tx, {
            type: 'sign_in.password_accepted',
            detail: { rehashed: rehashed !== undefined },
            accountId: account.id,
            requestId: visitor.requestId,
            agent: visitor.agent,
          });
        },
      };
    },
  };
}
