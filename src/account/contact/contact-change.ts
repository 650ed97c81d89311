import { randomUUID } from 'node:crypto';
import type { AccountMail } from '../../accounts/account-mail.js';
import { changeEmail, getById, holdAccount, type Account } from '../../accounts/accounts.js';
import { comparableEmail, isSameEmail, maskEmail } from '../../accounts/email.js';
import type { ActingOfficer, EndUnderWay } from '../../accounts/freezing.js';
import { lastThreeOf } from '../../accounts/nip.js';
import type { Audit } from '../../audit/audit.js';
import type { MailedCodes } from '../../codes/mailed-codes.js';
import type { Devices } from '../../devices/devices.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import { plainAddress } from '../../mail/address.js';
import type { Outbox } from '../../outbox/outbox.js';
import type { OutboxHandler } from '../../outbox/worker.js';
import { digest, type KeyedDigest } from '../../security/digests.js';
import type { SealedBox } from '../../security/sealed-box.js';
import { sealedColumn } from '../../security/sealed-place.js';
import { randomId } from '../../security/secrets.js';
import type { Database, Queryable } from '../../storage/database.js';
import { addressBucket } from '../../throttle/address.js';
import { MAIL_QUOTAS } from '../../throttle/policies.js';
import { giveBackQuotas, mailPlaces, spendQuotas, type QuotaPlace } from '../../throttle/quotas.js';
import type { Trace, Visitor } from '../../throttle/visitor.js';
import * as store from './contact-change-store.js';

const CODE_SECONDS = 15 * 60;
/** A person's own change: long enough for a slow mailbox and a second code. */
const ASKED_SECONDS = 60 * 60;
/** After a reset of the second factors the address stays for a day: its owner may have been somebody else. */
const COOL_DOWN_SECONDS = 24 * 3600;
/** How long the link in the mail to the new address works. */
const INVITED_SECONDS = 7 * 24 * 3600;

/** The kind of outbox messages that say: the wait of a change is over. */
export const CONTACT_OPENS = 'contact-opens';

/** What a person is shown of a change under way. */
export interface ChangeView {
  readonly state: store.LiveState;
  /** Whole where the person typed it; masked where an officer did: the person need only know it again. */
  readonly address: string;
  readonly opensAt: Date;
}

export interface ContactView {
  /** The registered address. */
  readonly registered: string | undefined;
  /** The change under way. */
  readonly change: ChangeView | undefined;
  /** Until then the person cannot ask for another address. */
  readonly closedUntil: Date | undefined;
}

/** What somebody with the link in the mail is shown. */
export interface InvitedView {
  readonly emailHint: string;
  readonly nipEnding: string;
  /** A code was mailed, a quarter of an hour ago at most. */
  readonly codeMailed: boolean;
}

export type AskAnswer =
  | { readonly kind: 'asked' }
  /** No address that mail could go to. */
  | { readonly kind: 'invalid' }
  /** The registered one. */
  | { readonly kind: 'same' }
  /** The second factors were reset less than a day ago. */
  | { readonly kind: 'too_early' }
  | { readonly kind: 'throttled'; readonly until: Date };
export type SendAnswer =
  { readonly kind: 'sent' } | { readonly kind: 'gone' } | { readonly kind: 'throttled'; readonly until: Date };
export type ConfirmAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'code_invalid' }
  /** Too many wrong codes: it has ended. */
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'gone' };

/**
 * A new e-mail address: a state machine on the server, one change an account at a time. Nothing changes before a code
 * mailed to the new address is typed, and the old address is told before that (docs/adr/0014, SECURITY.md 3.4).
 */
export interface ContactChanges {
  view(accountId: AccountId): Promise<ContactView>;
  /** By the person. Replaces a change under way. */
  ask(accountId: AccountId, typed: string, visitor: Visitor): Promise<AskAnswer>;
  /** A new code for the person's own change. The older one is void; tries keep counting. */
  resend(accountId: AccountId, visitor: Visitor): Promise<SendAnswer>;
  confirm(accountId: AccountId, typed: string, visitor: Visitor): Promise<ConfirmAnswer>;
  /** True for the one who stopped it. */
  stop(accountId: AccountId, trace: Trace): Promise<boolean>;

