import { z } from 'zod';
import { getById, holdAccount, isUsable, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import { comparableEmail } from '../accounts/email.js';
import type { EndUnderWay } from '../accounts/freezing.js';
import type { ResetCases } from '../accounts/reset-cases.js';
import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OutboxHandler } from '../outbox/worker.js';
import { digest, sameBytes, type KeyedDigest } from '../security/digests.js';
import { CROCKFORD, randomText } from '../security/secrets.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import type { OwnReset } from './own-reset.js';
import * as store from './waiting-reset-store.js';

/** The kind of the outbox message that tells the owner once more at half time. */
export const HALF_TIME = 'waiting-reset-half-time';

/** Who does not come back within a week after the wait begins anew. */
const LAPSE_SECONDS = 7 * 24 * 3600;

/** 130 random bits in an alphabet without dashes: no part of it looks like a mailed code. */
const TOKEN_LENGTH = 26;

const halfTime = z.object({ id: z.string(), token: z.string() });

export type StopAnswer =
  /** Now or before: whoever presses twice hears the same. */
  | { readonly kind: 'stopped' }
  /** It took effect already, or there never was such a one. */
  | { readonly kind: 'over' };

export type LinkView = { readonly kind: 'waiting'; readonly dueAt: Date } | StopAnswer;

/**
 * A reset of second factors that its owner began with neither recovery code nor device (ADR 0015). It waits, every
 * channel is told, one click stops it; and after the wait it takes effect only for who types the password once more.
 */
export interface WaitingResets {
  /** When the one that waits is due; undefined when none can take effect any more. */
  dueAt(db: Queryable, account: Account): Promise<Date | undefined>;
  /** Begins one, or answers when the one that waits is due: at most one waits for an account. */
  begin(tx: Queryable, begun: { account: Account; trace: Trace }): Promise<Date>;
  /**
   * Ends all factors of an account whose password was just proved, if a reset of it is due. Once: answers the new
   * credential epoch, to one caller. Undefined when none is due, or password, address or state of the account changed.
   */
  complete(proved: {
    account: Account;
    exceptAttempt?: AttemptId;
    trace: Trace;
  }): Promise<{ readonly credEpoch: number } | undefined>;
  /** What the link in the mail shows. */
  look(token: string): Promise<LinkView>;
  stopByLink(token: string, trace: Trace): Promise<StopAnswer>;
  /** By the owner who is logged in, or by a login with a factor that is still there. Harmless when none waits. */
  stop(stopped: { accountId: AccountId; by: 'person' | 'login'; trace: Trace }): Promise<void>;
  /** The same in the caller's transaction. */
  stopWithin(tx: Queryable, stopped: { accountId: AccountId; by: 'person' | 'login'; trace: Trace }): Promise<void>;
  /** What waits for an account ends without effect: the account is frozen, or has another address now. */
  readonly endUnderWay: EndUnderWay;
  /** Ends what can never take effect any more, of all accounts, so that no officer is asked about it. Answers how many. */
  endForgotten(): Promise<number>;
  /** Tells the owner at half time, if it still waits. */
  readonly tellAtHalfTime: OutboxHandler;
}

export interface WaitingResetParts {
  readonly db: Database;
  readonly ownReset: OwnReset;
  readonly outbox: Outbox;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
  readonly waitSeconds: number;
  /** The helpdesk's queue: a waiting reset is an entry there, in the same transactions. */
  readonly cases: ResetCases;
  /** Origin of our pages: links in mails are made of settings alone. */
  readonly origin: string;
}

