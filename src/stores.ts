import type { Config } from './config/settings.js';
import { systemClock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import type { Database } from './storage/database.js';
import { startEmbeddedPostgres } from './storage/embedded-postgres.js';
import { findKeysInUse } from './storage/keys-in-use.js';
import { SEALED_PLACES } from './sealed-places.js';
import type { KeyRing } from './security/key-ring.js';
import { openInProcess } from './storage/in-process.js';
import type { KeyValue } from './storage/key-value.js';
import { migrate, pendingMigrations } from './storage/migrate.js';
import { openPostgres } from './storage/postgres.js';
import { openRedis } from './storage/redis.js';

/** Where everything is kept, opened. */
export interface Stores {
  readonly db: Database;
  /** For what needs a connection of its own: imports. */
  readonly databaseUrl: string;
  readonly keyValue: KeyValue;
  close(): Promise<void>;
}

/** The database has another schema than this program. */
export class PendingMigrations extends Error {
  constructor(names: readonly string[]) {
    super(`the database lacks ${names.length} migration(s), from ${names[0] ?? ''} on; run: sso-asn migrate`);
    this.name = 'PendingMigrations';
  }
}

/** Rows were sealed with keys that the settings lack: nothing good can come of starting. */
export class MissingKeys extends Error {
  constructor(setting: string, kids: readonly string[]) {
    super(`${setting} lacks the key ${kids.join(', ')}, with which rows in the database were sealed`);
    this.name = 'MissingKeys';
  }
}

async function requireKeys(db: Database, config: Config): Promise<void> {
  const inUse = await findKeysInUse(db, SEALED_PLACES);
  const missing = (kids: ReadonlyMap<string, unknown>, ring: KeyRing): string[] =>
    [...kids.keys()].filter((kid) => ring.find(kid) === undefined);
  const encryption = missing(inUse.encryption, config.encryptionKeys);
  if (encryption.length > 0) throw new MissingKeys('ENCRYPTION_KEYS', encryption);
  const peppers = missing(inUse.peppers, config.passwordPeppers);
  if (peppers.length > 0) throw new MissingKeys('PASSWORD_PEPPERS', peppers);
}

export interface OpenStores {
  readonly config: Config;
  readonly log: Log;
  readonly onStatement?: (text: string) => void;
}

/**
 * Opens the stores that the settings name. The embedded database is started, or adopted when it runs, and migrated;
 * a database of the operator's must have been migrated before.
 */
export async function openStores({ config, log, onStatement }: OpenStores): Promise<Stores> {
  const embedded =
    config.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined;
  const databaseUrl = config.databaseUrl ?? embedded?.url ?? '';
  try {
    if (embedded !== undefined) await migrate({ url: databaseUrl, log });
    const db = openPostgres({
      url: databaseUrl,
      maxConnections: config.databasePool,
      onIdleError: (error) => {
        log.warn('an idle database connection broke', { detail: error.message });
      },
      ...(onStatement === undefined ? {} : { onStatement }),
    });
    const keyValue =
      config.redisUrl === undefined
        ? openInProcess(systemClock)
        : openRedis(config.redisUrl, {
            onError: (error) => {
              log.warn('redis', { detail: error.message });
            },
          });
    const close = async (): Promise<void> => {
      await keyValue.close();
      await db.close();
      await embedded?.stop();
    };
    try {
      const pending = await pendingMigrations(db);
      if (pending.length > 0) throw new PendingMigrations(pending);
      await requireKeys(db, config);
    } catch (error) {
      await keyValue.close();
      await db.close();
      throw error;
    }
    return { db, databaseUrl, keyValue, close };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}
