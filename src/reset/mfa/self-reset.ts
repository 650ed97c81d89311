import { findById, getById, holdAccount, isUsable, type Account } from '../../accounts/accounts.js';
import type { AccountMail } from '../../accounts/account-mail.js';
import { maskEmail } from '../../accounts/email.js';
import { countedName } from '../../accounts/name.js';
import type { PasswordCheck } from '../../accounts/password-check.js';
import type { Audit } from '../../audit/audit.js';
import type { AuditDetails } from '../../audit/events.js';
import type { Captchas } from '../../captcha/captchas.js';
import type { MailedCodes } from '../../codes/mailed-codes.js';
import { canProve, type Device } from '../../devices/device.js';
import type { Devices } from '../../devices/devices.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Guesses } from '../../mfa/guesses.js';
import type { OtpCheck } from '../../mfa/otp.js';
import type { OwnReset } from '../../mfa/own-reset.js';
import type { RecoveryCodes } from '../../mfa/recovery-codes.js';
import type { WaitingResets } from '../../mfa/waiting-resets.js';
import type { WrongCodes } from '../../mfa/wrong-codes.js';
import { digest, type KeyedDigest } from '../../security/digests.js';
import { randomId } from '../../security/secrets.js';
import type { Database, Queryable } from '../../storage/database.js';
import { addressBucket } from '../../throttle/address.js';
import type { MailsAfterPassword } from '../../throttle/mails-after-password.js';
import type { Trace, Visitor } from '../../throttle/visitor.js';
import type { WayBack } from '../way-back.js';
import * as store from './self-reset-store.js';

/** A right password opens the next page for so long: people look for a sheet of paper, or for a mail. */
const FLOW_SECONDS = 30 * 60;
const CODE_SECONDS = 15 * 60;

interface Throttled {
  readonly kind: 'throttled';
  readonly until: Date;
}

export type StartAnswer =
  | { readonly kind: 'started'; readonly flowId: string }
  | { readonly kind: 'captcha_wrong' }
  /** Unknown, wrong, inactive, frozen: one answer for all. */
  | { readonly kind: 'refused' }
  | (Throttled & { readonly limit: 'passwords' | 'mails' })
  /** The credentials changed while the password was checked. */
  | { readonly kind: 'gone' };

/** In place of one device that is lost: all but the one in hand. */
const OTHERS = 'others';

export type FactorAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'gone' }
  /** `again`: of several codes of the phone in a row that were wrong. */
  | { readonly kind: 'otp_invalid'; readonly again?: boolean }
  | { readonly kind: 'otp_reused' }
  | { readonly kind: 'clock_drift'; readonly minutes: number }
  /** The code is of the very device that is said to be lost. */
  | { readonly kind: 'in_hand' }
  /** Which one is lost was left open: carelessness ends none. */
  | { readonly kind: 'none_chosen' }
  /** There is no such device, or no other one that could prove. */
  | { readonly kind: 'no_such_device' }
  /** Too many wrong ones: this passage is over. */
  | Throttled;

export type CodeAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'code_invalid' }
  | { readonly kind: 'exhausted' };

export type ResendAnswer = { readonly kind: 'sent' } | { readonly kind: 'gone' } | Throttled;

/** What the pages of a passage show: all of it to somebody who has proved the password. */
export type SelfResetView = { readonly back: store.Back | undefined } & (
  | {
      readonly state: 'proved';
      readonly way: 'factor';
      /** Any of these may be the lost one; empty when no other could prove it. */
      readonly devices: readonly { readonly id: string; readonly name: string }[];
    }
  | { readonly state: 'proved'; readonly way: 'wait'; readonly emailHint: string | undefined }
  | { readonly state: 'waiting'; readonly dueAt: Date }
  | { readonly state: 'done'; readonly outcome: store.Outcome }
);

/**
 * *Reset MFA* by the person: one state machine on the server. Captcha and password come first, checked as at the
 * login; then either a factor that is left, at once, or the mailbox and a waiting time. It never signs
 * anybody in and never binds a factor: that is the next login's, with a fresh proof of the mailbox.
 */
export interface SelfReset {
  /** Throws `Busy` when the hash queue is full. Where a waiting reset of this account is due, it takes effect here. */
  start(
    typed: {
      way: store.Way;
      username: string;
      password: string;
      captchaId: string;
      captcha: string;
      attemptUid: string | undefined;
    },
    visitor: Visitor,
  ): Promise<StartAnswer>;
  /** Undefined when there is no such passage in this browser, or it has ended. */
  view(flowId: string, visitor: Visitor): Promise<SelfResetView | undefined>;
  /**
   * With a code of another device: ends the one that is lost, or, with `others`, all but the one in hand; closed ones in
   * any case.
   */
  submitOtp(flowId: string, typed: { otp: string; lost: string }, visitor: Visitor): Promise<FactorAnswer>;
  /** With a recovery code: ends all. Throws `Busy`. */
  submitRecoveryCode(flowId: string, typed: string, visitor: Visitor): Promise<FactorAnswer>;
  /** With the mailed code: begins to wait, or tells when the reset that waits already is due. */
  submitCode(flowId: string, typed: string, visitor: Visitor): Promise<CodeAnswer>;
  resend(flowId: string, visitor: Visitor): Promise<ResendAnswer>;
}

