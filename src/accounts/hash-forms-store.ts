import type { HashForm } from '../security/decoy-hashes.js';
import type { Queryable } from '../storage/database.js';

/** Some 20,000 rows: a share is known to half a percent, in 20 ms. */
const SAMPLED_PAGES = 500;

const SHARE = `
  SELECT least(100, 100.0 * ${SAMPLED_PAGES} * current_setting('block_size')::integer
                    / greatest(1, pg_relation_size('credentials')))::real AS percent`;

const OURS = 'ours';
// Everything but salt and hash, and the whole length, which tells how long the hash is.
const FORM = `
  CASE WHEN password_hash LIKE '$pepper=%' THEN '${OURS}'
       WHEN password_hash LIKE '$2%' THEN left(password_hash, 7)
       ELSE regexp_replace(password_hash, '\\$[^$]*\\$[^$]*$', '') || ' ' || length(password_hash) END`;

const FORMS = `
  SELECT form, count(*)::integer AS rows, min(password_hash) AS example
    FROM (SELECT password_hash, ${FORM} AS form FROM credentials TABLESAMPLE SYSTEM ($1) WHERE disabled_at IS NULL) AS c
   GROUP BY form`;

/** The forms of the password hashes that a login would compare with, from a sample of the pages. */
export async function sampleHashForms(db: Queryable): Promise<readonly HashForm[]> {
  const [share] = await db.query(SHARE);
  const rows = await db.query(FORMS, [share?.percent]);
  return rows.map((row) => ({
    form: row.form as string,
    rows: row.rows as number,
    example: row.form === OURS ? undefined : (row.example as string),
  }));
}
