import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Account, NewAccount } from './account.js';
import {
  countFailure,
  disableCredential,
  insertAccount,
  isLastFailure,
  lockAccount,
  raiseEpoch,
  raiseEpochOf,
  selectById,
  selectByName,
  updateAtLogin,
  updateEmail,
  updateEmailProved,
  updateEmailUnproved,
  upsertPassword,
} from './account-store.js';
import type { CanonicalName } from './name.js';

export type { Account } from './account.js';

/** True when the account as such may be used; says nothing of its password or second factor. */
export const isUsable = (account: Account): boolean => account.status === 'active' && !account.frozen;

/** The account a person means, with its password, in one statement. */
export const findByName = (db: Queryable, name: CanonicalName): Promise<Account | undefined> => selectByName(db, name);

/** Undefined for ids that are unknown or no UUID at all. */
export const findById = (db: Queryable, id: AccountId): Promise<Account | undefined> => selectById(db, id);

/** For ids that our own records hold: accounts are never deleted, so one that is missing is a bug. */
export async function getById(db: Queryable, id: AccountId): Promise<Account> {
  const account = await selectById(db, id);
  if (account === undefined) throw new Error(`account ${id} is gone`);
  return account;
}

/** Adds one account without a password. `known` when its NIP, account name or person has an account already. */
export async function createAccount(
  tx: Queryable,
  { account, now }: { account: NewAccount; now: Date },
): Promise<{ readonly kind: 'created'; readonly id: AccountId } | { readonly kind: 'known' }> {
  const id = await insertAccount(tx, account, now);
  return id === undefined ? { kind: 'known' } : { kind: 'created', id };
}

/**
 * Stores a new password, activates the account if this is its first, and lifts a disabled one. Answers the new
 * credential epoch: every session begun before is void, and ending them is the caller's part.
 */
export async function setPassword(
  tx: Queryable,
  change: { accountId: AccountId; passwordHash: string; now: Date },
): Promise<number> {
  const credEpoch = await upsertPassword(tx, change);
  if (credEpoch === undefined) throw new Error(`account ${change.accountId} is gone`);
  return credEpoch;
}

/**
 * The same for a person who has just proved something about the account as it was read: undefined, and nothing is
 * changed, when its credentials have changed since. Of two that change one password at once, one does.
 */
export const changePassword = (
  tx: Queryable,
  change: { accountId: AccountId; passwordHash: string; credEpoch: number; now: Date },
): Promise<number | undefined> => upsertPassword(tx, change);

/**
 * Voids what was begun with the factors of before, for a person who has just proved something about the account
 * as it was read. Answers the new epoch; undefined, and nothing is changed, when its credentials have changed since or
 * it may not be used any more.
 */
export const renewCredentials = (
  tx: Queryable,
  proved: { accountId: AccountId; credEpoch: number; now: Date },
): Promise<number | undefined> => raiseEpoch(tx, proved);

/** The first password came without a code from the address on file: nobody has proved it. */
export const recordEmailUnproved = (tx: Queryable, accountId: AccountId): Promise<void> =>
  updateEmailUnproved(tx, accountId);

/** Voids what was begun with the credentials of before, for an officer who ends them. */
export const voidCredentials = (tx: Queryable, accountId: AccountId, now: Date): Promise<void> =>
  raiseEpochOf(tx, accountId, now);

/** Holds an account until the transaction ends: of two that bind something to it at once, the second sees the first. */
export const holdAccount = (tx: Queryable, accountId: AccountId): Promise<void> => lockAccount(tx, accountId);

/** Counts a wrong password. `disabled` is true once: for the one that used up the last try. */
export async function recordPasswordFailure(
  tx: Queryable,
  accountId: AccountId,
  now: Date,
): Promise<{ readonly failures: number; readonly disabled: boolean }> {
  const failures = (await countFailure(tx, accountId, now)) ?? 0;
  return { failures, disabled: isLastFailure(failures) };
}

/**
 * Ends a password that somebody else may know: the person sets a new one by the mailed-code reset, which still asks for
 * a second factor. False when the account has none.
 */
export const disablePassword = (tx: Queryable, accountId: AccountId, now: Date): Promise<boolean> =>
  disableCredential(tx, accountId, now);

/**
 * At a login, or with `completed: false` at its right password: forgets wrong passwords, and keeps the better hash made
 * of the one just verified. Answers when the account was logged in last; undefined, with nothing changed, when
 * it may not be used any more.
 */
export const recordLogin = (
  tx: Queryable,
  login: {
    accountId: AccountId;
    now: Date;
    rehashed?: { from: string; to: string } | undefined;
    completed?: boolean;
  },
): Promise<{ readonly lastAt: Date | undefined } | undefined> => updateAtLogin(tx, { completed: true, ...login });

/**
 * Puts an address that was just proved by a code on file. From now on an import changes it only when the personnel
 * system has something new to say (docs/adr/0014). False when the account may not be used; `evenFrozen`: when it has left.
 */
export const changeEmail = (
  tx: Queryable,
  change: { accountId: AccountId; email: string; evenFrozen?: boolean; now: Date },
): Promise<boolean> => updateEmail(tx, { evenFrozen: false, ...change });

/** A code mailed to the address on file was typed: it is proved, whoever brought it. */
export const recordEmailProved = (tx: Queryable, accountId: AccountId): Promise<void> =>
  updateEmailProved(tx, accountId);