export interface SelfResetParts {
  readonly db: Database;
  readonly captchas: Captchas;
  readonly passwordCheck: PasswordCheck;
  readonly codes: MailedCodes;
  readonly devices: Devices;
  readonly otp: OtpCheck;
  readonly guesses: Guesses;
  readonly recoveryCodes: RecoveryCodes;
  readonly wrongCodes: WrongCodes;
  readonly ownReset: OwnReset;
  readonly waitingResets: WaitingResets;
  readonly wayBack: WayBack;
  readonly mails: MailsAfterPassword;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

/** A passage that waits for its last proof, its row and its account held. */
interface Held {
  readonly flow: store.SelfResetFlow;
  readonly account: Account;
}

/** Whether the password proved in this passage is still the account's, and the account may be used. */
const isCurrent = (account: Account, { credEpoch }: { credEpoch: number }): boolean =>
  isUsable(account) && account.credEpoch === credEpoch;

export function createSelfReset(parts: SelfResetParts): SelfReset {
  const { db, captchas, passwordCheck, codes, devices, otp, guesses, recoveryCodes, wrongCodes } = parts;
  const { ownReset, waitingResets, wayBack, mails, accountMail, audit, keyed, clock } = parts;

  const holderOf = (flowId: string, visitor: Visitor) => ({
    id: digest(flowId),
    browser: keyed('reset browser', visitor.browserId),
    now: clock.now(),
  });
  const codeFlow = (id: Buffer) => ({ flow: id.toString('hex'), purpose: 'mfa-reset' as const });

  /** Mails a new code, which voids the older one; nothing where no address is on file. */
  async function send(
    tx: Queryable,
    { id, account }: { id: Buffer; account: Account },
    visitor: Visitor,
  ): Promise<{ kind: 'sent' } | Throttled> {
    if (account.email === undefined) return { kind: 'sent' };
    const now = clock.now();
    const addressKey = mails.addressKeyOf(visitor);
    const spending = await mails.spend(tx, { accountId: account.id, visitor, addressKey, now });
    if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
    const code = await codes.issue(tx, { ...codeFlow(id), accountId: account.id, ttlSeconds: CODE_SECONDS, now });
    const expiresAt = secondsAfter(now, CODE_SECONDS);
    await accountMail.queue(tx, {
      account,
      mail: 'mfa-reset-code',
      data: { code, expiresAt, at: now },
      locale: visitor.locale,
      expiresAt,
    });
    await audit.record(tx, {
      type: 'self_reset.code_sent',
      detail: {},
      accountId: account.id,
      requestId: visitor.requestId,
      agent: visitor.agent,
    });
    await store.recordMail(tx, id, { addressKey, at: now });
    return { kind: 'sent' };
  }

  /** Where the last proof of a passage is judged, its row and then its account held; what is over is answered at once. */
  async function atLastProof<Answer>(
    flowId: string,
    { way, visitor }: { way: store.Way; visitor: Visitor },
    judge: (tx: Queryable, held: Held) => Promise<Answer>,
  ): Promise<Answer | { kind: 'done' } | { kind: 'gone' }> {
    const holder = holderOf(flowId, visitor);
    return db.transaction<Answer | { kind: 'done' } | { kind: 'gone' }>(async (tx) => {
      const flow = await store.lockProved(tx, { ...holder, way });
      if (flow === undefined) {
        // The first half of a double tap may have done it.
        const now = await store.findFlow(tx, holder);
        return { kind: now?.way === way && now.state !== 'proved' ? 'done' : 'gone' };
      }
      await holdAccount(tx, flow.accountId);
      const account = await getById(tx, flow.accountId);
      if (isCurrent(account, flow)) return judge(tx, { flow, account });
      await store.moveOn(tx, flow.id, { state: 'failed' });
      return { kind: 'gone' };
    });
  }

  const recordRefusal = (
    tx: Queryable,
    { account }: Held,
    { cause, trace }: AuditDetails['self_reset.factor_refused'] & { trace: Trace },
  ): Promise<void> =>
    audit.record(tx, { type: 'self_reset.factor_refused', detail: { cause }, accountId: account.id, ...trace });

  /** What a wrong code leads to besides its answer: at the cap this passage is over, and needs the password again. */
  async function follow(
    tx: Queryable,
    { flow, account }: Held,
    wrong: { failures: number; trace: Trace },
  ): Promise<Throttled | { kind: 'gone' } | undefined> {
    const consequence = await wrongCodes.follow(tx, { account, ...wrong });
    if (consequence.kind === 'none') return undefined;
    await store.moveOn(tx, flow.id, { state: 'failed' });
    return consequence.kind === 'wait' ? { kind: 'throttled', until: consequence.until } : { kind: 'gone' };
  }

  /** The factors end, and the passage with them. */
  async function finish(
    tx: Queryable,
    { flow, account }: Held,
    granted: Pick<Parameters<OwnReset['apply']>[1], 'by' | 'but' | 'trace'>,
  ): Promise<{ kind: 'done' } | { kind: 'gone' }> {
    const renewed = await ownReset.apply(tx, { account, ...granted });
    if (renewed === undefined) throw new Error(`account ${account.id} changed while it was held`);
    await store.moveOn(tx, flow.id, { state: 'done', outcome: granted.but === undefined ? 'all' : 'some' });
    return { kind: 'done' };
  }

  /** Devices one of which may be lost while another proves it; empty when there are not two. */
  function lostOrInHand(active: readonly Device[]): readonly Device[] {
    const hasCodes = active.some((device) => device.kind === 'totp' && canProve(device));
    return active.length > 1 && hasCodes ? active : [];
  }

  return {
    async start({ way, username, password, captchaId, captcha, attemptUid }, visitor) {
      const { browserId, requestId, agent } = visitor;
      const solved = await captchas.redeem({
        id: captchaId,
        browser: browserId,
        answer: captcha,
        beside: countedName(username),
      });
      if (!solved) return { kind: 'captcha_wrong' };
      const verdict = await passwordCheck.check({ username, password }, visitor);
      if (verdict.kind === 'throttled') return { ...verdict, limit: 'passwords' };
      if (verdict.kind === 'refused') return verdict;
      const { account, accept } = verdict;
      const back = await wayBack.startOf(attemptUid, browserId);
      const completed = way === 'wait' ? await waitingResets.complete({ account, trace: visitor }) : undefined;
      const credEpoch = completed?.credEpoch ?? account.credEpoch;

      const flowId = randomId(16);
      return db.transaction<StartAnswer>(async (tx) => {
        await accept(tx);
        const now = await getById(tx, account.id);
        if (!isCurrent(now, { credEpoch })) return { kind: 'gone' };
        const holder = holderOf(flowId, visitor);
        const { id } = holder;
        const expiresAt = secondsAfter(holder.now, FLOW_SECONDS);
        await store.insertFlow(tx, { ...holder, way, accountId: account.id, credEpoch, attemptUid, back, expiresAt });
        const about = { accountId: account.id, requestId, agent };
        await audit.record(tx, { type: 'self_reset.started', detail: { way }, ...about });
        if (completed !== undefined) await store.moveOn(tx, id, { state: 'done', outcome: 'all' });
        else if (way === 'wait') {
          if ((await waitingResets.dueAt(tx, now)) !== undefined) await store.moveOn(tx, id, { state: 'waiting' });
          else {
            const sending = await send(tx, { id, account: now }, visitor);
            if (sending.kind === 'throttled') return { ...sending, limit: 'mails' };
          }
        }
        return { kind: 'started', flowId };
      });
    },

    async view(flowId, visitor) {
      const flow = await store.findFlow(db, holderOf(flowId, visitor));
      if (flow === undefined) return undefined;
      const { state, way } = flow;
      const back = (await wayBack.find(flow.attemptUid, visitor.browserId)) ?? flow.back;
      if (state === 'done') return { state, back, outcome: flow.outcome ?? 'nothing' };
      const account = await findById(db, flow.accountId);
      if (account === undefined || state === 'failed') return undefined;
      if (state === 'waiting') {
        const dueAt = await waitingResets.dueAt(db, account);
        return dueAt === undefined ? undefined : { state, back, dueAt };
      }
      if (!isCurrent(account, flow)) return undefined;
      if (way === 'wait') {
        const emailHint = account.email === undefined ? undefined : maskEmail(account.email);
        return { state, way, back, emailHint };
      }
      const found = lostOrInHand(await devices.activeOf(db, account.id));
      return { state, way, back, devices: found.map(({ id, name }) => ({ id, name })) };
    },

    submitOtp: (flowId, typed, visitor) =>
      atLastProof<FactorAnswer>(flowId, { way: 'factor', visitor }, async (tx, held) => {
        const { account } = held;
        const active = lostOrInHand(await devices.activeOf(tx, account.id));
        const lost = active.find(({ id }) => id === typed.lost);
        if (active.length === 0) return { kind: 'no_such_device' };
        if (typed.lost === '') return { kind: 'none_chosen' };
        if (typed.lost !== OTHERS && lost === undefined) return { kind: 'no_such_device' };
        const verdict = await otp.check(tx, { accountId: account.id, typed: typed.otp });
        if (verdict.kind === 'accepted') {
          const kept = verdict.device.id;
          if (lost?.id === kept) {
            await recordRefusal(tx, held, { cause: 'in_hand', trace: visitor });
            return { kind: 'in_hand' };
          }
          return finish(tx, held, { by: 'device', but: { kept, lost: lost?.id }, trace: visitor });
        }
        await recordRefusal(tx, held, { cause: verdict.kind, trace: visitor });
        switch (verdict.kind) {
          case 'reused':
            return { kind: 'otp_reused' };
          case 'throttled':
            await store.moveOn(tx, held.flow.id, { state: 'failed' });
            return verdict;
          case 'drift':
          case 'mismatch': {
            const over = await follow(tx, held, { failures: verdict.failures, trace: visitor });
            if (over !== undefined) return over;
            return verdict.kind === 'drift'
              ? { kind: 'clock_drift', minutes: verdict.minutes }
              : { kind: 'otp_invalid', again: verdict.failures > 1 };
          }
        }
      }),

    async submitRecoveryCode(flowId, typed, visitor) {
      const seen = await store.findFlow(db, holderOf(flowId, visitor));
      const read = (on: Queryable, accountId: AccountId) =>
        recoveryCodes.read(on, accountId, typed, addressBucket(visitor.address));
      const isDue = seen?.state === 'proved' && seen.way === 'factor';
      // The slow hash is made before the transaction, no row is held meanwhile; and only for a code that is looked at.
      const isLookedAt = isDue && (await guesses.findWait(db, seen.accountId)) === undefined;
      const early = isLookedAt ? await read(db, seen.accountId) : undefined;
      return atLastProof<FactorAnswer>(flowId, { way: 'factor', visitor }, async (tx, held) => {
        const { account, flow } = held;
        const reserved = await guesses.reserve(tx, account.id);
        if (reserved.kind === 'waiting') {
          await recordRefusal(tx, held, { cause: 'throttled', trace: visitor });
          await store.moveOn(tx, flow.id, { state: 'failed' });
          return { kind: 'throttled', until: reserved.until };
        }
        // In this very moment the wait ended.
        const slow = isLookedAt ? early : await read(tx, account.id);
        if (slow !== undefined && (await recoveryCodes.redeem(tx, account.id, slow)) !== undefined) {
          return finish(tx, held, { by: 'recovery_code', trace: visitor });
        }
        await recordRefusal(tx, held, { cause: 'recovery_code', trace: visitor });
        return (await follow(tx, held, { failures: reserved.failures, trace: visitor })) ?? { kind: 'otp_invalid' };
      });
    },

    submitCode: (flowId, typed, visitor) =>
      atLastProof<CodeAnswer>(flowId, { way: 'wait', visitor }, async (tx, { flow, account }) => {
        const answer = await codes.redeem(tx, { ...codeFlow(flow.id), typed, now: clock.now() });
        if (answer.kind !== 'right') {
          const cause = answer.kind === 'exhausted' ? 'exhausted' : 'wrong';
          const { requestId, agent } = visitor;
          const about = { accountId: account.id, requestId, agent };
          await audit.record(tx, { type: 'self_reset.code_refused', detail: { cause }, ...about });
          if (cause === 'wrong') return { kind: 'code_invalid' };
          await store.moveOn(tx, flow.id, { state: 'failed' });
          return { kind: 'exhausted' };
        }
        if (flow.mail !== undefined) {
          const { addressKey, at: spentAt } = flow.mail;
          await mails.giveBack(tx, { accountId: account.id, visitor, addressKey, spentAt });
        }
        if ((await devices.activeOf(tx, account.id)).length === 0) {
          await store.moveOn(tx, flow.id, { state: 'done', outcome: 'nothing' });
          return { kind: 'done' };
        }
        await waitingResets.begin(tx, { account, trace: visitor });
        await store.moveOn(tx, flow.id, { state: 'waiting' });
        return { kind: 'done' };
      }),

    resend: (flowId, visitor) =>
      atLastProof<ResendAnswer>(flowId, { way: 'wait', visitor }, (tx, { flow, account }) =>
        send(tx, { id: flow.id, account }, visitor),
      ).then((answer) => (answer.kind === 'done' ? { kind: 'gone' } : answer)),
  };
}
