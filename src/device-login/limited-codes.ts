import type { Clock } from '../kernel/clock.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Database } from '../storage/database.js';
import { addressBucket } from '../throttle/address.js';
import { USER_CODE_QUOTAS } from '../throttle/policies.js';
import { giveBackQuotas, spendQuotas } from '../throttle/quotas.js';
import type { DeviceRequests, Exchange, Opened } from './device-requests.js';

/** A typed code, or until when no more are looked at. */
export type Tried = Opened | { readonly kind: 'throttled'; readonly until: Date };

/** User codes are short enough to be typed, so that only so many wrong ones are looked at (RFC 8628 section 5.1). */
export interface LimitedCodes {
  open(exchange: Exchange, typed: { userCode: string; address: string }): Promise<Tried>;
}

export function createLimitedCodes(parts: {
  db: Database;
  devices: Pick<DeviceRequests, 'open'>;
  keyed: KeyedDigest;
  clock: Clock;
}): LimitedCodes {
  const { db, devices, keyed, clock } = parts;
  return {
    async open(exchange, { userCode, address }) {
      const places = [
        { quota: USER_CODE_QUOTAS.browser, key: keyed('user code browser', exchange.browserId) },
        { quota: USER_CODE_QUOTAS.address, key: keyed('user code address', addressBucket(address)) },
      ];
      const spentAt = clock.now();
      const spending = await db.transaction((tx) => spendQuotas(tx, { places, now: spentAt }));
      if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
      const opened = await devices.open(exchange, userCode);
      // Who has the device in front of them guesses nothing, however late.
      if (opened.kind !== 'unknown') await db.transaction((tx) => giveBackQuotas(tx, { places, spentAt }));
      return opened;
    },
  };
}
