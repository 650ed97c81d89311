import type { Queryable } from './database.js';

interface Place {
  readonly table: string;
  /** The key id of a row, or what holds it. */
  readonly key: string;
  readonly where: string;
}

/** Where rows are sealed with ENCRYPTION_KEYS. */
const SEALED: readonly Place[] = [
  { table: 'devices', key: `split_part(secret, '.', 2)`, where: 'secret IS NOT NULL' },
  { table: 'signing_keys', key: `split_part(private_jwk, '.', 2)`, where: 'true' },
  { table: 'digest_keys', key: `split_part(sealed, '.', 2)`, where: 'true' },
  { table: 'unsaved_recovery_codes', key: `split_part(codes, '.', 2)`, where: 'true' },
  { table: 'outbox', key: `split_part(payload, '.', 2)`, where: 'payload IS NOT NULL' },
  { table: 'account_notices', key: `split_part(notice, '.', 2)`, where: 'true' },
  { table: 'disavowals', key: `split_part(address, '.', 2)`, where: 'true' },
  { table: 'contact_changes', key: `split_part(address, '.', 2)`, where: 'true' },
];

/** Where secrets are peppered with PASSWORD_PEPPERS. */
const PEPPERED: readonly Place[] = [
  { table: 'credentials', key: `split_part(password_hash, '$', 2)`, where: `password_hash LIKE '$pepper=%'` },
  { table: 'recovery_code_sets', key: 'pepper_kid', where: 'ended_at IS NULL' },
];

/** The different keys of one table: one step in its index for each, however many rows there are. */
async function keysOf(db: Queryable, { table, key, where }: Place): Promise<string[]> {
  const rows = await db.query(
    `WITH RECURSIVE used AS (
       (SELECT ${key} AS kid FROM ${table} WHERE ${where} ORDER BY 1 LIMIT 1)
       UNION ALL
       SELECT (SELECT ${key} FROM ${table} WHERE ${where} AND ${key} > used.kid ORDER BY 1 LIMIT 1)
         FROM used WHERE used.kid IS NOT NULL)
     SELECT kid FROM used WHERE kid IS NOT NULL`,
  );
  return rows.map((row) => row.kid as string);
}

export interface KeysInUse {
  readonly encryption: ReadonlySet<string>;
  readonly peppers: ReadonlySet<string>;
}

/** Key ids that rows in the database need. */
export async function findKeysInUse(db: Queryable): Promise<KeysInUse> {
  const sealed: string[] = [];
  for (const place of SEALED) sealed.push(...(await keysOf(db, place)));
  const peppered: string[] = [];
  for (const place of PEPPERED) peppered.push(...(await keysOf(db, place)));
  return {
    encryption: new Set(sealed),
    peppers: new Set(peppered.map((kid) => kid.replace(/^pepper=/, ''))),
  };
}
