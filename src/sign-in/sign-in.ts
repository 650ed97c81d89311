import { getById, isUsable } from '../accounts/accounts.js';
import type { PasswordCheck } from '../accounts/password-check.js';
import type { Audit } from '../audit/audit.js';
import type { Devices } from '../devices/devices.js';
import type { EnrolmentTickets } from '../devices/enrolment-tickets.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Enrolment } from '../mfa/enrolment.js';
import type { Database } from '../storage/database.js';
import { evidenceOf, personOf, type Attempt } from './attempt.js';
import * as attempts from './attempt-store.js';
import type { Exchange, Interactions } from './interactions.js';
import { nextStep, type Step } from './journey.js';
import type { MailboxProof } from './mailbox-proof.js';
import type { Visitor } from '../throttle/visitor.js';

/** The one level our logins reach: password and second factor. */
export const ACR = 'urn:asn:aal2';

/** An attempt that lives, and what it needs next. */
export interface Opened {
  readonly attempt: Attempt;
  readonly step: Step;
  readonly deviceNames: readonly string[];
}

export type PasswordAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly until: Date; readonly limit: 'passwords' | 'mails' };

export interface SignIn {
  /** Undefined when this browser holds no such attempt, or it has expired. */
  open(exchange: Exchange, uid: AttemptId): Promise<Opened | undefined>;
  /** Throws `Busy` when the hash queue is full. */
  submitPassword(
    attempt: Attempt,
    typed: { username: string; password: string },
    visitor: Visitor,
  ): Promise<PasswordAnswer>;
  /**
   * Where the browser goes after something was proved: to the next step's page, or, when nothing is left to prove,
   * back to the authorization request with our word for the person. Undefined when the attempt is gone.
   */
  proceed(exchange: Exchange, uid: AttemptId, visitor: Visitor): Promise<Onward | undefined>;
}

export type Onward =
  | { readonly kind: 'step'; readonly step: Exclude<Step, 'done'> }
  | { readonly kind: 'resume'; readonly location: string; readonly accountId: AccountId };

export interface SignInParts {
  readonly db: Database;
  readonly passwordCheck: PasswordCheck;
  readonly devices: Devices;
  readonly enrolment: Enrolment;
  readonly tickets: EnrolmentTickets;
  readonly mailboxProof: MailboxProof;
  readonly interactions: Interactions;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** RFC 8176: a recovery code is a second factor without a name of its own there. */
const amrOf = ({ factorMethod }: Attempt): readonly string[] =>
  factorMethod === 'recovery_code' ? ['pwd', 'mfa'] : ['pwd', 'otp', 'mfa'];

export function createSignIn(parts: SignInParts): SignIn {
  const { db, passwordCheck, devices, enrolment, tickets, mailboxProof, interactions, audit, clock } = parts;

  async function open(exchange: Exchange, uid: AttemptId): Promise<Opened | undefined> {
    if (!interactions.holds(exchange, uid)) return undefined;
    const attempt = await attempts.find(db, uid, clock.now());
    if (attempt === undefined) return undefined;
    const person = personOf(attempt);
    const active = person === undefined ? [] : await devices.activeOf(db, person);
    const step = nextStep(evidenceOf(attempt, active.length > 0), clock.now());
    return { attempt, step, deviceNames: active.map(({ name }) => name) };
  }

  /** The one place that gives the provider our word: both factors are proved, of a person who may log in. */
  async function vouch(exchange: Exchange, attempt: Attempt, visitor: Visitor): Promise<Onward | undefined> {
    const accountId = personOf(attempt);
    if (accountId === undefined || attempt.factorAt === undefined) return undefined;
    const account = await getById(db, accountId);
    if (!isUsable(account)) return undefined;
    const amr = amrOf(attempt);
    const location = await interactions.finish(exchange, attempt.uid, {
      accountId,
      amr,
      acr: ACR,
      authenticatedAt: attempt.factorAt,
      credEpoch: attempt.credEpoch ?? account.credEpoch,
    });
    if (location === undefined) return undefined;
    await audit.record(db, {
      type: 'sign_in.completed',
      detail: { acr: ACR, amr },
      accountId,
      clientId: attempt.clientId,
      requestId: visitor.requestId,
    });
    return { kind: 'resume', location, accountId };
  }

  return {
    open,

    async submitPassword({ uid, clientId }, typed, visitor) {
      const verdict = await passwordCheck.check(typed, visitor);
      if (verdict.kind === 'throttled') return { ...verdict, limit: 'passwords' };
      if (verdict.kind === 'refused') return verdict;
      const { account, weak, accept } = verdict;
      return db.transaction<PasswordAnswer>(async (tx) => {
        await accept(tx);
        await attempts.recordPassword(tx, {
          uid,
          accountId: account.id,
          credEpoch: account.credEpoch,
          weak,
          now: clock.now(),
        });
        if ((await devices.activeOf(tx, account.id)).length > 0) return { kind: 'accepted' };
        // The reset just completed in this browser proved the mailbox already.
        if (await tickets.redeem(tx, account.id, visitor.browserId)) {
          await attempts.recordMailbox(tx, uid, clock.now());
          await enrolment.begin(tx, uid, account.id);
          const about = { accountId: account.id, clientId, requestId: visitor.requestId };
          await audit.record(tx, { type: 'sign_in.mailbox_proved', detail: { by: 'reset' }, ...about });
          return { kind: 'accepted' };
        }
        const spending = await mailboxProof.send(tx, { attempt: uid, account }, visitor);
        if (spending.kind === 'spent') return { kind: 'accepted' };
        await attempts.forgetPassword(tx, uid);
        return { kind: 'throttled', until: spending.until, limit: 'mails' };
      });
    },

    async proceed(exchange, uid, visitor) {
      const opened = await open(exchange, uid);
      if (opened === undefined) return undefined;
      const { attempt, step } = opened;
      return step === 'done' ? vouch(exchange, attempt, visitor) : { kind: 'step', step };
    },
  };
}
