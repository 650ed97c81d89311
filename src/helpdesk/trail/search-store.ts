import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Nip } from '../../accounts/nip.js';
import { ROLES } from '../../accounts/role.js';
import type { Queryable, Row } from '../../storage/database.js';
import { usableRoles } from '../authority-store.js';
import type { TrailPlace } from './cursor.js';

/** Whose eyes: everybody's trail for whoever operates the server, else what the officer's roles reach. */
export type TrailScope = { readonly kind: 'all' } | { readonly kind: 'officer'; readonly accountId: AccountId };

/** Somebody an event names. */
export interface TrailPerson {
  readonly id: string;
  /** Undefined for an id that no account has. */
  readonly name: string | undefined;
}

/** An event as its row tells it. Its kind and its detail may be of another version of the program: trust neither. */
export interface TrailRow {
  readonly id: string;
  readonly at: Date;
  readonly type: string;
  readonly account: TrailPerson | undefined;
  readonly actor: TrailPerson | undefined;
  readonly agencyCode: string | undefined;
  readonly agencyName: string | undefined;
  readonly clientId: string | undefined;
  readonly requestId: string | undefined;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly place: TrailPlace;
  /** The account lies within what the reader may look at now: its page opens for them. */
  readonly mayOpen: boolean;
}

/** What one statement looks for. */
export interface TrailLook {
  readonly scope: TrailScope;
  readonly accountId: string | undefined;
  readonly actorId: string | undefined;
  readonly types: readonly string[] | undefined;
  readonly from: Date;
  readonly to: Date;
  /** When rights are judged. */
  readonly now: Date;
  readonly before: TrailPlace | undefined;
  readonly limit: number;
}

/** What an officer may read at this moment. */
export interface Standing {
  /** Operators and auditors. */
  readonly everything: boolean;
  /** Administers an agency: the trail of it and of all below. */
  readonly agency: boolean;
  /** Helpdesk of an agency: the trail of one person at a time. */
  readonly persons: boolean;
  /** The account in question lies within reach now. */
  readonly reaches: boolean;
}

/**
 * What officer $1 reads at the moment of the statement, $8: `everything`, the agencies whose trail is theirs (`trails`),
 * and those whose people they may look at (`people`).
 */
const READABLE = `
  held AS (${usableRoles({ officer: '$1', now: '$8' }, ROLES)}),
  everything AS (SELECT EXISTS (SELECT FROM held WHERE role IN ('operator', 'auditor') AND agency_code IS NULL) AS yes),
  trails AS (
    SELECT g.code FROM agencies g
     WHERE EXISTS (SELECT FROM held WHERE role = 'agency_admin' AND agency_code = ANY (g.ancestors))),
  people AS (
    SELECT g.code FROM agencies g
     WHERE EXISTS (SELECT FROM held WHERE role IN ('agency_admin', 'helpdesk') AND agency_code = ANY (g.ancestors)))`;

const STANDING = `
  WITH held AS (${usableRoles({ officer: '$1', now: '$2' }, ROLES)})
  SELECT EXISTS (SELECT FROM held WHERE role IN ('operator', 'auditor') AND agency_code IS NULL) AS everything,
         EXISTS (SELECT FROM held WHERE role = 'agency_admin') AS agency,
         EXISTS (SELECT FROM held WHERE role = 'helpdesk') AS persons,
         EXISTS (
           SELECT FROM accounts a JOIN agencies g ON g.code = a.agency_code
             JOIN held ON held.role IN ('agency_admin', 'helpdesk') AND held.agency_code = ANY (g.ancestors)
            WHERE a.id = $3::uuid) AS reaches`;

/** Whose NIP this is, or was: whoever bears it today goes first. */
const BEARER = `
  SELECT id FROM (SELECT id, 1 AS rank FROM accounts WHERE nip = $1
                  UNION ALL SELECT account_id, 2 FROM nip_history WHERE nip = $1) AS bearer
   ORDER BY rank LIMIT 1`;

