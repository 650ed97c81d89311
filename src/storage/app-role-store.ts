import type { Queryable } from './database.js';

/** A name that PostgreSQL takes without quotes: nothing else is a role of ours. */
const ROLE = /^[a-z_][a-z0-9_]{0,62}$/;

export const isRoleName = (name: string): boolean => ROLE.test(name);

/** What the program does with the tables of the audit trail, and nothing more: the rest it may change. */
const AUDIT: Readonly<Record<string, string>> = {
  audit_events: 'SELECT, INSERT',
  audit_seals: 'SELECT, INSERT',
  audit_checkpoints: 'SELECT, INSERT',
  // The list of what waits: the sealer takes off it.
  audit_unsealed: 'SELECT, INSERT, DELETE',
  // Months are dropped by the owner.
  audit_prunings: 'SELECT',
  // Read at every start; written by migrations.
  schema_migrations: 'SELECT',
};

/**
 * Gives the role of `DATABASE_URL` what the program needs and takes everything else from it: no DDL, and of the audit
 * trail only reading and adding. Partitions are reached through their tables, so the role has no right on any of them.
 * Run by the owner after every migration; in one transaction.
 */
export async function grantToApp(tx: Queryable, role: string): Promise<void> {
  if (!isRoleName(role)) throw new Error('a role is named with small letters, digits and underscores');
  await tx.query(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`);
  await tx.query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC, ${role}`);
  await tx.query(`GRANT USAGE ON SCHEMA public TO ${role}`);
  const tables = await tx.query(
    `SELECT c.relname AS name FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  );
  for (const name of tables.map((row) => String(row.name))) {
    // What was taken out of the trail and waits to be dropped is nobody's.
    if (name.endsWith('_dropped')) continue;
    await tx.query(`GRANT ${AUDIT[name] ?? 'SELECT, INSERT, UPDATE, DELETE'} ON ${name} TO ${role}`);
  }
  await tx.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
}