  /**
   * By whoever operates the server, for a person whose mailbox is dead or stolen and who cannot log in. The old address
   * is told at once and may stop it; the new one is mailed after the wait. Ordered while the account is frozen it runs to
   * its end so, and the old address cannot stop it (docs/adr/0014). `unusable`: the person has left.
   */
  order(order: {
    accountId: AccountId;
    email: string;
    reason: string;
  }): Promise<
    | { readonly kind: 'waiting'; readonly opensAt: Date; readonly told: boolean }
    | { readonly kind: 'invalid' | 'same' }
    | { readonly kind: 'unusable' }
  >;
  /** Whether an officer may enter this address. */
  judge(account: Account, email: string): 'invalid' | 'same' | 'fits';
  /** The same order by an officer, in the transaction of the act, which holds the account (docs/adr/0019). */
  orderByOfficer(
    tx: Queryable,
    order: { accountId: AccountId; email: string; reason: string },
    by: ActingOfficer,
  ): Promise<{ readonly opensAt: Date; readonly told: boolean }>;
  /** Undefined when the link is unknown or its change has ended. */
  invited(token: string): Promise<InvitedView | 'done' | undefined>;
  sendToInvited(token: string, visitor: Visitor): Promise<SendAnswer>;
  confirmInvited(token: string, typed: string, visitor: Visitor): Promise<ConfirmAnswer>;

  /** Stops what is under way, in a transaction that freezes the account. */
  readonly endUnderWay: EndUnderWay;
  /** Mails the new address its link when the wait is over. */
  readonly openWaiting: OutboxHandler;
}

export interface ContactChangeParts {
  readonly db: Database;
  readonly devices: Devices;
  readonly outbox: Outbox;
  readonly codes: MailedCodes;
  /** What was begun with the old address ends when it changes. */
  readonly underWay: readonly EndUnderWay[];
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly box: SealedBox;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
  /** Of our own pages. */
  readonly origin: string;
  readonly waitSeconds: number;
}

const codeFlow = (id: string) => ({ flow: id, purpose: 'contact' as const });

export const SEALED_CONTACT = sealedColumn('contact_changes', 'address');
const contextOf = (id: string): string => SEALED_CONTACT.context(id);

