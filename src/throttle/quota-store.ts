import type { Queryable } from '../storage/database.js';
import type { Quota } from './policies.js';

/** One place of a quota, for one keyed digest. */
export interface QuotaPlace {
  readonly quota: Quota;
  readonly key: Buffer;
}

const columns = (places: readonly QuotaPlace[]): unknown[][] => [
  places.map(({ quota }) => quota.scope),
  places.map(({ key }) => key),
  places.map(({ quota }) => quota.limit),
  places.map(({ quota }) => quota.windowSeconds),
];

const WANTED = `unnest($2::text[], $3::bytea[], $4::int[], $5::int[]) AS wanted (scope, key, places, window_seconds)`;

const WITHIN_WINDOW = `
  SELECT at FROM unnest(quota.recent) AS at WHERE at > $1::timestamptz - (excluded.expires_at - $1::timestamptz)`;

// Rows are locked in the order of their keys, so that two who want the same ones cannot wait for one another. Also
// those without room stay locked: what is answered about them is true until the transaction ends.
const TAKE = `
  INSERT INTO quotas AS quota (scope, key, recent, places, expires_at)
  SELECT scope, key, ARRAY[$1::timestamptz], places, $1::timestamptz + make_interval(secs => window_seconds)
    FROM ${WANTED}
   ORDER BY scope, key
  ON CONFLICT (scope, key) DO UPDATE
     SET recent = ARRAY(${WITHIN_WINDOW} ORDER BY at) || $1::timestamptz,
         places = excluded.places,
         expires_at = excluded.expires_at
   WHERE (SELECT count(*) FROM (${WITHIN_WINDOW}) AS counted) < excluded.places
  RETURNING scope, key`;

const UNTIL = `
  SELECT max(
           (SELECT at FROM unnest(quota.recent) AS at
             WHERE at > $1::timestamptz - make_interval(secs => wanted.window_seconds)
             ORDER BY at DESC OFFSET wanted.places - 1 LIMIT 1) + make_interval(secs => wanted.window_seconds)
         ) AS until
    FROM ${WANTED} JOIN quotas AS quota USING (scope, key)`;

const GIVE_BACK = `
  WITH held AS (
    SELECT quota.scope, quota.key
      FROM unnest($2::text[], $3::bytea[]) AS given (scope, key) JOIN quotas AS quota USING (scope, key)
     ORDER BY quota.scope, quota.key
       FOR UPDATE OF quota
  )
  UPDATE quotas AS quota
     SET recent = quota.recent[:array_position(quota.recent, $1::timestamptz) - 1]
               || quota.recent[array_position(quota.recent, $1::timestamptz) + 1:]
    FROM held
   WHERE quota.scope = held.scope AND quota.key = held.key
     AND array_position(quota.recent, $1::timestamptz) IS NOT NULL`;

export const quotaStore = (db: Queryable) => ({
  /** Takes a place wherever there is one and answers where it did. */
  async take(wanted: readonly QuotaPlace[], now: Date): Promise<QuotaPlace[]> {
    const rows = await db.query(TAKE, [now, ...columns(wanted)]);
    return wanted.filter(({ quota, key }) =>
      rows.some((row) => row.scope === quota.scope && key.equals(row.key as Buffer)),
    );
  },

  /** When the last of those that are full has room again. */
  async findRoom(wanted: readonly QuotaPlace[], now: Date): Promise<Date | undefined> {
    const [row] = await db.query(UNTIL, [now, ...columns(wanted)]);
    return (row?.until as Date | null | undefined) ?? undefined;
  },

  async giveBack(places: readonly QuotaPlace[], takenAt: Date): Promise<void> {
    await db.query(GIVE_BACK, [takenAt, ...columns(places).slice(0, 2)]);
  },
});
