import { accountId, deviceId, type AccountId, type DeviceId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import type {
  ChangedDevice,
  Device,
  DeviceEnd,
  DeviceKind,
  DriftSighting,
  EndedDevice,
  EnrolmentPlace,
} from './device.js';

const COLUMNS = `id, account_id, kind, status, name, secret, burned_steps, drift_steps, drift_step, drift_seen_at,
  activated_at, last_used_at, closed_at, replaces`;

function fromRow(row: Row): Device {
  const seenAt = row.drift_seen_at as Date | null;
  const replaces = row.replaces as string | null;
  return {
    id: deviceId(row.id as string),
    accountId: accountId(row.account_id as string),
    kind: row.kind as DeviceKind,
    status: row.status as 'pending' | 'active',
    name: (row.name as string | null) ?? '',
    sealedSecret: (row.secret as string | null) ?? undefined,
    activatedAt: (row.activated_at as Date | null) ?? undefined,
    lastUsedAt: (row.last_used_at as Date | null) ?? undefined,
    closedAt: (row.closed_at as Date | null) ?? undefined,
    burnedSteps: (row.burned_steps as string[]).map(Number),
    drift:
      seenAt === null ? undefined : { offsetSteps: row.drift_steps as number, step: Number(row.drift_step), seenAt },
    replaces: replaces === null ? undefined : deviceId(replaces),
  };
}

export async function findActive(db: Queryable, account: AccountId): Promise<Device[]> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM devices WHERE account_id = $1 AND status = 'active' ORDER BY activated_at`,
    [account],
  );
  return rows.map(fromRow);
}

/** As the columns `attempt_uid` and `session_uid` hold it. */
const columnsOf = (place: EnrolmentPlace): [attempt: string | undefined, session: string | undefined] =>
  'attempt' in place ? [place.attempt, undefined] : [undefined, place.session];

/** The device that is being enrolled there, unless it waits for longer than `notBefore` allows. */
export async function findPending(db: Queryable, place: EnrolmentPlace, notBefore: Date): Promise<Device | undefined> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM devices
      WHERE (attempt_uid = $1 OR session_uid = $2) AND status = 'pending' AND created_at > $3`,
    [...columnsOf(place), notBefore],
  );
  return rows[0] === undefined ? undefined : fromRow(rows[0]);
}

/** What is shown anew voids the secret shown before it (A19), so one place has one pending device. */
export async function insertPending(
  tx: Queryable,
  device: { id: DeviceId; accountId: AccountId; sealedSecret: string; replaces?: DeviceId; now: Date } & EnrolmentPlace,
): Promise<void> {
  const [attempt, session] = columnsOf(device);
  await tx.query(`DELETE FROM devices WHERE (attempt_uid = $1 OR session_uid = $2) AND status = 'pending'`, [
    attempt,
    session,
  ]);
  await tx.query(
    `INSERT INTO devices (id, account_id, kind, status, secret, attempt_uid, session_uid, replaces, created_at)
     VALUES ($1, $2, 'totp', 'pending', $3, $4, $5, $6, $7)`,
    [device.id, device.accountId, device.sealedSecret, attempt, session, device.replaces, device.now],
  );
}

/** What was shown in other sessions of the account is void. */
export async function deletePendingElsewhere(tx: Queryable, accountId: AccountId, session: string): Promise<void> {
  await tx.query(
    `DELETE FROM devices WHERE account_id = $1 AND status = 'pending' AND session_uid IS DISTINCT FROM $2`,
    [accountId, session],
  );
}

/**
 * Spends a time step: check and claim are one statement, so that of many racing submissions of one code exactly
 * one is accepted, on any process (R-06, RFC 6238 section 5.2).
 */
