import type { Database } from '#src/storage/database.js';

/**
 * As if nobody had tried anything yet: limits are tested elsewhere, and here they would keep the next request from
 * getting as deep as the last. What the program is holding at the moment is left to it.
 */
export async function forgetTries(db: Database): Promise<void> {
  for (const table of ['failure_counters', 'quotas']) {
    await db.query(
      `DELETE FROM ${table} WHERE (scope, key) IN (SELECT scope, key FROM ${table} FOR UPDATE SKIP LOCKED)`,
    );
  }
  await db.query(
    `UPDATE mailed_codes SET wrong_tries = 0
      WHERE flow IN (SELECT flow FROM mailed_codes WHERE wrong_tries > 0 FOR UPDATE SKIP LOCKED)`,
  );
  await db.query(
    `UPDATE password_resets SET email_tries = 0
      WHERE id IN (SELECT id FROM password_resets WHERE email_tries > 0 AND state <> 'done' FOR UPDATE SKIP LOCKED)`,
  );
}
