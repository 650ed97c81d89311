import type { AccountMail } from '../accounts/account-mail.js';
import { getById, recordLogin } from '../accounts/accounts.js';
import type { PasswordCheck } from '../accounts/password-check.js';
import type { Audit } from '../audit/audit.js';
import type { EnrolmentTickets } from '../devices/enrolment-tickets.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Enrolment } from '../mfa/enrolment.js';
import type { Guesses } from '../mfa/guesses.js';
import type { WaitingResets } from '../mfa/waiting-resets.js';
import type { Database, Queryable } from '../storage/database.js';
import { networkOf } from '../throttle/address.js';
import type { KnownBrowsers } from '../throttle/known-browsers.js';
import { authenticationOf } from './authentication.js';
import { evidenceOf, personOf, type Attempt } from './attempt.js';
import * as attempts from './attempt-store.js';
import type { Exchange, Interactions } from './interactions.js';
import { nextStep, type Step } from './journey.js';
import type { MailboxProof } from './mailbox-proof.js';
import type { Visitor } from '../throttle/visitor.js';

/** An attempt that lives, and what it needs next. */
export interface Opened {
  readonly attempt: Attempt;
  readonly step: Step;
}

export type PasswordAnswer =
  | {
      readonly kind: 'accepted';
      readonly attempt: Attempt;
      /** The code for the mailbox is the one mailed to this browser minutes ago. */
      readonly isCodeKept?: boolean;
    }
  /** The attempt was finished or ended meanwhile. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly until: Date; readonly limit: 'passwords' | 'mails' };

export interface SignIn {
  /** Undefined when this browser holds no such attempt, or it has expired. */
  open(exchange: Exchange, uid: AttemptId, browserId: string): Promise<Opened | undefined>;
  /** Throws `Busy` when the hash queue is full. */
  submitPassword(
    attempt: Attempt,
    typed: { username: string; password: string },
    visitor: Visitor,
  ): Promise<PasswordAnswer>;
  /**
   * Where the browser goes from an attempt as this request has just read or left it: to the next step's page, or,
   * when nothing is left to prove, back to the authorization request with our word for the person. Undefined when
   * the attempt is gone.
   */
  proceed(exchange: Exchange, attempt: Attempt, visitor: Visitor): Promise<Onward | undefined>;
}

export type Onward =
  | { readonly kind: 'step'; readonly step: Exclude<Step, 'done'> }
  | { readonly kind: 'resume'; readonly location: string; readonly accountId: AccountId };

export interface SignInParts {
  readonly db: Database;
  readonly passwordCheck: PasswordCheck;
  readonly enrolment: Enrolment;
  readonly guesses: Pick<Guesses, 'keyOf'>;
  readonly tickets: EnrolmentTickets;
  readonly mailboxProof: MailboxProof;
  readonly interactions: Interactions;
  readonly waitingResets: Pick<WaitingResets, 'complete' | 'stopWithin'>;
  readonly knownBrowsers: KnownBrowsers;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly clock: Clock;
}