export async function selectBearer(db: Queryable, nip: Nip): Promise<AccountId | undefined> {
  const [row] = await db.query(BEARER, [nip]);
  return row && accountId(row.id as string);
}

export async function selectStanding(
  db: Queryable,
  { officer, subject, now }: { officer: AccountId; subject: string | undefined; now: Date },
): Promise<Standing> {
  const [row] = await db.query(STANDING, [officer, now, subject ?? null]);
  return {
    everything: row?.everything === true,
    agency: row?.agency === true,
    persons: row?.persons === true,
    reaches: row?.reaches === true,
  };
}

/** Every kind that stands in the index, one step each: also those this version does not know. */
const KINDS = `
  kinds AS (
    SELECT unnest($2::text[]) COLLATE "C" AS type WHERE $2::text[] IS NOT NULL
    UNION ALL
    (WITH RECURSIVE found AS (
       (SELECT type COLLATE "C" AS type FROM audit_events WHERE $2::text[] IS NULL ORDER BY 1 LIMIT 1)
       UNION ALL
       SELECT (SELECT e.type COLLATE "C" FROM audit_events e
                WHERE e.type COLLATE "C" > found.type ORDER BY 1 LIMIT 1)
         FROM found WHERE found.type IS NOT NULL)
     SELECT type FROM found WHERE type IS NOT NULL))`;

/** What an officer has raised an alarm with is for others to see (docs/adr/0019). */
const NOT_OWN_ALARM = `(e.type <> 'alarm.raised' OR e.actor_id IS DISTINCT FROM $1::uuid)`;
const IN_RANGE = `e.at >= $3::timestamptz AND e.at < $4::timestamptz
  AND e.at <= $5::timestamptz AND (e.at, e.id) < ($5::timestamptz, $6::bigint) AND ${NOT_OWN_ALARM}`;
const NEWEST = 'ORDER BY e.at DESC, e.id DESC LIMIT $7';
const OF_KINDS = '($2::text[] IS NULL OR e.type = ANY ($2))';

/** A page in its order, with the names of whom it names; `mayOpen` is asked of each account. */
const named = (ctes: string, page: string, mayOpen: string): string => `
  WITH ${ctes}, page AS (${page})
  SELECT e.id, e.at, e.at::text AS place, e.type, e.account_id, e.actor_id, e.agency_code, e.client_id, e.request_id,
         e.detail, whom.name AS account_name, who.name AS actor_name, g.name AS agency_name,
         whom.id IS NOT NULL AND (${mayOpen}) AS may_open
    FROM page e
    LEFT JOIN accounts whom ON whom.id = e.account_id
    LEFT JOIN accounts who ON who.id = e.actor_id
    LEFT JOIN agencies g ON g.code = e.agency_code
   ORDER BY e.at DESC, e.id DESC`;

/** `$1`, whom the scope is read of, stands in every text. */
const NO_OFFICER = 'nobody AS (SELECT $1::uuid, $8::timestamptz)';

/** Of one person: by the index of the account or of the actor. `scope` says of each row whether it may be read. */
const ofPerson = (condition: string, scope: string): string => `
  SELECT e.* FROM audit_events e LEFT JOIN accounts a ON a.id = e.account_id
   WHERE ${condition} AND ${OF_KINDS} AND ${IN_RANGE} AND ${scope} ${NEWEST}`;

const PERSON_SCOPE = `((SELECT yes FROM everything)
  OR e.agency_code IN (SELECT code FROM trails) OR a.agency_code IN (SELECT code FROM people))`;

/** The newest of every kind, merged; nothing unless `scope` holds. */
const byKind = (scope: string): string => `
  SELECT e.* FROM kinds k CROSS JOIN LATERAL (
    SELECT * FROM audit_events e WHERE e.type COLLATE "C" = k.type AND ${IN_RANGE} ${NEWEST}) e
   WHERE ${scope} ${NEWEST}`;

