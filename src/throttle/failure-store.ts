import type { Queryable } from '../storage/database.js';
import type { FailurePolicy } from './policies.js';

export interface FailureCounter {
  readonly policy: FailurePolicy;
  /** Keyed digest of what is counted; never a name or an address. */
  readonly key: Buffer;
}

/** More than anybody reaches: a policy without a window has room always. */
const NO_LIMIT = 2_147_483_647;

const columns = (policy: FailurePolicy): unknown[] => [
  policy.waits.map((step) => step.fromFailures),
  policy.waits.map((step) => step.waitSeconds),
  policy.window?.limit ?? NO_LIMIT,
  policy.window?.seconds ?? 0,
];

const waitAfter = (failures: string): string => `
  (SELECT $3::timestamptz + make_interval(secs => step.wait_seconds)
     FROM unnest($4::int[], $5::int[]) AS step (from_failures, wait_seconds)
    WHERE step.from_failures <= ${failures}
    ORDER BY step.from_failures DESC
    LIMIT 1)`;

const WITHIN_WINDOW = `
  SELECT at FROM unnest(counter.recent) AS at WHERE at > $3::timestamptz - make_interval(secs => $7::int)`;

// Check and count are one statement: apart, 200 parallel guesses would all find the counter below the limit.
const RESERVE = `
  INSERT INTO failure_counters AS counter (scope, key, failures, recent, wait_until, updated_at)
  VALUES ($1, $2, 1, ARRAY[$3::timestamptz], ${waitAfter('1')}, $3)
  ON CONFLICT (scope, key) DO UPDATE
     SET failures = counter.failures + 1,
         recent = ARRAY(${WITHIN_WINDOW} ORDER BY at) || $3::timestamptz,
         wait_until = ${waitAfter('counter.failures + 1')},
         updated_at = $3
   WHERE (counter.wait_until IS NULL OR counter.wait_until <= $3)
     AND (SELECT count(*) FROM (${WITHIN_WINDOW}) AS counted) < $6::int
  RETURNING failures`;

// The window opens again when the oldest of its last `limit` failures has left it.
const WAIT = `
  SELECT greatest(
           wait_until,
           recent[cardinality(recent) - $3::int + 1] + make_interval(secs => $4::int)
         ) AS until
    FROM failure_counters
   WHERE scope = $1 AND key = $2`;

/** The same for another statement to read along; `key` is the SQL that names the counter. */
export const waitOf = ({ scope, window }: FailurePolicy, key: string): string => `(
    SELECT greatest(
             counter.wait_until,
             counter.recent[cardinality(counter.recent) - ${window?.limit ?? NO_LIMIT} + 1]
               + make_interval(secs => ${window?.seconds ?? 0})
           )
      FROM failure_counters AS counter WHERE counter.scope = '${scope}' AND counter.key = ${key})`;

// Without its last failure the counter is where no wait was due, or none that is not over.
const GIVE_BACK = `
  UPDATE failure_counters
     SET failures = greatest(failures - 1, 0),
         recent = recent[:cardinality(recent) - 1],
         wait_until = NULL,
         updated_at = $3
   WHERE scope = $1 AND key = $2`;

const CLEAR = `
  UPDATE failure_counters
     SET failures = 0,
         recent = recent[:cardinality(recent) - 1],
         wait_until = NULL,
         updated_at = $3
   WHERE scope = $1 AND key = $2`;

// The count goes on: what disables an authenticator is not forgotten with the wait.
const LIFT = `
  UPDATE failure_counters SET recent = '{}', wait_until = NULL, updated_at = $3 WHERE scope = $1 AND key = $2`;

export const failureStore = (db: Queryable) => ({
  /** Counts one more failure and answers how many there are now, or counts nothing and answers undefined. */
  async reserve({ policy, key }: FailureCounter, now: Date): Promise<number | undefined> {
    const [row] = await db.query(RESERVE, [policy.scope, key, now, ...columns(policy)]);
    return row?.failures as number | undefined;
  },

  async findWait({ policy, key }: FailureCounter): Promise<Date | undefined> {
    const [row] = await db.query(WAIT, [policy.scope, key, ...columns(policy).slice(2)]);
    return (row?.until as Date | null | undefined) ?? undefined;
  },

  async giveBack({ policy, key }: FailureCounter, now: Date): Promise<void> {
    await db.query(GIVE_BACK, [policy.scope, key, now]);
  },

  async lift({ policy, key }: FailureCounter, now: Date): Promise<void> {
    await db.query(LIFT, [policy.scope, key, now]);
  },

  async clear({ policy, key }: FailureCounter, now: Date): Promise<void> {
    await db.query(CLEAR, [policy.scope, key, now]);
  },
});