export function createSignIn(parts: SignInParts): SignIn {
  const { db, passwordCheck, enrolment, guesses, tickets, mailboxProof, interactions, audit, clock } = parts;
  const { knownBrowsers, accountMail, waitingResets } = parts;

  const stepOf = (attempt: Attempt): Step => nextStep(evidenceOf(attempt), clock.now());

  /** A first login is no news to the person, who is on the way to their first authenticator. */
  async function tellOfNewBrowser(tx: Queryable, accountId: AccountId, visitor: Visitor): Promise<void> {
    const account = await getById(tx, accountId);
    const data = { at: clock.now(), ...visitor.agent, network: networkOf(visitor.address) };
    await accountMail.queue(tx, { account, mail: 'new-browser', data, locale: visitor.locale });
  }

  /** The one place that gives the provider our word: both factors are proved, of a person who may log in. */
  async function vouch(exchange: Exchange, attempt: Attempt, visitor: Visitor): Promise<Onward | undefined> {
    const accountId = personOf(attempt);
    const { factorAt, credEpoch } = attempt;
    if (accountId === undefined || factorAt === undefined || credEpoch === undefined) return undefined;
    const { acr, amr } = authenticationOf(attempt);
    const isKnown = knownBrowsers.find(visitor.knownBrowser, accountId) !== undefined;
    // The row first: no login without its record, even when the store fails between the two.
    const record = async (tx: Queryable): Promise<boolean> => {
      const recorded = await recordLogin(tx, { accountId, now: clock.now() });
      if (recorded === undefined) return false;
      const { requestId, agent } = visitor;
      const about = { accountId, clientId: attempt.clientId, requestId, agent };
      await audit.record(tx, { type: 'sign_in.completed', detail: { acr, amr }, ...about });
      if (!isKnown && recorded.lastAt !== undefined) await tellOfNewBrowser(tx, accountId, visitor);
      // Whoever has a factor needs no reset; and the owner's next login stops one that somebody else began (ADR 0015).
      if (attempt.waitingResetDueAt !== undefined)
        await waitingResets.stopWithin(tx, { accountId, by: 'login', trace: visitor });
      return true;
    };
    const isOne = isKnown && attempt.waitingResetDueAt === undefined;
    if (!(await (isOne ? record(db) : db.transaction(record)))) return undefined;
    const location = await interactions.finish(exchange, attempt.uid, {
      accountId,
      amr,
      acr,
      authenticatedAt: factorAt,
      credEpoch,
      // With nothing but a second factor here, our word holds only on top of the session it was asked for.
      buildsOnSession: attempt.passwordAt === undefined && attempt.passkeyAt === undefined,
    });
    return location === undefined ? undefined : { kind: 'resume', location, accountId };
  }

  return {
    async open(exchange, uid, browserId) {
      if (!interactions.holds(exchange, uid)) return undefined;
      const attempt = await attempts.find(db, { uid, browserId, now: clock.now() });
      return attempt === undefined ? undefined : { attempt, step: stepOf(attempt) };
    },

    async submitPassword({ uid, clientId }, typed, visitor) {
      const verdict = await passwordCheck.check(typed, visitor);
      if (verdict.kind === 'throttled') return { ...verdict, limit: 'passwords' };
      if (verdict.kind === 'refused') return verdict;
      const { account, weak, accept } = verdict;
      const { browserId, requestId, agent } = visitor;
      const record = async (tx: Queryable, credEpoch: number): Promise<PasswordAnswer> => {
        const now = clock.now();
        const { id: accountId } = account;
        const guessesKey = guesses.keyOf(accountId);
        const attempt = await attempts.recordPassword(tx, { uid, accountId, credEpoch, weak, guessesKey, now });
        if (attempt === undefined) return { kind: 'elsewhere' };
        if (attempt.devices.length > 0) return { kind: 'accepted', attempt };
        // The reset just completed in this browser proved the mailbox already.
        if (await tickets.redeem(tx, accountId, browserId)) {
          await attempts.recordMailbox(tx, uid, now);
          await enrolment.begin(tx, { attempt: uid }, { accountId });
          const about = { accountId, clientId, requestId, agent };
          await audit.record(tx, { type: 'sign_in.mailbox_proved', detail: { by: 'reset' }, ...about });
          return { kind: 'accepted', attempt: { ...attempt, mailboxAt: now } };
        }
        const asked = await mailboxProof.begin(tx, { attempt, account }, visitor);
        if (asked.kind !== 'exhausted') return { kind: 'accepted', attempt, isCodeKept: asked.kind === 'kept' };
        await attempts.forgetPassword(tx, uid);
        return { kind: 'throttled', until: asked.until, limit: 'mails' };
      };
      const answer = await db.transaction(async (tx) => {
        await accept(tx);
        return record(tx, account.credEpoch);
      });
      const { waitingResetDueAt: dueAt, devices = [] } = 'attempt' in answer ? answer.attempt : {};
      if (dueAt === undefined || dueAt > clock.now() || devices.length === 0) return answer;
      // A waiting reset takes effect for who types the password after the wait. In a transaction of its own, which
      // holds the account before it ends attempts: this one's row is free meanwhile.
      const completed = await waitingResets.complete({ account, exceptAttempt: uid, trace: visitor });
      return completed === undefined ? answer : db.transaction((tx) => record(tx, completed.credEpoch));
    },

    async proceed(exchange, attempt, visitor) {
      const step = stepOf(attempt);
      return step === 'done' ? vouch(exchange, attempt, visitor) : { kind: 'step', step };
    },
  };
}
