import { findById, findByName, holdAccount, isUsable, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import { comparableEmail, decoyMask, isSameEmail, maskEmail } from '../accounts/email.js';
import { canonicalName, countedName } from '../accounts/name.js';
import { judgePassword, type RuleState } from '../accounts/password-judgement.js';
import type { Audit } from '../audit/audit.js';
import type { Captchas } from '../captcha/captchas.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import type { Devices } from '../devices/devices.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { NOBODY } from '../kernel/ids.js';
import type { CodeRefusal, EitherCode } from '../mfa/either-code.js';
import { digest, sameBytes, type KeyedDigest } from '../security/digests.js';
import type { Passwords } from '../security/passwords.js';
import { randomId } from '../security/secrets.js';
import type { Database, Queryable } from '../storage/database.js';
import { addressBucket } from '../throttle/address.js';
import { giveBackQuotas, mailPlaces, spendQuotas } from '../throttle/quotas.js';
import type { Visitor } from '../throttle/visitor.js';
import type { PasswordChange } from './password-change.js';
import * as store from './reset-store.js';

const FLOW_SECONDS = 60 * 60;
const CODE_SECONDS = 15 * 60;
const MAX_EMAIL_TRIES = 5;

export type StartAnswer = { readonly kind: 'started'; readonly flowId: string } | { readonly kind: 'captcha_wrong' };
export type EmailAnswer =
  { readonly kind: 'accepted' } | { readonly kind: 'gone' } | { readonly kind: 'throttled'; readonly until: Date };

export type CodeAnswer =
  | { readonly kind: 'done'; readonly account: Account }
  | { readonly kind: 'gone' }
  | { readonly kind: 'code_invalid' }
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'confirmation_mismatch' }
  | { readonly kind: 'password_policy'; readonly rules: readonly RuleState[] }
  | { readonly kind: 'otp_required' }
  | CodeRefusal;

/** What the page of a flow shows. */
export interface FlowView {
  readonly state: store.ResetState;
  /** The masked address, or its decoy: nobody can tell which. */
  readonly emailHint: string;
  readonly attemptUid: string | undefined;
}

/**
 * Forgotten password and first activation: one state machine on the server. Whatever name is typed, the same
 * pages follow, with the same work behind them; it never signs anybody in and never touches a factor.
 */
export interface PasswordReset {
  start(
    typed: { username: string; captchaId: string; captcha: string; attemptUid: string | undefined },
    visitor: Visitor,
  ): Promise<StartAnswer>;
  view(flowId: string, visitor: Visitor): Promise<FlowView | undefined>;
  submitEmail(flowId: string, typed: string, visitor: Visitor): Promise<EmailAnswer>;
  /** A new code to where the last one went, or to nobody as before. The older one is void; tries keep counting. */
  resend(flowId: string, visitor: Visitor): Promise<EmailAnswer>;
  /** A refused password burns neither the code nor the one-time code nor a try (SECURITY 3.1). */
  submitCode(
    flowId: string,
    typed: { code: string; password: string; confirmation: string; otp: string },
    visitor: Visitor,
  ): Promise<CodeAnswer>;
}

export interface PasswordResetParts {
  readonly db: Database;
  readonly captchas: Captchas;
  readonly codes: MailedCodes;
  readonly devices: Devices;
  readonly eitherCode: EitherCode;
  readonly passwords: Passwords;
  readonly passwordChange: PasswordChange;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
  readonly requiresOtp: boolean;
}

/** The account of a name, where mail can reach its owner at all; who has no address is nobody. */
const mailable = (account: Account | undefined): Account | undefined =>
  account?.email === undefined ? undefined : account;

/** The account a flow may change. Inactive and frozen ones walk the same way; only their own mailbox is told. */
const usable = (named: Account | undefined): Account | undefined =>
  named !== undefined && isUsable(named) ? named : undefined;

