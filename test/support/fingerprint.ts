import type { Database } from '#src/storage/database.js';

/** Moved on in the background, whoever does nothing. */
const SEALED = ['audit_seals', 'audit_unsealed', 'audit_checkpoints'];

/** Everything the database holds, as one digest a table: equal when nothing has changed. */
export async function fingerprint(db: Database): Promise<Record<string, string>> {
  const tables = await db.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
  const names = tables.map(({ tablename }) => String(tablename)).filter((name) => !SEALED.includes(name));
  const parts = names.map(
    (name) =>
      `SELECT '${name}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM "${name}" t`,
  );
  const rows = await db.query(parts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, digest }) => [String(name), String(digest)]));
}
