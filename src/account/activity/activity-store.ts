import { actingFor, toldOfficer, type ToldOfficer } from '../../accounts/acting-officer.js';
import type { TrailEvent, TrailPlace } from '../../audit/trail.js';
import type { DeviceKind } from '../../devices/device.js';
import type { Queryable } from '../../storage/database.js';

/** An authenticator as it is called now, and since when. */
export interface CalledDevice {
  readonly kind: DeviceKind;
  readonly name: string;
  /** The latest renaming of the time asked for: what happened before had another name. */
  readonly namedAt: TrailPlace | undefined;
}

/** Authenticators by id, ended ones too; only those of this account. */
export async function selectDevices(
  db: Queryable,
  accountId: string,
  { ids, since }: { ids: readonly string[]; since: Date },
): Promise<ReadonlyMap<string, CalledDevice>> {
  const rows = await db.query(
    `SELECT d.id, d.kind, d.name, renamed.at, renamed.id AS event_id
       FROM devices d
       LEFT JOIN LATERAL (
         SELECT e.at, e.id FROM audit_events e
          WHERE e.account_id = $1 AND e.at >= $3 AND e.type = 'device.renamed' AND e.detail->>'device' = d.id::text
          ORDER BY e.at DESC, e.id DESC LIMIT 1) AS renamed ON true
      WHERE d.account_id = $1 AND d.id = ANY ($2::uuid[]) AND d.name IS NOT NULL`,
    [accountId, ids, since],
  );
  return new Map(
    rows.map((row) => {
      const at = row.at as Date | null;
      const namedAt = at === null ? undefined : { at, id: String(row.event_id) };
      return [row.id as string, { kind: row.kind as DeviceKind, name: row.name as string, namedAt }];
    }),
  );
}

/** Who did what to an account, as the person is told of each event: by its id. */
export async function selectOfficers(
  db: Queryable,
  events: readonly TrailEvent[],
): Promise<ReadonlyMap<string, ToldOfficer>> {
  const rows = await db.query(
    `SELECT e.id, a.name, unit.name AS unit, acting.is_national, acting.agency AS acting_agency
       FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[]) AS e (id, actor, agency, at)
       JOIN accounts a ON a.id = e.actor
       JOIN agencies unit ON unit.code = a.agency_code
       ${actingFor({ officer: 'e.actor', agency: 'e.agency', at: 'e.at' })}`,
    [
      events.map(({ id }) => id),
      events.map(({ actorId }) => actorId),
      events.map(({ agencyCode }) => agencyCode ?? null),
      events.map(({ at }) => at),
    ],
  );
  return new Map(rows.map((row) => [row.id as string, toldOfficer(row)]));
}

/** Why officers did what they did to this account, by act. */
export async function selectReasons(
  db: Queryable,
  accountId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query('SELECT id, reason FROM officer_acts WHERE account_id = $1 AND id = ANY ($2::uuid[])', [
    accountId,
    ids,
  ]);
  return new Map(rows.map((row) => [row.id as string, row.reason as string]));
}