export async function spendStep(tx: Queryable, spent: { device: DeviceId; step: number; now: Date }): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE devices
        SET last_step = $2, last_used_at = $3, drift_steps = NULL, drift_step = NULL, drift_seen_at = NULL,
            burned_steps = ARRAY(SELECT step FROM unnest(burned_steps) AS step WHERE step > $2)
      WHERE id = $1 AND status = 'active' AND closed_at IS NULL AND last_step < $2 AND NOT ($2 = ANY (burned_steps))
      RETURNING id`,
    [spent.device, spent.step, spent.now],
  );
  return rows.length === 1;
}

/**
 * Whether no other active device of `account` has the name: people tell devices apart by it, whatever the case. Part of
 * the statement that names, whose caller holds the account.
 */
export const nameIsFree = ({ account, name, but }: { account: string; name: string; but: string }): string =>
  `NOT EXISTS (SELECT 1 FROM devices AS other
                WHERE other.account_id = ${account} AND other.status = 'active' AND lower(other.name) = lower(${name})
                  AND other.id IS DISTINCT FROM ${but})`;

/** Activates a pending device with the step that confirmed it; false when it is no longer pending or its name is taken. */
export async function activate(
  tx: Queryable,
  confirmed: { device: DeviceId; name: string; step: number; now: Date; notBefore: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE devices
        SET status = 'active', name = $2, last_step = $3, activated_at = $4, last_used_at = $4, attempt_uid = NULL,
            session_uid = NULL, drift_steps = NULL, drift_step = NULL, drift_seen_at = NULL
      WHERE id = $1 AND status = 'pending' AND created_at > $5 AND last_step < $3 AND NOT ($3 = ANY (burned_steps))
        AND ${nameIsFree({ account: 'devices.account_id', name: '$2', but: 'devices.replaces' })}
      RETURNING id`,
    [confirmed.device, confirmed.name, confirmed.step, confirmed.now, confirmed.notBefore],
  );
  return rows.length === 1;
}

/** Remembers a code of another time and burns its step, alone: `last_step` stays where it is. */
export async function recordDrift(tx: Queryable, device: DeviceId, sighting: DriftSighting): Promise<void> {
  await tx.query(
    `UPDATE devices
        SET drift_steps = $2, drift_step = $3, drift_seen_at = $4,
            burned_steps = ARRAY(SELECT step FROM unnest(burned_steps) AS step WHERE step > $5) || $3::bigint
      WHERE id = $1`,
    [
      device,
      sighting.offsetSteps,
      sighting.step,
      sighting.seenAt,
      // What lies this far back can never be accepted again, so it need not be remembered.
      Math.floor(sighting.seenAt.getTime() / 30_000) - 2,
    ],
  );
}

/**
 * Closes the account's apps for good: secrets wiped, so that no process and no later version compares a code with one;
 * still bound. What was shown and not confirmed is void. Answers the ids of those that are closed now.
 */
export async function closeApps(tx: Queryable, account: AccountId, now: Date): Promise<DeviceId[]> {
  await tx.query(`DELETE FROM devices WHERE account_id = $1 AND status = 'pending'`, [account]);
  const rows = await tx.query(
    `UPDATE devices
        SET closed_at = $2, secret = NULL, burned_steps = '{}', drift_steps = NULL, drift_step = NULL,
            drift_seen_at = NULL
      WHERE account_id = $1 AND status = 'active' AND kind = 'totp' AND closed_at IS NULL
      RETURNING id`,
    [account, now],
  );
  return rows.map((row) => deviceId(row.id as string));
}

/**
 * Ends the account's active devices, or one of them and the closed ones, or all but one; keeps them as history and wipes
 * their secrets. Answers their ids.
 */
export async function endActive(
  tx: Queryable,
  ended: { accountId: AccountId; reason: DeviceEnd; now: Date; only?: DeviceId; except?: DeviceId },
): Promise<DeviceId[]> {
  const rows = await tx.query(
    `UPDATE devices
        SET status = 'ended', ended_at = $3, ended_reason = $2, secret = NULL, burned_steps = '{}', attempt_uid = NULL,
            session_uid = NULL
      WHERE account_id = $1 AND status IN ('active', 'pending') AND (id = coalesce($4, id) OR closed_at IS NOT NULL)
        AND id IS DISTINCT FROM $5
      RETURNING id, activated_at`,
    [ended.accountId, ended.reason, ended.now, ended.only, ended.except],
  );
  return rows.filter((row) => row.activated_at !== null).map((row) => deviceId(row.id as string));
}

