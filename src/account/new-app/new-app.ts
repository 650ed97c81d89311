import { getById, type Account } from '../../accounts/accounts.js';
import { lastThreeOf } from '../../accounts/nip.js';
import type { Audit } from '../../audit/audit.js';
import type { AuditEvent } from '../../audit/events.js';
import { MAX_DEVICES, type Device } from '../../devices/device.js';
import { cleanDeviceName, isNameTaken } from '../../devices/device-name.js';
import type { Devices } from '../../devices/devices.js';
import type { Enrolment, EnrolmentOffer } from '../../mfa/enrolment.js';
import type { OtpVerdict } from '../../mfa/otp.js';
import type { WrongCodes } from '../../mfa/wrong-codes.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Database, Queryable } from '../../storage/database.js';
import type { Owner, OwnChange } from '../own-change.js';

/** One more authenticator, or one in place of another: *pindah HP*. */
export type Journey = 'add' | 'move';

export type BeginAnswer =
  | { readonly kind: 'begun' }
  /** Five are registered. Moving is still possible. */
  | { readonly kind: 'full' }
  /** The one to be replaced is no active authenticator of this person. */
  | { readonly kind: 'not_found' }
  | { readonly kind: 'signed_out' };

export interface Offer extends EnrolmentOffer {
  /** The name of the authenticator that ends when this one is confirmed. */
  readonly replaces: string | undefined;
}

/** What the same code typed twice is told twice. */
type KeptAnswer =
  | { readonly kind: 'accepted' }
  /** `again`: of several in a row that were wrong. */
  | { readonly kind: 'otp_invalid'; readonly again?: boolean }
  | { readonly kind: 'clock_drift'; readonly minutes: number };

export type ConfirmAnswer =
  | KeptAnswer
  | { readonly kind: 'name_invalid' }
  /** Another of their active authenticators is called so, and does not end with this. */
  | { readonly kind: 'name_taken' }
  /** Nothing waits for a code any more: too old, voided by another page, or the old phone was removed meanwhile. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'full' }
  | { readonly kind: 'otp_reused' }
  | { readonly kind: 'throttled'; readonly until: Date }
  /** The fiftieth wrong code in a row: every app is closed, and this session has ended. */
  | { readonly kind: 'disabled' }
  | { readonly kind: 'signed_out' };

/**
 * A TOTP app bound by somebody who is logged in with a fresh second factor. What is shown is bound to their session;
 * nothing changes until its first code is right, and then all at once.
 */
export interface NewApp {
  /** Makes a new secret for this session, in place of one shown before. `replaces` is the old phone's id, to move. */
  begin(owner: Owner, replaces?: string): Promise<BeginAnswer>;
  /** What to show; undefined when nothing of this journey waits. */
  offer(owner: Pick<Owner, 'accountId' | 'sessionUid'>, journey: Journey): Promise<Offer | undefined>;
  /** Binds the app, and ends the one it replaces, when the code is right. */
  confirm(
    owner: Owner,
    typed: { readonly journey: Journey; readonly otp: string; readonly deviceName: string },
  ): Promise<ConfirmAnswer>;
}

export interface NewAppParts {
  readonly db: Database;
  readonly devices: Devices;
  readonly enrolment: Enrolment;
  readonly wrongCodes: WrongCodes;
  readonly ownChange: OwnChange;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
}

/** An authenticator that waits for its first code, and the one that it replaces. */
interface Waiting {
  readonly pending: Device;
  readonly old: Device | undefined;
}

