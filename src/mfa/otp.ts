import type { Clock } from '../kernel/clock.js';
import { wholeHoursOff } from '../kernel/clock-drift.js';
import type { AccountId } from '../kernel/ids.js';
import { canProve, type Device } from '../devices/device.js';
import type { Devices } from '../devices/devices.js';
import type { SealedBox } from '../security/sealed-box.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Queryable } from '../storage/database.js';
import { diagnose, REACH_STEPS } from './clock-drift.js';
import { openSecret } from './device-secret.js';
import type { Guesses } from './guesses.js';
import { findStrayStep, matchStep, normaliseOtp, stepAt } from './totp.js';

/** What a typed one-time code turned out to be. */
export type OtpVerdict =
  | { readonly kind: 'accepted'; readonly device: Device; readonly step: number }
  /** Genuine, but its step was spent before: not counted as a failure. */
  | { readonly kind: 'reused' }
  | { readonly kind: 'mismatch'; readonly failures: number }
  /** The second code in a row from a clock that is this many minutes ahead (negative: behind). */
  | { readonly kind: 'drift'; readonly minutes: number; readonly failures: number }
  /** Too many wrong codes: not looked at, not counted. */
  | { readonly kind: 'throttled'; readonly until: Date };

export interface OtpCheck {
  /**
   * Compares a code with the account's apps that are not closed and spends its step, in the caller's transaction. Commit
   * whatever the verdict: failures must count.
   */
  check(
    tx: Queryable,
    attempt: {
      accountId: AccountId;
      typed: string;
      /** As {@link Guesses.reserve}. */
      mayDisable?: boolean;
    },
  ): Promise<OtpVerdict>;
  /** Until when a code would not be looked at: asked before slow work that only a code looked at is worth. */
  findWait(db: Queryable, accountId: AccountId): Promise<Date | undefined>;
  /** Compares the first code of a pending device; the caller confirms it with the step (A13: counted the same). */
  checkPending(tx: Queryable, attempt: { device: Device; typed: string }): Promise<OtpVerdict>;
}

export function createOtpCheck(parts: {
  devices: Devices;
  guesses: Guesses;
  box: SealedBox;
  clock: Clock;
  metrics: Pick<Metrics, 'clockDrift'>;
}): OtpCheck {
  const { devices, guesses, box, clock, metrics } = parts;
  const secretOf = (device: Device): string => openSecret(box, device);

  /** Looks at where else in time the code belongs and remembers it; tells only at the second such code. */
  async function seekDrift(tx: Queryable, candidates: readonly Device[], otp: string): Promise<number | undefined> {
    const now = clock.now();
    for (const device of candidates) {
      const step = findStrayStep(secretOf(device), otp, {
        now,
        reachSteps: REACH_STEPS,
        expectedOffset: device.drift?.offsetSteps,
      });
      if (step === undefined) continue;
      const sighting = { offsetSteps: step - stepAt(now), step, seenAt: now };
      await devices.recordDrift(tx, device.id, sighting);
      const minutes = diagnose(device.drift, sighting);
      if (minutes !== undefined) metrics.clockDrift(wholeHoursOff(minutes) === undefined ? 'minutes' : 'whole_hours');
      return minutes;
    }
    return undefined;
  }

  async function judge(
    tx: Queryable,
    candidates: readonly Device[],
    { accountId, typed, ...more }: { accountId: AccountId; typed: string; mayDisable?: boolean },
  ): Promise<OtpVerdict> {
    const reserved = await guesses.reserve(tx, accountId, more);
    if (reserved.kind === 'waiting') return { kind: 'throttled', until: reserved.until };
    const { failures } = reserved;
    const otp = normaliseOtp(typed);
    if (otp === undefined) return { kind: 'mismatch', failures };

    for (const device of candidates) {
      const step = matchStep(secretOf(device), otp, clock.now());
      if (step === undefined || device.burnedSteps.includes(step)) continue;
      if (device.status === 'active' && !(await devices.spendStep(tx, device.id, step))) {
        await guesses.giveBack(tx, accountId);
        return { kind: 'reused' };
      }
      await guesses.clear(tx, accountId);
      return { kind: 'accepted', device, step };
    }
    const minutes = await seekDrift(tx, candidates, otp);
    return minutes === undefined ? { kind: 'mismatch', failures } : { kind: 'drift', minutes, failures };
  }

  return {
    check: async (tx, attempt) => {
      const active = await devices.activeOf(tx, attempt.accountId);
      return judge(
        tx,
        active.filter((device) => device.kind === 'totp' && canProve(device)),
        attempt,
      );
    },
    findWait: (db, accountId) => guesses.findWait(db, accountId),
    checkPending: (tx, { device, typed }) => judge(tx, [device], { accountId: device.accountId, typed }),
  };
}