/**
 * Ends one active device of the account unless no other could prove: check and end are one statement, so that two
 * removals at once leave one. The caller holds the account, so that the second counts what the first has left.
 */
export async function endOne(
  tx: Queryable,
  ended: { accountId: AccountId; device: DeviceId; reason: DeviceEnd; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE devices
        SET status = 'ended', ended_at = $4, ended_reason = $3, secret = NULL, burned_steps = '{}'
      WHERE id = $2 AND account_id = $1 AND status = 'active'
        AND EXISTS (
          SELECT FROM devices WHERE account_id = $1 AND id <> $2 AND status = 'active' AND closed_at IS NULL)
      RETURNING id`,
    [ended.accountId, ended.device, ended.reason, ended.now],
  );
  return rows.length === 1;
}

export async function rename(
  tx: Queryable,
  renamed: { accountId: AccountId; device: DeviceId; name: string },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE devices SET name = $3
      WHERE id = $2 AND account_id = $1 AND status = 'active'
        AND ${nameIsFree({ account: '$1', name: '$3', but: '$2' })}
      RETURNING id`,
    [renamed.accountId, renamed.device, renamed.name],
  );
  return rows.length === 1;
}

/** Those that were bound once, the latest end first. */
export async function findEnded(db: Queryable, account: AccountId, limit: number): Promise<EndedDevice[]> {
  const rows = await db.query(
    `SELECT id, name, kind, activated_at, ended_at, ended_reason FROM devices
      WHERE account_id = $1 AND status = 'ended' AND activated_at IS NOT NULL
      ORDER BY ended_at DESC LIMIT $2`,
    [account, limit],
  );
  return rows.map((row) => ({
    id: deviceId(row.id as string),
    name: row.name as string,
    kind: row.kind as DeviceKind,
    activatedAt: row.activated_at as Date,
    endedAt: row.ended_at as Date,
    reason: row.ended_reason as DeviceEnd,
  }));
}

/** Those that were bound or ended since then, in the order in which they were bound. */
export async function findChanged(db: Queryable, account: AccountId, since: Date): Promise<ChangedDevice[]> {
  const rows = await db.query(
    `SELECT name, kind, activated_at, ended_at, ended_reason FROM devices
      WHERE account_id = $1 AND activated_at IS NOT NULL AND (activated_at >= $2 OR ended_at >= $2)
      ORDER BY activated_at`,
    [account, since],
  );
  return rows.map((row) => ({
    name: row.name as string,
    kind: row.kind as DeviceKind,
    activatedAt: row.activated_at as Date,
    endedAt: (row.ended_at as Date | null) ?? undefined,
    reason: (row.ended_reason as DeviceEnd | null) ?? undefined,
  }));
}

/** When factors of the account were last ended by a reset, whoever did it, or closed by wrong codes. */
export async function findLastReset(db: Queryable, account: AccountId): Promise<Date | undefined> {
  const [row] = await db.query(
    `SELECT greatest(max(closed_at), max(ended_at) FILTER (WHERE ended_reason IN ('helpdesk_reset', 'self_reset'))) AS at
       FROM devices WHERE account_id = $1`,
    [account],
  );
  return (row?.at as Date | null | undefined) ?? undefined;
}

/** Keeps what came of a code typed for this device. */
export async function recordAnswer(
  tx: Queryable,
  device: DeviceId,
  answered: { digest: Buffer; answer: string; now: Date },
): Promise<void> {
  await tx.query('UPDATE devices SET answered_digest = $2, answer = $3, answered_at = $4 WHERE id = $1', [
    device,
    answered.digest,
    answered.answer,
    answered.now,
  ]);
}

/** What came of this code since then, for a device that is pending or was confirmed by it. */
export async function findAnswer(
  db: Queryable,
  asked: { accountId: AccountId; digest: Buffer; since: Date },
): Promise<string | undefined> {
  const [row] = await db.query(
    `SELECT answer FROM devices
      WHERE account_id = $1 AND status <> 'ended' AND answered_digest = $2 AND answered_at > $3`,
    [asked.accountId, asked.digest, asked.since],
  );
  return row === undefined ? undefined : (row.answer as string);
}
