import type { Clock } from '../kernel/clock.js';
import type { Queryable } from './database.js';

/**
 * How far this process's clock is ahead of the database's, in seconds (negative: behind), as far as the time the
 * question took leaves no doubt. The one place that asks the database for its time.
 */
export async function measureSkewSeconds({ db, clock }: { db: Queryable; clock: Clock }): Promise<number> {
  const asked = clock.now().getTime();
  const [row] = await db.query('SELECT clock_timestamp() AS now');
  const answered = clock.now().getTime();
  const theirs = (row?.now as Date).getTime();
  // They looked at their clock at some moment between our asking and our hearing it.
  if (theirs < asked) return (asked - theirs) / 1000;
  if (theirs > answered) return (answered - theirs) / 1000;
  return 0;
}
