import { getById, holdAccount, recordEmailProved, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import { maskEmail } from '../accounts/email.js';
import { lastThreeOf } from '../accounts/nip.js';
import type { Audit } from '../audit/audit.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import { cleanDeviceName } from '../devices/device-name.js';
import type { Devices } from '../devices/devices.js';
import type { Clock } from '../kernel/clock.js';
import type { AttemptId } from '../kernel/ids.js';
import type { Enrolment, EnrolmentOffer } from '../mfa/enrolment.js';
import type { OtpCheck } from '../mfa/otp.js';
import type { RecoveryCodes } from '../mfa/recovery-codes.js';
import type { WrongCodes } from '../mfa/wrong-codes.js';
import { digest } from '../security/digests.js';
import type { SealedBox } from '../security/sealed-box.js';
import type { Database } from '../storage/database.js';
import { codesContext, evidenceOf, type Attempt } from './attempt.js';
import * as attempts from './attempt-store.js';
import { answerGiven, keptAnswer, type FactorAnswer } from './factor-answer.js';
import { nextStep } from './journey.js';
import type { MailboxProof } from './mailbox-proof.js';
import { addressBucket } from '../throttle/address.js';
import type { Visitor } from '../throttle/visitor.js';

export type MailboxAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'code_invalid' }
  /** Five wrong codes: the sign-in is over. */
  | { readonly kind: 'exhausted' };

export type ResendAnswer = { readonly kind: 'sent' } | { readonly kind: 'throttled'; readonly until: Date };

export type ConfirmAnswer = FactorAnswer | { readonly kind: 'name_invalid' } | { readonly kind: 'gone' };

/** Binding the first authenticator during a sign-in. Each call expects the step it serves to be the next one. */
export interface FirstEnrolment {
  /** The masked address a code goes to; undefined when none is on file. */
  mailboxOf(attempt: Attempt): Promise<string | undefined>;
  proveMailbox(attempt: Attempt, typed: string, visitor: Visitor): Promise<MailboxAnswer>;
  resend(attempt: Attempt, visitor: Visitor): Promise<ResendAnswer>;
  /** Until when no code is looked at, after too many wrong ones; undefined when one may be typed. */
  findWait(attempt: Attempt): Promise<Date | undefined>;
  /** What to show; undefined when it has waited too long. */
  offer(attempt: Attempt): Promise<EnrolmentOffer | undefined>;
  /** Binds the device, makes recovery codes and counts as the second factor of this sign-in (no second code asked). */
  confirm(attempt: Attempt, typed: { otp: string; deviceName: string }, visitor: Visitor): Promise<ConfirmAnswer>;
  /** The recovery codes to show until they are said to be saved. */
  codesToSave(attempt: Attempt): readonly string[];
  codesSaved(uid: AttemptId): Promise<void>;
}

export interface FirstEnrolmentParts {
  readonly db: Database;
  readonly devices: Devices;
  readonly enrolment: Enrolment;
  readonly recoveryCodes: RecoveryCodes;
  readonly otp: Pick<OtpCheck, 'findWait'>;
  readonly wrongCodes: WrongCodes;
  readonly codes: MailedCodes;
  readonly mailboxProof: MailboxProof;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly box: SealedBox;
  readonly clock: Clock;
}