export function createWaitingResets(parts: WaitingResetParts): WaitingResets {
  const { db, ownReset, outbox, accountMail, audit, keyed, clock, waitSeconds, cases, origin } = parts;

  const emailKeyOf = ({ email = '' }: Account): Buffer => keyed('email', comparableEmail(email) ?? '');
  const stopUrl = (token: string): string => `${origin}/reset/mfa/stop/${token}`;

  const stillHolds = (account: Account, row: store.WaitingRow): boolean =>
    isUsable(account) && row.credEpoch === account.credEpoch && sameBytes(row.emailKey, emailKeyOf(account));

  async function dueAt(on: Queryable, account: Account): Promise<Date | undefined> {
    const row = await store.findWaiting(on, account.id, clock.now());
    return row !== undefined && stillHolds(account, row) ? row.dueAt : undefined;
  }

  const tellWaiting = (tx: Queryable, told: { account: Account; dueAt: Date; token: string; again: boolean }) =>
    accountMail.queue(tx, {
      account: told.account,
      mail: 'mfa-reset-waiting',
      data: { at: clock.now(), dueAt: told.dueAt, stopUrl: stopUrl(told.token), again: told.again },
    });

  async function recordStop(
    tx: Queryable,
    { id, accountId }: store.WaitingRow,
    { by, trace }: { by: store.StoppedBy; trace: Trace },
  ): Promise<void> {
    await cases.close(tx, [accountId], 'stopped');
    await audit.record(tx, { type: 'self_reset.stopped', detail: { reset: id, by }, accountId, ...trace });
    const account = await getById(tx, accountId);
    await accountMail.queue(tx, { account, mail: 'mfa-reset-stopped', data: { at: clock.now() } });
  }

  const stopWithin: WaitingResets['stopWithin'] = async (tx, { accountId, by, trace }) => {
    const stopped = await store.stopOfAccount(tx, { accountId, by, now: clock.now() });
    if (stopped !== undefined) await recordStop(tx, stopped, { by, trace });
  };

  return {
    dueAt,
    stopWithin,

    async begin(tx, { account: proved, trace }) {
      await holdAccount(tx, proved.id);
      const account = await getById(tx, proved.id);
      const { id: accountId, credEpoch } = account;
      const now = clock.now();
      const emailKey = emailKeyOf(account);
      if (await store.voidStale(tx, { accountId, credEpoch, emailKey, at: now })) {
        await cases.close(tx, [accountId], 'void');
      }
      const token = randomText(TOKEN_LENGTH, CROCKFORD);
      const due = secondsAfter(now, waitSeconds);
      const lapsesAt = secondsAfter(due, LAPSE_SECONDS);
      const stopToken = digest(token);
      const id = await store.insertWaiting(tx, {
        accountId,
        credEpoch,
        emailKey,
        stopToken,
        now,
        dueAt: due,
        lapsesAt,
      });
      if (id === undefined) return (await store.findWaiting(tx, accountId, now))?.dueAt ?? due;

      await audit.record(tx, { type: 'self_reset.waiting', detail: { reset: id }, accountId, ...trace });
      await tellWaiting(tx, { account, dueAt: due, token, again: false });
      await outbox.add(tx, {
        kind: HALF_TIME,
        payload: { id, token } satisfies z.infer<typeof halfTime>,
        notBefore: secondsAfter(now, waitSeconds / 2),
        expiresAt: due,
      });
      await cases.open(tx, accountId);
      return due;
    },

    complete: ({ account: proved, exceptAttempt, trace }) =>
      db.transaction(async (tx) => {
        await holdAccount(tx, proved.id);
        const account = await getById(tx, proved.id);
        const { id: accountId } = account;
        // Of the password that was proved: another one since, and nothing happens.
        const { credEpoch } = proved;
        const emailKey = emailKeyOf(account);
        const id = await store.finishWaiting(tx, { accountId, credEpoch, emailKey, now: clock.now() });
        if (id === undefined) return undefined;
        const renewed = await ownReset.apply(tx, { account, by: 'waited', exceptAttempt, trace });
        if (renewed === undefined) throw new Error(`account ${accountId} changed while it was held`);
        await cases.close(tx, [accountId], 'done');
        return { credEpoch: renewed };
      }),

    async look(token) {
      const row = await store.findByToken(db, digest(token));
      if (row?.state === 'stopped') return { kind: 'stopped' };
      if (row?.state !== 'waiting' || row.lapsesAt <= clock.now()) return { kind: 'over' };
      return stillHolds(await getById(db, row.accountId), row)
        ? { kind: 'waiting', dueAt: row.dueAt }
        : { kind: 'over' };
    },

    stopByLink: (token, trace) =>
      db.transaction<StopAnswer>(async (tx) => {
        const stopped = await store.stopByToken(tx, digest(token), clock.now());
        if (stopped !== undefined) {
          await recordStop(tx, stopped, { by: 'link', trace });
          return { kind: 'stopped' };
        }
        const row = await store.findByToken(tx, digest(token));
        return { kind: row?.state === 'stopped' ? 'stopped' : 'over' };
      }),

    stop: (stopped) => db.transaction((tx) => stopWithin(tx, stopped)),

    async endUnderWay(tx, accountId) {
      if (await store.voidOf(tx, accountId, clock.now())) await cases.close(tx, [accountId], 'void');
    },

    endForgotten: () =>
      db.transaction(async (tx) => {
        const ended = await store.voidForgotten(tx, clock.now());
        await cases.close(tx, ended, 'void');
        return ended.length;
      }),

    async tellAtHalfTime({ payload }) {
      const { id, token } = halfTime.parse(payload);
      await db.transaction(async (tx) => {
        const row = await store.takeHalfTime(tx, id, clock.now());
        if (row === undefined) return;
        const account = await getById(tx, row.accountId);
        if (stillHolds(account, row)) await tellWaiting(tx, { account, dueAt: row.dueAt, token, again: true });
      });
      return { kind: 'delivered' };
    },
  };
}
