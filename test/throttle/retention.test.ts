import { randomBytes } from 'node:crypto';
import { secondsAfter } from '#src/kernel/clock.js';
import { clearFailures, reserveFailure } from '#src/throttle/failures.js';
import { PASSWORD_FAILURES } from '#src/throttle/policies.js';
import { spendQuotas } from '#src/throttle/quotas.js';
import { EXPIRED_LIMITS } from '#src/throttle/retention.js';
import { openTestDatabase } from '../support/test-database.js';

const start = new Date('2026-11-20T00:30:00Z');
const HOUR = 3_600;
const DAY = 24 * HOUR;

it('deletes exactly what no longer limits anybody', async () => {
  const db = await openTestDatabase();
  try {
    const failing = { policy: PASSWORD_FAILURES, key: randomBytes(32), now: start };
    const cleared = { policy: PASSWORD_FAILURES, key: randomBytes(32), now: start };
    await reserveFailure(db, failing);
    await reserveFailure(db, cleared);
    await clearFailures(db, cleared);
    const quota = { scope: 'test', limit: 2, windowSeconds: HOUR };
    await spendQuotas(db, { places: [{ quota, key: randomBytes(32) }], now: start });

    const left = async (seconds: number): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (const { table, where } of EXPIRED_LIMITS) {
        await db.query(`DELETE FROM ${table} WHERE ${where}`, [secondsAfter(start, seconds)]);
        counts[table] = (await db.query(`SELECT 1 FROM ${table}`)).length;
      }
      return counts;
    };
    expect(await left(HOUR - 1)).toEqual({ failure_counters: 2, quotas: 1 });
    expect(await left(HOUR)).toEqual({ failure_counters: 2, quotas: 0 });
    expect(await left(DAY + 1)).toEqual({ failure_counters: 1, quotas: 0 });
    expect(await left(365 * DAY)).toEqual({ failure_counters: 1, quotas: 0 });
    expect(await left(365 * DAY + 1)).toEqual({ failure_counters: 0, quotas: 0 });
  } finally {
    await db.drop();
  }
});
