import { accountId, agencyCode, type AccountId, type AgencyCode } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { withinReachOf } from '../authority-store.js';
import type { ActAction } from './act.js';

export type AlarmKind = 'burst' | 'off_hours' | 'pattern' | 'quota' | 'mass' | 'appointment';

/** R-10, A20: five resets by one officer within ten minutes are no queue at a desk. */
const BURST = `(SELECT count(*) FROM officer_acts b
    WHERE b.officer_id = $1 AND b.action = 'mfa_reset' AND b.created_at > $4::timestamptz - interval '10 minutes') >= 5`;

/** Many people shut out, or given another mailbox, by one officer within an hour. */
const MASS = `(SELECT count(*) FROM officer_acts b
    WHERE b.officer_id = $1 AND b.action IN ('freeze', 'disable', 'contact_change', 'sessions_end', 'activation_slip')
      AND b.created_at > $4::timestamptz - interval '1 hour') >= 20`;

/** Factors twice, or factors and mailbox, of one account within a month: how an account is taken over. */
const PATTERN = `EXISTS (SELECT FROM officer_acts now_act JOIN officer_acts before ON before.account_id = now_act.account_id
    WHERE now_act.id = $3 AND before.id <> now_act.id AND before.state IN ('done', 'awaiting')
      AND now_act.action IN ('mfa_reset', 'contact_change') AND before.action IN ('mfa_reset', 'contact_change')
      AND 'mfa_reset' IN (now_act.action, before.action)
      AND before.created_at > $4::timestamptz - interval '30 days')`;

/** Every new officer is told to those above. */
const APPOINTMENT = `EXISTS (SELECT FROM officer_acts made WHERE made.id = $3 AND made.action = 'role_grant')`;

const RAISE = `
  INSERT INTO officer_alarms (kind, officer_id, agency_code, act_id, raised_at)
  SELECT rule.kind, $1, $2, $3, $4::timestamptz
    FROM (VALUES ('burst', ${BURST}), ('off_hours', $5::boolean), ('pattern', ${PATTERN}), ('quota', $6::boolean),
                  ('mass', ${MASS}), ('appointment', ${APPOINTMENT}))
           AS rule (kind, holds)
   WHERE rule.holds
     AND (rule.kind IN ('pattern', 'appointment')
          OR NOT EXISTS (SELECT FROM officer_alarms told
                          WHERE told.officer_id = $1 AND told.kind = rule.kind
                            AND told.raised_at > $4::timestamptz - interval '1 hour'))
  RETURNING kind`;

/** Raises what holds: what is about one account always, the rest once an hour for an officer. Answers which. */
export async function raiseAlarms(
  tx: Queryable,
  seen: {
    officerId: AccountId;
    agencyCode: AgencyCode;
    actId: string | undefined;
    now: Date;
    offHours: boolean;
    quota: boolean;
  },
): Promise<readonly AlarmKind[]> {
  const values = [seen.officerId, seen.agencyCode, seen.actId, seen.now, seen.offHours, seen.quota];
  return (await tx.query(RAISE, values)).map(({ kind }) => kind as AlarmKind);
}

export interface Alarm {
  readonly id: string;
  readonly kind: AlarmKind;
  readonly officer: { readonly id: AccountId; readonly name: string };
  /** Of the account it was about. */
  readonly agency: { readonly code: AgencyCode; readonly name: string };
  readonly account: { readonly id: AccountId; readonly name: string } | undefined;
  /** What was done; none where the limit was reached. */
  readonly action: ActAction | undefined;
  readonly raisedAt: Date;
}

const ACTING = { officer: '$1', now: '$2' };

/** What nobody has looked at yet, in the agencies that an administrator answers for, the latest first. */
export async function selectAlarms(
  db: Queryable,
  { officer, now, limit }: { officer: AccountId; now: Date; limit: number },
): Promise<readonly Alarm[]> {
  const rows = await db.query(
    `SELECT alarm.id, alarm.kind, alarm.raised_at, g.code, g.name AS agency, acting.id AS officer_id,
            acting.name AS officer, act.action, person.id AS account_id, person.name AS person
       FROM officer_alarms alarm
       JOIN agencies g ON g.code = alarm.agency_code
       JOIN accounts acting ON acting.id = alarm.officer_id
       LEFT JOIN officer_acts act ON act.id = alarm.act_id
       LEFT JOIN accounts person ON person.id = act.account_id
      WHERE alarm.seen_at IS NULL AND alarm.officer_id <> $1 AND ${withinReachOf(ACTING, 'watch')}
      ORDER BY alarm.raised_at DESC, alarm.id LIMIT $3`,
    [officer, now, limit],
  );
  return rows.map((row) => ({
    id: row.id as string,
    kind: row.kind as AlarmKind,
    officer: { id: accountId(row.officer_id as string), name: row.officer as string },
    agency: { code: agencyCode(row.code as string), name: row.agency as string },
    account:
      row.account_id === null ? undefined : { id: accountId(row.account_id as string), name: row.person as string },
    action: (row.action as ActAction | null) ?? undefined,
    raisedAt: row.raised_at as Date,
  }));
}

/** Whose alarm it was and where, for the one administrator who puts it away; nobody puts away their own. */
export async function markSeen(
  tx: Queryable,
  { officer, now, id }: { officer: AccountId; now: Date; id: string },
): Promise<{ officerId: AccountId; agencyCode: AgencyCode } | undefined> {
  const [row] = await tx.query(
    `UPDATE officer_alarms alarm SET seen_by = $1, seen_at = $2
       FROM agencies g
      WHERE alarm.id = $3 AND alarm.seen_at IS NULL AND alarm.officer_id <> $1 AND g.code = alarm.agency_code
        AND ${withinReachOf(ACTING, 'watch')}
     RETURNING alarm.officer_id, alarm.agency_code`,
    [officer, now, id],
  );
  return row && { officerId: accountId(row.officer_id as string), agencyCode: agencyCode(row.agency_code as string) };
}
