/** Who did something to a person, as that person is told: by name and the agency they acted for. */
export interface NamedOfficer {
  readonly name: string;
  readonly agency: string;
}

/** An officer of an agency; or one whose role reaches every agency, who is told as that. */
export type ToldOfficer = NamedOfficer | 'national';

/** As {@link actingFor} names it: a parameter or a column each. */
interface ActingAt {
  readonly officer: string;
  /** The agency of the person, at that moment. */
  readonly agency: string;
  readonly at: string;
}

/**
 * For which agency an officer acted, as a lateral `acting` with `is_national` and `agency`: that of the role through
 * which they reached the person at that moment, of an agency before a national one, as `authorityOver` chooses and as
 * the mail of that moment says. Their own unit is not asked for, as nobody knows it. No row where they held no such role.
 */
export const actingFor = ({ officer, agency, at }: ActingAt): string => `
  LEFT JOIN LATERAL (
    SELECT held.agency_code IS NULL AS is_national, own.name AS agency
      FROM role_grants held
      LEFT JOIN agencies own ON own.code = held.agency_code
     WHERE held.account_id = ${officer} AND held.granted_at <= ${at}
       AND (held.revoked_at IS NULL OR held.revoked_at > ${at})
       AND (held.agency_code IS NULL
            OR held.agency_code IN (SELECT unnest(reached.ancestors) FROM agencies reached WHERE reached.code = ${agency}))
     ORDER BY held.agency_code IS NULL, held.role, held.agency_code LIMIT 1) AS acting ON true`;

/** From a row with `name`, `is_national`, `acting_agency`, and `unit`: the officer's own, where no role is known. */
export function toldOfficer(row: Readonly<Record<string, unknown>>): ToldOfficer {
  if (row.is_national === true) return 'national';
  return { name: row.name as string, agency: (row.acting_agency ?? row.unit) as string };
}
