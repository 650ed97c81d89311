import { randomUUID } from 'node:crypto';
import QRCode from 'qrcode';
import type { Clock } from '../kernel/clock.js';
import { deviceId, type AccountId, type DeviceId } from '../kernel/ids.js';
import { secretContext, type Device, type EnrolmentPlace } from '../devices/device.js';
import type { Devices } from '../devices/devices.js';
import type { SealedBox } from '../security/sealed-box.js';
import type { Queryable } from '../storage/database.js';
import { openSecret } from './device-secret.js';
import type { OtpCheck, OtpVerdict } from './otp.js';
import { enrolmentUri, matchStep, newSecret, normaliseOtp } from './totp.js';

/** What the person needs to add the account to an authenticator app. */
export interface EnrolmentOffer {
  /** Base32, to be typed or copied. */
  readonly secret: string;
  readonly uri: string;
  /** One stroke path of an SVG, `size` modules wide, quiet zone included. */
  readonly qr: { readonly path: string; readonly size: number };
}

/** Binding an authenticator: a first one begins only after the mailbox was proved, another with a factor. */
export interface Enrolment {
  /** Makes a new secret for this place; what was shown there before it is void. */
  begin(
    tx: Queryable,
    place: EnrolmentPlace,
    owner: { readonly accountId: AccountId; readonly replaces?: DeviceId },
  ): Promise<void>;
  /** What to show; undefined when nothing waits or it waited for more than 30 minutes. */
  offer(db: Queryable, place: EnrolmentPlace, label: string): Promise<EnrolmentOffer | undefined>;
  /** Whether a code would confirm it now. Spends and counts nothing: never tell the person. */
  matches(db: Queryable, place: EnrolmentPlace, typed: string): Promise<boolean>;
  /** Makes the device the account's when the code is right. Commit whatever the verdict. */
  confirm(
    tx: Queryable,
    confirmation: { place: EnrolmentPlace; typed: string; name: string },
  ): Promise<OtpVerdict | { readonly kind: 'gone' }>;
}

/** The path data of a QR code, as `qrcode` draws it. */
async function qrOf(text: string): Promise<EnrolmentOffer['qr']> {
  const svg = await QRCode.toString(text, { type: 'svg', margin: 4, errorCorrectionLevel: 'M' });
  const path = /<path stroke="[^"]*" d="([^"]*)"/.exec(svg)?.[1];
  const size = /viewBox="0 0 (\d+) /.exec(svg)?.[1];
  if (path === undefined || size === undefined) throw new Error('the QR code was drawn in an unknown form');
  return { path, size: Number(size) };
}

export interface EnrolmentParts {
  readonly devices: Devices;
  readonly otp: OtpCheck;
  readonly box: SealedBox;
  readonly clock: Clock;
  /** Shown by the app above the code. */
  readonly issuerName: string;
}

export function createEnrolment(parts: EnrolmentParts): Enrolment {
  const { devices, otp, box, clock, issuerName } = parts;
  const secretOf = (device: Device): string => openSecret(box, device);
  return {
    async begin(tx, place, owner) {
      const id = deviceId(randomUUID());
      await devices.addPending(tx, { ...place, ...owner, id, sealedSecret: box.seal(newSecret(), secretContext(id)) });
    },
    async offer(db, place, label) {
      const pending = await devices.findPending(db, place);
      if (pending === undefined) return undefined;
      const secret = secretOf(pending);
      const uri = enrolmentUri({ secret, issuer: issuerName, label });
      return { secret, uri, qr: await qrOf(uri) };
    },
    async matches(db, place, typed) {
      const pending = await devices.findPending(db, place);
      const code = normaliseOtp(typed);
      if (pending === undefined || code === undefined) return false;
      return matchStep(secretOf(pending), code, clock.now()) !== undefined;
    },
    async confirm(tx, { place, typed, name }) {
      const pending = await devices.findPending(tx, place);
      if (pending === undefined) return { kind: 'gone' };
      const verdict = await otp.checkPending(tx, { device: pending, typed });
      if (verdict.kind !== 'accepted') return verdict;
      // Of two racing confirmations one activates it; the other finds it no longer pending.
      const confirmed = await devices.confirm(tx, { device: pending.id, name, step: verdict.step });
      return confirmed ? verdict : { kind: 'reused' };
    },
  };
}
