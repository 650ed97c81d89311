import type { Queryable } from '#src/storage/database.js';
import type { Observed, TwoPeople } from './driver.js';
import type { Who } from './steps.js';

/** What the database says of two people's passwords, factors and sessions. */
export async function observe(db: Queryable, { A, B }: TwoPeople): Promise<Record<Who, Observed>> {
  const rows = await db.query(
    `SELECT a.id, a.cred_epoch,
            (SELECT coalesce(string_agg(concat_ws('|', d.id, d.status, d.secret), ',' ORDER BY d.id), '')
               FROM devices d WHERE d.account_id = a.id)
         || (SELECT coalesce(string_agg(concat_ws('|', r.id, r.ended_at), ',' ORDER BY r.id), '')
               FROM recovery_code_sets r WHERE r.account_id = a.id) AS factors,
            ((SELECT count(*) FROM sso_sessions s WHERE s.account_id = a.id)
           + (SELECT count(*) FROM page_sessions p WHERE p.account_id = a.id))::integer AS sessions
       FROM accounts a WHERE a.id = ANY ($1::uuid[])`,
    [[A.id, B.id]],
  );
  const of = (id: string): Observed => {
    const row = rows.find((each) => each.id === id);
    if (row === undefined) throw new Error('the person is gone');
    return { credEpoch: row.cred_epoch as number, factors: row.factors as string, sessions: row.sessions as number };
  };
  return { A: of(A.id), B: of(B.id) };
}