/** The newest of every agency, merged; nothing for those who read everything anyway. */
const BY_AGENCY = `
  SELECT e.* FROM trails t CROSS JOIN LATERAL (
    SELECT * FROM audit_events e WHERE e.agency_code = t.code AND ${OF_KINDS} AND ${IN_RANGE} ${NEWEST}) e
   WHERE NOT (SELECT yes FROM everything) ${NEWEST}`;

const PERSON = {
  account: 'e.account_id = $9::uuid',
  actor: 'e.actor_id = $9::uuid',
  both: 'e.account_id = $9::uuid AND e.actor_id = $10::uuid',
};

/** An auditor reads everything, and looks at nobody. */
const MAY_OPEN = `EXISTS (SELECT FROM held WHERE role = 'operator' AND agency_code IS NULL)
  OR whom.agency_code IN (SELECT code FROM people)`;

const forAll = (ctes: string, page: string): string => named(ctes, page, 'FALSE');
const forOfficer = (ctes: string, page: string): string => named(ctes, page, MAY_OPEN);

const STATEMENTS = {
  all: {
    account: forAll(NO_OFFICER, ofPerson(PERSON.account, 'TRUE')),
    actor: forAll(NO_OFFICER, ofPerson(PERSON.actor, 'TRUE')),
    both: forAll(NO_OFFICER, ofPerson(PERSON.both, 'TRUE')),
    none: forAll(`${NO_OFFICER}, ${KINDS}`, byKind('TRUE')),
  },
  officer: {
    account: forOfficer(READABLE, ofPerson(PERSON.account, PERSON_SCOPE)),
    actor: forOfficer(READABLE, ofPerson(PERSON.actor, PERSON_SCOPE)),
    both: forOfficer(READABLE, ofPerson(PERSON.both, PERSON_SCOPE)),
    none: forOfficer(`${READABLE}, ${KINDS}`, `(${byKind('(SELECT yes FROM everything)')}) UNION ALL (${BY_AGENCY})`),
  },
};

const personOf = (id: unknown, name: unknown): TrailPerson | undefined =>
  id === null ? undefined : { id: id as string, name: (name as string | null) ?? undefined };

const fromRow = (row: Row): TrailRow => ({
  id: row.id as string,
  at: row.at as Date,
  type: row.type as string,
  account: personOf(row.account_id, row.account_name),
  actor: personOf(row.actor_id, row.actor_name),
  agencyCode: (row.agency_code as string | null) ?? undefined,
  agencyName: (row.agency_name as string | null) ?? undefined,
  clientId: (row.client_id as string | null) ?? undefined,
  requestId: (row.request_id as string | null) ?? undefined,
  detail: row.detail as TrailRow['detail'],
  place: { at: row.place as string, id: row.id as string },
  mayOpen: row.may_open === true,
});

/** Behind every row: ids are positive, and no event comes after the last moment there is. */
const BEGINNING: TrailPlace = { at: 'infinity', id: '0' };

/** The newest events that meet all of it and that the reader may see at this moment, in one statement. */
export async function selectTrail(db: Queryable, look: TrailLook): Promise<readonly TrailRow[]> {
  const { scope, accountId, actorId, types, from, to, now, before = BEGINNING, limit } = look;
  const officer = scope.kind === 'officer' ? scope.accountId : null;
  const values = [officer, types ?? null, from, to, before.at, before.id, limit, now];
  const statements = STATEMENTS[scope.kind];
  if (accountId !== undefined && actorId !== undefined) {
    return (await db.query(statements.both, [...values, accountId, actorId])).map(fromRow);
  }
  if (accountId !== undefined) return (await db.query(statements.account, [...values, accountId])).map(fromRow);
  if (actorId !== undefined) return (await db.query(statements.actor, [...values, actorId])).map(fromRow);
  return (await db.query(statements.none, values)).map(fromRow);
}