export function createPasswordReset(parts: PasswordResetParts): PasswordReset {
  const { db, captchas, codes, devices, eitherCode, passwords, passwordChange, accountMail, audit, keyed, clock } =
    parts;

  const holderOf = (flowId: string, visitor: Visitor) => ({
    id: digest(flowId),
    browser: keyed('reset browser', visitor.browserId),
    now: clock.now(),
  });
  const codeFlow = (id: Buffer) => ({ flow: id.toString('hex'), purpose: 'reset' as const });

  /** Asks for nobody where there is nobody, so that known and unknown cost the same (R-19, A3). */
  const namedIn = async ({ accountId }: store.ResetFlow): Promise<Account | undefined> =>
    mailable(await findById(db, accountId ?? NOBODY));

  /** What a mail to the account's address of now is counted on. */
  const mailKeyOf = (account: Account | undefined): Buffer =>
    keyed('mail', `${account?.id ?? ''}|${comparableEmail(account?.email ?? '') ?? ''}`);

  /** Mails a code, or why there is none to the mailbox of an account that is barred, or does the same for nobody. */
  async function mailCode(
    tx: Queryable,
    { flow, named, matches }: { flow: store.ResetFlow; named: Account | undefined; matches: boolean },
    visitor: Visitor,
  ): Promise<void> {
    const now = clock.now();
    const recipient = matches ? usable(named) : undefined;
    const barred = matches && recipient === undefined ? named : undefined;
    const cause = barred?.status === 'active' ? 'frozen' : 'inactive';
    const code = await codes.issue(tx, {
      ...codeFlow(flow.id),
      accountId: recipient?.id,
      ttlSeconds: CODE_SECONDS,
      now,
    });
    const expiresAt = secondsAfter(now, CODE_SECONDS);
    const { locale, requestId, agent } = visitor;
    const about = { accountId: named?.id, requestId, agent };
    if (barred === undefined) {
      const data = { code, expiresAt, at: now };
      await accountMail.queue(tx, { account: recipient, mail: 'reset-code', data, locale, expiresAt });
      const type = matches ? 'reset.code_sent' : 'reset.email_refused';
      await audit.record(tx, { type, detail: {}, ...about });
      return;
    }
    const data = { at: now };
    await accountMail.queue(tx, { account: barred, mail: `reset-${cause}`, data, locale, expiresAt });
    await audit.record(tx, { type: 'reset.barred', detail: { cause }, ...about });
  }

  /** One request for a code, with its limits: the same whether or not it leads to a mail. */
  async function send(
    tx: Queryable,
    wanted: { flow: store.ResetFlow; named: Account | undefined; mailKey: Buffer; matches: boolean },
    visitor: Visitor,
  ): Promise<EmailAnswer> {
    const { flow, named, mailKey } = wanted;
    const at = clock.now();
    // A flow whose tries are used up mails nobody and spends nothing: one captcha must not use up the mails that a whole
    // office behind one address may ask for (R-23, A10).
    if (!(await store.takeEmailTry(tx, flow.id, MAX_EMAIL_TRIES))) {
      await mailCode(tx, { flow, named, matches: false }, visitor);
      return { kind: 'accepted' };
    }
    const addressKey = keyed('address', addressBucket(visitor.address));
    const places = mailPlaces({ account: mailKey, address: addressKey });
    const spending = await spendQuotas(tx, { places, now: at });
    if (spending.kind === 'exhausted') {
      await store.giveBackEmailTry(tx, flow.id);
      return { kind: 'throttled', until: spending.until };
    }
    await mailCode(tx, { flow, named, matches: wanted.matches }, visitor);
    await store.recordMail(tx, flow.id, { mailKey, addressKey, at });
    return { kind: 'accepted' };
  }

  return {
    async start({ username, captchaId, captcha, attemptUid }, visitor) {
      const solved = await captchas.redeem({
        id: captchaId,
        browser: visitor.browserId,
        answer: captcha,
        beside: countedName(username),
      });
      if (!solved) return { kind: 'captcha_wrong' };
      const name = canonicalName(username);
      const typed = name.kind === 'malformed' ? `malformed:${username.slice(0, 64)}` : `${name.kind}:${name.value}`;
      const named = name.kind === 'malformed' ? undefined : mailable(await findByName(db, name));
      const flowId = randomId(16);
      const now = clock.now();
      await db.transaction(async (tx) => {
        await store.insertFlow(tx, {
          ...holderOf(flowId, visitor),
          accountId: named?.id,
          nameKey: keyed('typed name', typed),
          attemptUid,
          expiresAt: secondsAfter(now, FLOW_SECONDS),
        });
        await audit.record(tx, {
          type: 'reset.started',
          detail: {},
          accountId: named?.id,
          requestId: visitor.requestId,
          agent: visitor.agent,
        });
      });
      return { kind: 'started', flowId };
    },

    async view(flowId, visitor) {
      const flow = await store.findFlow(db, holderOf(flowId, visitor));
      if (flow === undefined) return undefined;
      const named = await namedIn(flow);
      const decoy = decoyMask(keyed, flow.nameKey.toString('hex'));
      return {
        state: flow.state,
        // Of barred accounts too: a mask that changes with a freeze would tell of it.
        emailHint: named?.email === undefined ? decoy : maskEmail(named.email),
        attemptUid: flow.attemptUid,
      };
    },

    async submitEmail(flowId, typed, visitor) {
      const flow = await store.findFlow(db, holderOf(flowId, visitor));
      if (flow === undefined || flow.state === 'done') return { kind: 'gone' };
      const named = await namedIn(flow);
      // Counted by person and address typed: wrong addresses meet the same limit and never use up the right one's.
      const mailKey = keyed('mail', `${named?.id ?? flow.nameKey.toString('hex')}|${comparableEmail(typed) ?? ''}`);
      const matches = isSameEmail(keyed, typed, named?.email);
      return db.transaction((tx) => send(tx, { flow, named, mailKey, matches }, visitor));
    },

    async resend(flowId, visitor) {
      const flow = await store.findFlow(db, holderOf(flowId, visitor));
      if (flow?.state !== 'mailed' || flow.mail === undefined) return { kind: 'gone' };
      const named = await namedIn(flow);
      const { mailKey } = flow.mail;
      const matches = named !== undefined && sameBytes(mailKey, mailKeyOf(named));
      return db.transaction((tx) => send(tx, { flow, named, mailKey, matches }, visitor));
    },

    async submitCode(flowId, typed, visitor) {
      const flow = await store.findFlow(db, holderOf(flowId, visitor));
      if (flow === undefined || flow.state === 'named') return { kind: 'gone' };
      const account = usable(await namedIn(flow));
      if (flow.state === 'done') return account === undefined ? { kind: 'gone' } : { kind: 'done', account };

      const code = await codes.check(db, { ...codeFlow(flow.id), typed: typed.code, now: clock.now() });
      // A code proves the address it went to; the account may have another one by now (R-24, A6).
      const isCurrent = flow.mail !== undefined && sameBytes(flow.mail.mailKey, mailKeyOf(account));
      if (code.kind !== 'right' || account === undefined || !isCurrent) {
        // The first half of a double tap may have used it meanwhile.
        const now = code.kind === 'none' ? await store.findFlow(db, holderOf(flowId, visitor)) : undefined;
        if (now?.state === 'done' && account !== undefined) return { kind: 'done', account };
        const cause = code.kind === 'exhausted' ? 'exhausted' : 'wrong';
        await audit.record(db, {
          type: 'reset.code_refused',
          detail: { cause },
          accountId: account?.id,
          requestId: visitor.requestId,
          agent: visitor.agent,
        });
        if (cause === 'exhausted') await store.failFlow(db, flow.id);
        return cause === 'exhausted' ? { kind: 'exhausted' } : { kind: 'code_invalid' };
      }

      // Only now, after a right code, may the rules speak of the person: they know the birth date and the name.
      const { met, rules } = judgePassword(typed.password, account);
      if (!met) return { kind: 'password_policy', rules };
      if (typed.password !== typed.confirmation) return { kind: 'confirmation_mismatch' };
      // Any authenticator, passkeys and closed ones too: else the mailbox alone would own the account.
      const asksCode = parts.requiresOtp && (await devices.activeOf(db, account.id)).length > 0;
      if (asksCode && typed.otp.trim() === '') return { kind: 'otp_required' };
      const waitUntil = asksCode ? await eitherCode.findWait(db, account.id) : undefined;
      if (waitUntil !== undefined) return { kind: 'throttled', until: waitUntil };
      const read = await eitherCode.read(db, account.id, typed.otp, addressBucket(visitor.address));
      const passwordHash = await passwords.hash(typed.password, addressBucket(visitor.address));

      return db.transaction<CodeAnswer>(async (tx) => {
        // The account first, as everybody who ends its resets does.
        await holdAccount(tx, account.id);
        const held = await store.lockMailed(tx, flow.id, clock.now());
        if (held === undefined) {
          // The first half of a double tap has done it, or somebody has ended the flow.
          const now = await store.findFlow(tx, holderOf(flowId, visitor));
          return now?.state === 'done' ? { kind: 'done', account } : { kind: 'gone' };
        }
        // Looked at once more: an authenticator may have been bound while the password was hashed.
        const hasDevice = (await devices.activeOf(tx, account.id)).length > 0;
        if (parts.requiresOtp && hasDevice) {
          if (typed.otp.trim() === '') return { kind: 'otp_required' };
          // Only the mailbox is proved here: wrong codes count and wait, but can never close the authenticator.
          const refused = await eitherCode.take(tx, { account, read, mayDisable: false }, visitor);
          if (refused !== undefined) return refused;
        }
        const now = clock.now();
        if (!(await codes.consume(tx, { ...codeFlow(flow.id), now }))) return { kind: 'code_invalid' };
        if (!(await passwordChange.apply(tx, { account, passwordHash, by: 'reset', hasDevice }, visitor))) {
          return { kind: 'gone' };
        }
        await store.finishFlow(tx, flow.id, now);
        await store.failOthers(tx, account.id, flow.id);
        if (held.mail !== undefined) {
          const places = mailPlaces({ account: held.mail.mailKey, address: held.mail.addressKey });
          await giveBackQuotas(tx, { places, spentAt: held.mail.at });
        }
        return { kind: 'done', account };
      });
    },
  };
}