export function createContactChanges(parts: ContactChangeParts): ContactChanges {
  const { db, devices, outbox, codes, underWay, accountMail, audit, box, keyed, clock, origin, waitSeconds } = parts;

  const addressOf = ({ id, address }: store.ContactChange): string => box.open(address, contextOf(id)).toString();

  async function closedUntil(tx: Queryable, accountId: AccountId): Promise<Date | undefined> {
    const reset = await devices.lastResetOf(tx, accountId);
    const until = reset && secondsAfter(reset, COOL_DOWN_SECONDS);
    return until !== undefined && until > clock.now() ? until : undefined;
  }

  /** What was typed as an address, unless no mail may go there or it is the one on file. */
  const judged = (typed: string, account: Account): string | { readonly kind: 'invalid' | 'same' } => {
    const address = plainAddress(typed.normalize('NFKC').trim());
    if (address === undefined) return { kind: 'invalid' };
    return isSameEmail(keyed, address, account.email) ? { kind: 'same' } : address;
  };

  /** of the account, the source and the mailbox that is written to, whoever asks. */
  const placesOf = (change: { accountId: AccountId; address: string; sourceKey: Buffer }): QuotaPlace[] => {
    const mailbox = keyed('mailbox', comparableEmail(change.address) ?? change.address);
    return [
      ...mailPlaces({ account: keyed('contact mail', change.accountId), address: change.sourceKey }),
      { quota: MAIL_QUOTAS.accountHour, key: mailbox },
      { quota: MAIL_QUOTAS.accountDay, key: mailbox },
    ];
  };

  const sourceOf = (visitor: Visitor): Buffer => keyed('address', addressBucket(visitor.address));

  /** Mails a code to the new address. The caller has spent its quota. */
  async function mailCode(
    tx: Queryable,
    { id, account, address }: { id: string; account: Account; address: string },
    visitor: Visitor,
  ): Promise<void> {
    const now = clock.now();
    const code = await codes.issue(tx, { ...codeFlow(id), accountId: account.id, ttlSeconds: CODE_SECONDS, now });
    const expiresAt = secondsAfter(now, CODE_SECONDS);
    await accountMail.queue(tx, {
      account: { ...account, email: address },
      mail: 'contact-code',
      data: { code, expiresAt, at: now },
      locale: visitor.locale,
      expiresAt,
    });
    await store.recordMail(tx, id, { sourceKey: sourceOf(visitor), at: now });
    const { requestId, agent } = visitor;
    await audit.record(tx, {
      type: 'contact_change.code_sent',
      detail: { change: id },
      accountId: account.id,
      requestId,
      agent,
    });
  }

  async function send(tx: Queryable, change: store.ContactChange | undefined, visitor: Visitor): Promise<SendAnswer> {
    if (change === undefined) return { kind: 'gone' };
    // Before quotas and codes, as who confirms does.
    await holdAccount(tx, change.accountId);
    const address = addressOf(change);
    const places = placesOf({ accountId: change.accountId, address, sourceKey: sourceOf(visitor) });
    const spending = await spendQuotas(tx, { places, now: clock.now() });
    if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
    await mailCode(tx, { id: change.id, account: await getById(tx, change.accountId), address }, visitor);
    return { kind: 'sent' };
  }

  /** Stops what lives, so that another may begin. The caller holds the account. */
  async function clearTheWay(tx: Queryable, accountId: AccountId, trace?: Trace): Promise<boolean> {
    const id = await store.stopOfAccount(tx, accountId, clock.now());
    if (id === undefined) return false;
    await audit.record(tx, { type: 'contact_change.stopped', detail: { change: id }, accountId, ...trace });
    return true;
  }

  /**
   * The change itself: once, in the statement that ends it, and never for an account that has left. One that an operator
   * ordered goes on while the account is frozen: a freeze has stopped what was under way before it.
   */
  async function finish(tx: Queryable, change: store.ContactChange, visitor: Visitor): Promise<ConfirmAnswer> {
    const { requestId, agent, locale } = visitor;
    const now = clock.now();
    const { id, accountId } = change;
    const before = await getById(tx, accountId);
    const done = await store.finish(tx, id, now);
    if (done === undefined) throw new ChangeGone();
    const email = addressOf(done);
    const evenFrozen = change.state !== 'asked';
    if (!(await changeEmail(tx, { accountId, email, evenFrozen, now }))) throw new ChangeGone();
    for (const end of underWay) await end(tx, accountId, visitor);
    if (done.mail !== undefined) {
      const places = placesOf({ accountId, address: email, sourceKey: done.mail.sourceKey });
      await giveBackQuotas(tx, { places, spentAt: done.mail.at });
    }
    await audit.record(tx, { type: 'contact_change.done', detail: { change: id }, accountId, requestId, agent });
    const by = change.state === 'asked' ? 'person' : 'officer';
    await accountMail.queue(tx, { account: before, mail: 'contact-changed', data: { at: now, by }, locale });
    return { kind: 'done' };
  }

  async function confirm(
    change: store.ContactChange | undefined,
    typed: string,
    visitor: Visitor,
  ): Promise<ConfirmAnswer> {
    if (change === undefined) return { kind: 'gone' };
    const { id, accountId } = change;
    const { requestId, agent } = visitor;
    const about = { accountId, requestId, agent };
    return db
      .transaction<ConfirmAnswer>(async (tx) => {
        // Also against a freeze: whichever commits first counts.
        await holdAccount(tx, accountId);
        const answer = await codes.redeem(tx, { ...codeFlow(id), typed, now: clock.now() });
        switch (answer.kind) {
          case 'right':
            return finish(tx, change, visitor);
          case 'exhausted':
            await store.end(tx, { id, as: 'failed', now: clock.now() });
            await audit.record(tx, {
              type: 'contact_change.code_refused',
              detail: { change: id, cause: 'exhausted' },
              ...about,
            });
            return { kind: 'exhausted' };
          case 'wrong':
          case 'none':
            await audit.record(tx, {
              type: 'contact_change.code_refused',
              detail: { change: id, cause: 'wrong' },
              ...about,
            });
            return { kind: 'code_invalid' };
        }
      })
      .catch((error: unknown) => {
        if (error instanceof ChangeGone) return { kind: 'gone' };
        throw error;
      });
  }

  /** Begins the wait of a new address that an officer entered. The caller holds the account. */
  async function orderFor(
    tx: Queryable,
    { account, address, reason }: { account: Account; address: string; reason: string },
    by?: ActingOfficer,
  ): Promise<{ readonly opensAt: Date; readonly told: boolean }> {
    const now = clock.now();
    const opensAt = secondsAfter(now, waitSeconds);
    await clearTheWay(tx, account.id);
    const id = randomUUID();
    await store.insertChange(tx, {
      id,
      accountId: account.id,
      state: 'waiting',
      address: box.seal(address, contextOf(id)),
      reason,
      now,
      opensAt,
      expiresAt: secondsAfter(opensAt, INVITED_SECONDS),
    });
    const detail = { change: id, by: by === undefined ? 'operator' : 'officer' } as const;
    const about = { accountId: account.id, agencyCode: account.agency.code, ...by };
    await audit.record(tx, { type: 'contact_change.asked', detail, ...about });
    const { frozen } = account;
    const data = { at: now, opensAt, newHint: maskEmail(address), frozen };
    await accountMail.queue(tx, { account, mail: 'contact-change-waiting', data });
    await outbox.add(tx, { kind: CONTACT_OPENS, payload: { change: id }, notBefore: opensAt });
    return { opensAt, told: account.email !== undefined };
  }

  const ownOf = async (accountId: AccountId): Promise<store.ContactChange | undefined> => {
    const change = await store.findOfAccount(db, accountId, clock.now());
    return change?.state === 'asked' ? change : undefined;
  };
  const invitedOf = (token: string): Promise<store.ContactChange | undefined> =>
    store.findByToken(db, digest(token), clock.now());

  return {
    async view(accountId) {
      const { email } = await getById(db, accountId);
      const change = await store.findOfAccount(db, accountId, clock.now());
      return {
        registered: email,
        change: change && {
          state: change.state,
          address: change.state === 'asked' ? addressOf(change) : maskEmail(addressOf(change)),
          opensAt: change.opensAt,
        },
        closedUntil: await closedUntil(db, accountId),
      };
    },

    ask: (accountId, typed, visitor) =>
      db.transaction<AskAnswer>(async (tx) => {
        await holdAccount(tx, accountId);
        const account = await getById(tx, accountId);
        const address = judged(typed, account);
        if (typeof address !== 'string') return address;
        if ((await closedUntil(tx, accountId)) !== undefined) return { kind: 'too_early' };
        const now = clock.now();
        const { requestId, agent, locale } = visitor;
        const places = placesOf({ accountId, address, sourceKey: sourceOf(visitor) });
        const spending = await spendQuotas(tx, { places, now });
        if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
        await clearTheWay(tx, accountId, visitor);
        const id = randomUUID();
        await store.insertChange(tx, {
          id,
          accountId,
          state: 'asked',
          address: box.seal(address, contextOf(id)),
          reason: undefined,
          now,
          opensAt: now,
          expiresAt: secondsAfter(now, ASKED_SECONDS),
        });
        const detail = { change: id, by: 'person' } as const;
        await audit.record(tx, { type: 'contact_change.asked', detail, accountId, requestId, agent });
        await mailCode(tx, { id, account, address }, visitor);
        await accountMail.queue(tx, { account, mail: 'contact-change-asked', data: { at: now }, locale });
        return { kind: 'asked' };
      }),

    resend: (accountId, visitor) => db.transaction(async (tx) => send(tx, await ownOf(accountId), visitor)),
    confirm: async (accountId, typed, visitor) => confirm(await ownOf(accountId), typed, visitor),

    stop: (accountId, trace) =>
      db.transaction(async (tx) => {
        await holdAccount(tx, accountId);
        return clearTheWay(tx, accountId, trace);
      }),

    order: (given) =>
      db.transaction(async (tx) => {
        await holdAccount(tx, given.accountId);
        const account = await getById(tx, given.accountId);
        if (account.status !== 'active') return { kind: 'unusable' };
        const address = judged(given.email, account);
        if (typeof address !== 'string') return address;
        return { kind: 'waiting', ...(await orderFor(tx, { account, address, reason: given.reason })) };
      }),
    judge(account, email) {
      const address = judged(email, account);
      return typeof address === 'string' ? 'fits' : address.kind;
    },
    async orderByOfficer(tx, given, by) {
      const account = await getById(tx, given.accountId);
      const address = judged(given.email, account);
      if (typeof address !== 'string') throw new Error(`no address to order: ${address.kind}`);
      return orderFor(tx, { account, address, reason: given.reason }, by);
    },

    async invited(token) {
      const change = await invitedOf(token);
      if (change === undefined) return (await store.isDone(db, digest(token))) ? 'done' : undefined;
      const { nip } = await getById(db, change.accountId);
      return {
        emailHint: maskEmail(addressOf(change)),
        nipEnding: lastThreeOf(nip),
        codeMailed: change.mail !== undefined && secondsAfter(change.mail.at, CODE_SECONDS) > clock.now(),
      };
    },

    sendToInvited: (token, visitor) => db.transaction(async (tx) => send(tx, await invitedOf(token), visitor)),

    async confirmInvited(token, typed, visitor) {
      const change = await invitedOf(token);
      // The first half of a double tap has done it.
      if (change === undefined && (await store.isDone(db, digest(token)))) return { kind: 'done' };
      return confirm(change, typed, visitor);
    },

    async endUnderWay(tx, accountId, trace) {
      await clearTheWay(tx, accountId, trace);
    },

    async openWaiting({ payload }) {
      const { change: id } = payload as { change: string };
      await db.transaction(async (tx) => {
        const secret = randomId(16);
        const now = clock.now();
        const change = await store.invite(tx, { id, token: digest(secret), now });
        if (change === undefined) return;
        const account = await getById(tx, change.accountId);
        const { expiresAt } = change;
        await accountMail.queue(tx, {
          account: { ...account, email: addressOf(change) },
          mail: 'contact-invitation',
          data: { at: now, href: `${origin}/alamat-baru/${secret}`, expiresAt },
          expiresAt,
        });
      });
      return { kind: 'delivered' };
    },
  };
}

/** Rolls the change back: it was stopped, or its account frozen, at the same moment. */
class ChangeGone extends Error {}

/** What was once asked for is kept a year, sealed: who answered for a new address may be asked later. */
export const CONTACT_EXPIRY = {
  table: 'contact_changes',
  where: `expires_at < $1::timestamptz - interval '365 days'`,
};
