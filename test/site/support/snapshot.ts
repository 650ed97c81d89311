import type { Database } from '#src/storage/database.js';
import { fingerprint } from '../../support/fingerprint.js';
import { eventually } from '../../support/processes.js';

/** Everything the database holds, as one digest a table: equal when nothing has changed. Waits until no mail is due. */
export async function snapshot(db: Database): Promise<Record<string, string>> {
  await eventually(
    'the outbox to be empty',
    async () => (await db.query('SELECT 1 FROM outbox WHERE created_at <= $1 LIMIT 1', [new Date()])).length === 0,
  );
  return fingerprint(db);
}
