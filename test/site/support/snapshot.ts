import type { Database } from '#src/storage/database.js';
import { eventually } from '../../support/processes.js';

/**
 * Everything the database holds, as one digest a table: equal when nothing has changed. Waits until no mail waits; what
 * is kept back on purpose, such as a reminder for tomorrow, changes nothing meanwhile.
 */
export async function snapshot(db: Database): Promise<Record<string, string>> {
  const waits = `SELECT 1 FROM outbox WHERE next_attempt_at < now() + interval '1 hour' LIMIT 1`;
  await eventually('the outbox to be empty', async () => (await db.query(waits)).length === 0);
  const tables = await db.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
  const names = tables.map(({ tablename }) => String(tablename));
  const parts = names.map(
    (name) =>
      `SELECT '${name}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM "${name}" t`,
  );
  const rows = await db.query(parts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, digest }) => [String(name), String(digest)]));
}
