import { getById, isUsable, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import type { AuditDetails } from '../audit/events.js';
import type { Passkey } from '../devices/passkey.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Guesses } from '../mfa/guesses.js';
import type { Passkeys, RequestOptions } from '../mfa/passkeys.js';
import { digest } from '../security/digests.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Visitor } from '../throttle/visitor.js';
import { evidenceOf, personOf, type Attempt } from './attempt.js';
import * as attempts from './attempt-store.js';
import { answerGiven, keptAnswer } from './factor-answer.js';
import { nextStep } from './journey.js';
import type { FactorOutcome } from './second-factor.js';

/**
 * Passkeys during a sign-in: after the password, or in its place. Both verify the user; the second is both factors in
 * one (R-02, ADR 0013). A refused one is audited, where it is known whose or which it is, and locks nothing: there is nothing to guess.
 */
export interface PasskeySignIn {
  /** What the browser hands to the person's authenticator. Undefined when this attempt waits for no passkey now. */
  begin(attempt: Attempt): Promise<RequestOptions | undefined>;
  /** The caller knows that this browser began the attempt. */
  submit(uid: AttemptId, credential: string, visitor: Visitor): Promise<FactorOutcome>;
}

/** Whose passkey an attempt waits for: this person's after the password, anybody's before it; undefined: none. */
function waitsFor(attempt: Attempt, now: Date): { readonly person: AccountId | undefined } | undefined {
  const step = nextStep(evidenceOf(attempt), now);
  if (step === 'password') return { person: undefined };
  const person = step === 'second-factor' ? personOf(attempt) : undefined;
  return person === undefined ? undefined : { person };
}

/** A challenge made before the password is not answered after it, nor the other way round. */
const ceremonyOf = (uid: AttemptId, person: AccountId | undefined): string => `sign-in|${uid}|${person ?? 'anybody'}`;

export function createPasskeySignIn(parts: {
  db: Database;
  passkeys: Passkeys;
  guesses: Guesses;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): PasskeySignIn {
  const { db, passkeys, guesses, accountMail, audit, clock } = parts;

  async function refuse(
    tx: Queryable,
    refused: {
      attempt: Attempt;
      cause: AuditDetails['sign_in.passkey_refused']['cause'];
      passkey: Passkey | undefined;
      visitor: Visitor;
    },
  ): Promise<void> {
    const { attempt, cause, passkey, visitor } = refused;
    const { requestId, agent } = visitor;
    const { clientId } = attempt;
    const accountId = personOf(attempt) ?? passkey?.accountId;
    // Nobody's: anybody can post such things before a password, as often as they like.
    if (accountId === undefined) return;
    const detail = { cause, ...(passkey === undefined ? {} : { device: passkey.deviceId }) };
    await audit.record(tx, { type: 'sign_in.passkey_refused', detail, accountId, clientId, requestId, agent });
    if (cause !== 'copied' || passkey === undefined) return;
    const account = await getById(tx, passkey.accountId);
    await accountMail.queue(tx, { account, mail: 'passkey-copied', data: { at: clock.now() }, locale: visitor.locale });
  }

  async function record(
    tx: Queryable,
    accepted: {
      attempt: Attempt;
      /** No password was proved before it. */
      alone: boolean;
      passkey: Passkey;
      account: Account;
      credential: Buffer;
      visitor: Visitor;
    },
  ): Promise<Attempt> {
    const { attempt, alone, passkey, account, credential, visitor } = accepted;
    const { requestId, agent } = visitor;
    const { uid, clientId } = attempt;
    await audit.record(tx, {
      type: 'sign_in.passkey_accepted',
      detail: { device: passkey.deviceId, alone },
      accountId: account.id,
      clientId,
      requestId,
      agent,
    });
    // The owner was here: wrong codes that somebody else types count from nought again, as after a right one.
    await guesses.clear(tx, account.id);
    const now = clock.now();
    const proof = {
      uid,
      accountId: account.id,
      method: passkey.backupEligible ? ('synced_passkey' as const) : ('device_passkey' as const),
      now,
      answered: keptAnswer({ kind: 'accepted' }, credential, now),
    };
    if (alone) return attempts.recordPasskey(tx, { ...proof, credEpoch: account.credEpoch });
    // Of the password that was proved: one changed since voids what it opened.
    return attempts.recordFactor(tx, { ...proof, credEpoch: attempt.credEpoch ?? account.credEpoch });
  }

  return {
    async begin(attempt) {
      const awaited = waitsFor(attempt, clock.now());
      if (awaited === undefined) return undefined;
      const ceremony = ceremonyOf(attempt.uid, awaited.person);
      return passkeys.beginUse(db, { ceremony, accountId: awaited.person });
    },

    submit: (uid, typed, visitor) =>
      db.transaction<FactorOutcome>(async (tx) => {
        const attempt = await attempts.lock(tx, { uid, browserId: visitor.browserId, now: clock.now() });
        if (attempt === undefined) return { answer: { kind: 'elsewhere' }, attempt };
        const credential = digest(`${uid}|passkey|${typed}`);
        // A double tap is one try, and its second half finds the first one's answer.
        const before = answerGiven(attempt, credential, clock.now());
        if (before !== undefined) return { answer: before, attempt };
        const awaited = waitsFor(attempt, clock.now());
        if (awaited === undefined) return { answer: { kind: 'elsewhere' }, attempt };

        const ceremony = ceremonyOf(uid, awaited.person);
        let isUnknown = false;
        const verdict = await passkeys.check(tx, { ceremony, credential: typed, accountId: awaited.person });
        if (verdict.kind === 'accepted') {
          const { passkey } = verdict;
          const account = await getById(tx, passkey.accountId);
          if (isUsable(account)) {
            const alone = awaited.person === undefined;
            const after = await record(tx, { attempt, alone, passkey, account, credential, visitor });
            return { answer: { kind: 'accepted' }, attempt: after };
          }
          await refuse(tx, { attempt, cause: 'barred', passkey, visitor });
        } else {
          isUnknown = verdict.cause === 'unknown';
          await refuse(tx, { attempt, cause: verdict.cause, passkey: verdict.passkey, visitor });
        }
        const answer = { kind: 'passkey_invalid', isUnknown } as const;
        await attempts.recordAnswer(tx, uid, keptAnswer(answer, credential, clock.now()));
        return { answer, attempt };
      }),
  };
}
