import type { BulkSession } from '../storage/copy.js';
import { KEEPS_CHOICE, RETURNS, STARTS_OVER } from './account-apply-store.js';
import type { AgencyFlow } from './feed-report.js';

/** What the changes of a plan are, besides that something changes. */
export interface Changes {
  readonly returned: number;
  readonly moved: number;
  readonly renumbered: number;
  readonly emailChanged: number;
  /** Of accounts in use: with another address or another person than before. */
  readonly readdressed: number;
  /** Are another person's from then on. */
  readonly startedOver: number;
  /** From which agency to which, the most people first. */
  readonly flows: readonly AgencyFlow[];
}

const CHANGED = 'FROM import_change c JOIN import_row r USING (line) JOIN accounts a ON a.id = c.account_id';
const MAX_FLOWS = 1_000;

export async function summarise(session: BulkSession): Promise<Changes> {
  const [row] = await session.query(
    `SELECT count(*) FILTER (WHERE ${RETURNS})::integer AS returned,
            count(*) FILTER (WHERE a.agency_code <> r.agency_code)::integer AS moved,
            count(*) FILTER (WHERE a.nip <> r.nip)::integer AS renumbered,
            count(*) FILTER (WHERE NOT (${KEEPS_CHOICE}) AND a.email IS DISTINCT FROM r.email)::integer AS emails,
            count(*) FILTER (WHERE ${STARTS_OVER})::integer AS started_over,
            count(*) FILTER (WHERE a.activated_at IS NOT NULL AND (${STARTS_OVER}
              OR NOT (${KEEPS_CHOICE}) AND a.email IS DISTINCT FROM r.email))::integer AS readdressed
       ${CHANGED}`,
  );
  const flows = await session.query(
    `SELECT a.agency_code AS left_code, r.agency_code AS joined_code, count(*)::integer AS people
       ${CHANGED} WHERE a.agency_code <> r.agency_code
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ${MAX_FLOWS}`,
  );
  const count = (name: string): number => row?.[name] as number;
  return {
    returned: count('returned'),
    moved: count('moved'),
    renumbered: count('renumbered'),
    emailChanged: count('emails'),
    readdressed: count('readdressed'),
    startedOver: count('started_over'),
    flows: flows.map((flow) => ({
      from: flow.left_code as string,
      to: flow.joined_code as string,
      people: flow.people as number,
    })),
  };
}