export function createFirstEnrolment(parts: FirstEnrolmentParts): FirstEnrolment {
  const {
    db,
    devices,
    enrolment,
    recoveryCodes,
    otp: otpCheck,
    wrongCodes,
    codes,
    mailboxProof,
    accountMail,
    audit,
    box,
    clock,
  } = parts;

  const personOf = async (attempt: Attempt): Promise<Account> => {
    if (attempt.accountId === undefined) throw new Error('nobody has proved a password here');
    return getById(db, attempt.accountId);
  };

  return {
    async mailboxOf(attempt) {
      const { email } = await personOf(attempt);
      return email === undefined ? undefined : maskEmail(email);
    },

    async proveMailbox(attempt, typed, { browserId, requestId, agent }) {
      const account = await personOf(attempt);
      const about = { accountId: account.id, clientId: attempt.clientId, requestId, agent };
      return db.transaction(async (tx) => {
        const held = await attempts.lock(tx, { uid: attempt.uid, browserId, now: clock.now() });
        // The other half of a double tap has proved it, or the attempt has ended: what is due next tells which.
        if (held === undefined || held.mailboxAt !== undefined) return { kind: 'accepted' };
        if (held.accountId !== account.id) return { kind: 'accepted' };
        const flow = mailboxProof.flowOf(held, account);
        const answer = await codes.redeem(tx, { flow, purpose: 'mailbox', typed, now: clock.now() });
        switch (answer.kind) {
          case 'right':
            await attempts.recordMailbox(tx, attempt.uid, clock.now());
            if (!account.emailProved) await recordEmailProved(tx, account.id);
            await enrolment.begin(tx, { attempt: attempt.uid }, { accountId: account.id });
            await audit.record(tx, { type: 'sign_in.mailbox_proved', detail: { by: 'code' }, ...about });
            return { kind: 'accepted' };
          case 'exhausted':
            await attempts.forgetPassword(tx, attempt.uid);
            await audit.record(tx, { type: 'sign_in.mailbox_refused', detail: { cause: 'exhausted' }, ...about });
            return { kind: 'exhausted' };
          case 'wrong':
          case 'none':
            await audit.record(tx, { type: 'sign_in.mailbox_refused', detail: { cause: 'wrong' }, ...about });
            return { kind: 'code_invalid' };
        }
      });
    },

    async resend(attempt, visitor) {
      const account = await personOf(attempt);
      const spending = await db.transaction((tx) => mailboxProof.send(tx, { attempt, account }, visitor));
      return spending.kind === 'spent' ? { kind: 'sent' } : { kind: 'throttled', until: spending.until };
    },

    async findWait({ accountId }) {
      return accountId === undefined ? undefined : otpCheck.findWait(db, accountId);
    },

    async offer(attempt) {
      const account = await personOf(attempt);
      return enrolment.offer(db, { attempt: attempt.uid }, `NIP …${lastThreeOf(account.nip)}`);
    },

    async confirm(attempt, { otp, deviceName }, visitor) {
      const name = cleanDeviceName(deviceName);
      if (name === undefined) return { kind: 'name_invalid' };
      const account = await personOf(attempt);
      const { uid } = attempt;
      const { requestId, agent } = visitor;
      const about = { accountId: account.id, clientId: attempt.clientId, requestId, agent };
      const code = digest(`${uid}|enrol|${otp.replace(/\s/g, '')}`);
      const prepare = () => recoveryCodes.prepare(addressBucket(visitor.address));
      // Ten slow hashes, made before any row is held, and only for a code that looks right and is looked at.
      const isLookedAt =
        (await enrolment.matches(db, { attempt: uid }, otp)) && (await otpCheck.findWait(db, account.id)) === undefined;
      const prepared = isLookedAt ? await prepare() : undefined;
      return db.transaction<ConfirmAnswer>(async (tx) => {
        const held = await attempts.lock(tx, { uid, browserId: visitor.browserId, now: clock.now() });
        if (held === undefined) return { kind: 'elsewhere' };
        const before = answerGiven(held, code, clock.now());
        if (before !== undefined) return before;
        // The other half of a double tap has done it, or another sign-in; or somebody else's password was typed here.
        if (held.accountId !== account.id || nextStep(evidenceOf(held), clock.now()) !== 'enrol-device')
          return { kind: 'elsewhere' };
        // Another sign-in of this person may be binding its first authenticator at this very moment.
        await holdAccount(tx, account.id);
        if ((await devices.activeOf(tx, account.id)).length > 0) return { kind: 'elsewhere' };
        const verdict = await enrolment.confirm(tx, { place: { attempt: uid }, typed: otp, name });
        switch (verdict.kind) {
          case 'accepted': {
            const now = clock.now();
            const made = prepared ?? (await prepare());
            await recoveryCodes.issue(tx, account.id, made);
            await attempts.recordFactor(tx, {
              uid,
              accountId: account.id,
              credEpoch: held.credEpoch ?? account.credEpoch,
              method: 'otp',
              now,
            });
            await attempts.keepCodes(tx, uid, box.seal(JSON.stringify(made.codes), codesContext(uid)));
            await audit.record(
              tx,
              { type: 'device.enrolled', detail: { device: verdict.device.id }, ...about },
              { type: 'recovery_codes.issued', detail: { count: made.codes.length }, ...about },
            );
            await accountMail.queue(tx, { account, mail: 'authenticator-added', data: { deviceName: name, at: now } });
            return { kind: 'accepted' };
          }
          case 'gone':
            return { kind: 'gone' };
          case 'reused':
            await audit.record(tx, { type: 'sign_in.otp_refused', detail: { cause: 'reused' }, ...about });
            return { kind: 'otp_reused' };
          case 'throttled':
            await audit.record(tx, { type: 'sign_in.throttled', detail: { limit: 'otp' }, ...about });
            return { kind: 'throttled', until: verdict.until };
          case 'drift':
          case 'mismatch': {
            const cause = verdict.kind === 'drift' ? 'drift' : 'mismatch';
            await audit.record(tx, { type: 'sign_in.otp_refused', detail: { cause }, ...about });
            const { failures } = verdict;
            const consequence = await wrongCodes.follow(tx, { account, failures, trace: visitor });
            if (consequence.kind !== 'none') await attempts.forgetPassword(tx, uid);
            if (consequence.kind === 'wait') return { kind: 'throttled', until: consequence.until };
            if (consequence.kind === 'disabled') return consequence;
            const answer: FactorAnswer =
              verdict.kind === 'drift'
                ? { kind: 'clock_drift', minutes: verdict.minutes }
                : { kind: 'otp_invalid', again: failures > 1 };
            await attempts.recordAnswer(tx, uid, keptAnswer(answer, code, clock.now()));
            return answer;
          }
        }
      });
    },

    codesToSave: ({ uid, pendingCodes }) =>
      pendingCodes === undefined
        ? []
        : (JSON.parse(box.open(pendingCodes, codesContext(uid)).toString()) as readonly string[]),

    codesSaved: (uid) => attempts.dropCodes(db, uid),
  };
}
