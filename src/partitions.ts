import type { Services } from './container.js';
import { keepTokenPartitions } from './oidc/storage/token-partitions-store.js';
import { openPostgres } from './storage/postgres.js';

/** PostgreSQL's word for a role that may not change the schema. */
const NOT_ALLOWED = '42501';

/**
 * Makes the partitions of the coming days and months and drops the passed ones. The schema's owner does it: the role
 * of `MIGRATION_DATABASE_URL` where that is another one. Without the right, everything goes to the default partitions
 * and works; the person on call reads a warning. Answers how many partitions were dropped.
 */
export async function keepPartitions(
  services: Pick<Services, 'config' | 'db' | 'audit' | 'clock' | 'log'>,
): Promise<number> {
  const { config, db, audit, clock, log } = services;
  const ownersUrl = config.migrationDatabaseUrl === config.databaseUrl ? undefined : config.migrationDatabaseUrl;
  const owner =
    ownersUrl === undefined
      ? undefined
      : openPostgres({
          url: ownersUrl,
          maxConnections: 1,
          onIdleError: (error) => {
            log.warn('the connection of the schema owner broke', { detail: error.message });
          },
        });
  try {
    await audit.prepare(owner ?? db);
    return (await keepTokenPartitions(owner ?? db, clock.now())).dropped.length;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === NOT_ALLOWED)) throw error;
    log.warn('partitions are left to the default ones: set MIGRATION_DATABASE_URL to the role that owns the schema');
    return 0;
  } finally {
    await owner?.close();
  }
}
