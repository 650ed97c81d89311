import type { AccountId, AttemptId, DeviceId } from '../kernel/ids.js';
import { sealedColumn } from '../security/sealed-place.js';

export type DeviceKind = 'totp' | 'passkey';

/** A registered second factor. Its secret stays sealed until the moment it is compared. */
export interface Device {
  readonly id: DeviceId;
  readonly accountId: AccountId;
  readonly kind: DeviceKind;
  readonly status: 'pending' | 'active';
  /** As the person named it; empty while pending. */
  readonly name: string;
  /** Of a TOTP app that is not closed; a passkey keeps its secret to itself. */
  readonly sealedSecret: string | undefined;
  /** When it was bound; undefined while pending. */
  readonly activatedAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  /**
   * When too many wrong codes closed this app for good. It stays bound: the account is not without a factor, and only a
   * reset opens the way to another one.
   */
  readonly closedAt: Date | undefined;
  /** Steps that may not be accepted although they are later than the last one spent. */
  readonly burnedSteps: readonly number[];
  readonly drift: DriftSighting | undefined;
  /** While pending: the authenticator that ends when this one is confirmed. */
  readonly replaces: DeviceId | undefined;
}

/** A code that belongs to another time: the first of two that tell how far a phone's clock is off. */
export interface DriftSighting {
  /** Steps the phone is ahead; negative when it is behind. */
  readonly offsetSteps: number;
  readonly step: number;
  readonly seenAt: Date;
}

/** Whether it can still prove who somebody is: a closed one never does again. */
export const canProve = ({ closedAt }: Pick<Device, 'closedAt'>): boolean => closedAt === undefined;

/** `too_many_codes` stands in records of before apps were closed instead. */
export type DeviceEnd = 'removed' | 'moved' | 'too_many_codes' | 'helpdesk_reset' | 'self_reset' | 'started_over';

/** An authenticator that is no longer bound. Its record stays for life. */
export interface EndedDevice {
  readonly id: DeviceId;
  readonly name: string;
  readonly kind: DeviceKind;
  readonly activatedAt: Date;
  readonly endedAt: Date;
  readonly reason: DeviceEnd;
}

/** One that was bound, and perhaps ended, within a span of time. */
export interface ChangedDevice extends Pick<EndedDevice, 'name' | 'kind' | 'activatedAt'> {
  /** Undefined while it is bound. */
  readonly endedAt: Date | undefined;
  readonly reason: DeviceEnd | undefined;
}

/**
 * Where a pending device was shown, and the only place that can confirm it: a sign-in, or the session of a
 * person on our own pages.
 */
export type EnrolmentPlace = { readonly attempt: AttemptId } | { readonly session: string };

/** How many named authenticators an account may hold. */
export const MAX_DEVICES = 5;

export const SEALED_DEVICE = sealedColumn('devices', 'secret');
/** What the sealed secret of a device is bound to. */
export const secretContext = (id: DeviceId): string => SEALED_DEVICE.context(id);