export function createNewApp(parts: NewAppParts): NewApp {
  const { db, devices, enrolment, wrongCodes, ownChange, audit, keyed } = parts;

  /** What waits in this session for this journey. */
  async function waitingFor(
    tx: Queryable,
    { accountId, sessionUid }: Pick<Owner, 'accountId' | 'sessionUid'>,
    journey: Journey,
  ): Promise<(Waiting & { readonly active: readonly Device[] }) | undefined> {
    const pending = await devices.findPending(tx, { session: sessionUid });
    if (pending?.accountId !== accountId) return undefined;
    const active = await devices.activeOf(tx, accountId);
    const old = active.find(({ id }) => id === pending.replaces);
    const isMove = pending.replaces !== undefined;
    if (isMove !== (journey === 'move') || (isMove && old === undefined)) return undefined;
    return { pending, old, active };
  }

  /** In one commit: the new one lives, the old one is history, everything else that is open ends, the owner is told. */
  async function bind(
    tx: Queryable,
    {
      owner,
      account,
      old,
      device,
      name,
    }: { owner: Owner; account: Account; device: Device; name: string } & Pick<Waiting, 'old'>,
  ): Promise<void> {
    const { requestId, agent } = owner.visitor;
    const about = { accountId: account.id, requestId, agent };
    const enrolled: AuditEvent = { type: 'device.enrolled', detail: { device: device.id }, ...about };
    if (old === undefined) {
      const data = { deviceName: name, isAnother: true };
      await ownChange.complete(tx, { owner, account, events: [enrolled], mail: 'authenticator-added', data });
      return;
    }
    const ended = await devices.endOne(tx, { accountId: account.id, device: old.id, reason: 'moved' });
    if (!ended) throw new Error('the account is held and its old authenticator is gone');
    const events: AuditEvent[] = [
      enrolled,
      { type: 'device.ended', detail: { device: old.id, reason: 'moved' }, ...about },
    ];
    const data = { deviceName: name, oldName: old.name };
    await ownChange.complete(tx, { owner, account, events, mail: 'authenticator-moved', data });
  }

  /** What a code that was not accepted leads to, the same as everywhere. */
  async function refuse(
    tx: Queryable,
    { owner, account, verdict }: { owner: Owner; account: Account; verdict: Exclude<OtpVerdict, { kind: 'accepted' }> },
  ): Promise<ConfirmAnswer> {
    const { visitor } = owner;
    const { requestId, agent } = visitor;
    const drift = verdict.kind === 'drift' ? { drift_minutes: verdict.minutes } : {};
    const detail = { cause: verdict.kind, ...drift };
    await audit.record(tx, { type: 'device.code_refused', detail, accountId: account.id, requestId, agent });
    if (verdict.kind === 'reused') return { kind: 'otp_reused' };
    if (verdict.kind === 'throttled') return { kind: 'throttled', until: verdict.until };
    const consequence = await wrongCodes.follow(tx, { account, failures: verdict.failures, trace: visitor });
    if (consequence.kind === 'wait') return { kind: 'throttled', until: consequence.until };
    if (consequence.kind === 'disabled') return consequence;
    return verdict.kind === 'drift'
      ? { kind: 'clock_drift', minutes: verdict.minutes }
      : { kind: 'otp_invalid', again: verdict.failures > 1 };
  }

  return {
    async begin(owner, replaces) {
      const { accountId, sessionUid } = owner;
      const answer = await ownChange.run<BeginAnswer>(owner, async (tx) => {
        const active = await devices.activeOf(tx, accountId);
        const old = active.find(({ id }) => id === replaces);
        if (replaces !== undefined && old === undefined) return { kind: 'not_found' };
        if (old === undefined && active.length >= MAX_DEVICES) return { kind: 'full' };
        await enrolment.begin(
          tx,
          { session: sessionUid },
          { accountId, ...(old === undefined ? {} : { replaces: old.id }) },
        );
        return { kind: 'begun' };
      });
      return answer ?? { kind: 'signed_out' };
    },

    async offer(owner, journey) {
      const waiting = await waitingFor(db, owner, journey);
      if (waiting === undefined) return undefined;
      const account = await getById(db, owner.accountId);
      const offer = await enrolment.offer(db, { session: owner.sessionUid }, `NIP …${lastThreeOf(account.nip)}`);
      return offer === undefined ? undefined : { ...offer, replaces: waiting.old?.name };
    },

    async confirm(owner, { journey, otp, deviceName }) {
      const name = cleanDeviceName(deviceName);
      if (name === undefined) return { kind: 'name_invalid' };
      const { accountId, sessionUid } = owner;
      const digest = keyed('answered code', `${sessionUid}|${journey}|${otp.replace(/\s/g, '')}`);
      const answer = await ownChange.run<ConfirmAnswer>(owner, async (tx, account) => {
        const before = await devices.answerGiven(tx, { accountId, digest });
        if (before !== undefined) return JSON.parse(before) as KeptAnswer;
        const waiting = await waitingFor(tx, owner, journey);
        if (waiting === undefined) return { kind: 'gone' };
        const { pending, old, active } = waiting;
        if (old === undefined && active.length >= MAX_DEVICES) return { kind: 'full' };
        // Before the code is spent: it is still good for the next try.
        const others = active.filter(({ id }) => id !== old?.id);
        if (isNameTaken(name, others)) return { kind: 'name_taken' };

        const verdict = await enrolment.confirm(tx, { place: { session: sessionUid }, typed: otp, name });
        if (verdict.kind === 'gone') return verdict;
        if (verdict.kind === 'accepted') await bind(tx, { owner, account, old, device: verdict.device, name });
        const told: ConfirmAnswer =
          verdict.kind === 'accepted' ? { kind: 'accepted' } : await refuse(tx, { owner, account, verdict });
        if (told.kind === 'accepted' || told.kind === 'otp_invalid' || told.kind === 'clock_drift') {
          await devices.keepAnswer(tx, pending.id, { digest, answer: JSON.stringify(told) });
        }
        return told;
      });
      return answer ?? { kind: 'signed_out' };
    },
  };
}
