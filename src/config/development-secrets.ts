import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseKeyRing } from '../security/key-ring.js';

export const SECRET_SETTINGS = ['ENCRYPTION_KEYS', 'PASSWORD_PEPPERS', 'COOKIE_KEYS'] as const;
export type DevelopmentSecrets = Record<(typeof SECRET_SETTINGS)[number], string>;

/** What was kept cannot be used. The parser's own message would quote the file. */
export class SecretsUnreadable extends Error {
  constructor(file: string) {
    super(`${file} holds no secrets that can be read; restore it, or delete it and lose what they sealed`);
    this.name = 'SecretsUnreadable';
  }
}

/** A new key in the form of the settings: `kid:base64(32 bytes)`, the kid from the day and chance. */
export function newKey(prefix: string): string {
  return `${prefix}${randomBytes(3).toString('hex')}:${randomBytes(32).toString('base64')}`;
}

/**
 * The secrets of a development machine: made once, kept in `DATA_DIR/secrets.json` readable by its owner only,
 * so that a restart still opens what was sealed. Production never comes here.
 */
export function developmentSecrets(dataDir: string): DevelopmentSecrets {
  const file = join(dataDir, 'secrets.json');
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true });
    const made: DevelopmentSecrets = {
      ENCRYPTION_KEYS: newKey('dev-'),
      PASSWORD_PEPPERS: newKey('dev-'),
      COOKIE_KEYS: newKey('dev-'),
    };
    const mine = `${file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(mine, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
    try {
      // Linking fails when another process was faster: then its secrets hold.
      linkSync(mine, file);
    } catch (error) {
      if (!existsSync(file)) throw error;
    } finally {
      unlinkSync(mine);
    }
  }
  return read(file);
}

function read(file: string): DevelopmentSecrets {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as DevelopmentSecrets;
    for (const name of SECRET_SETTINGS) parseKeyRing(kept[name]);
    return kept;
  } catch {
    throw new SecretsUnreadable(file);
  }
}
