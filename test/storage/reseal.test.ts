import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SEALED_MESSAGE } from '#src/outbox/outbox.js';
import { SEALED_PLACES } from '#src/sealed-places.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { findKeysInUse } from '#src/storage/keys-in-use.js';
import { reseal } from '#src/storage/reseal.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

// what is sealed under an old encryption key is sealed anew, beside those who go on working.

const key = (kid: string, fill: number): string => `${kid}:${Buffer.alloc(32, fill).toString('base64')}`;
const OLD = key('k-old', 1);
const NEW = key('k-new', 2);
const before = createSealedBox(parseKeyRing(`${OLD},${NEW}`));
const turned = createSealedBox(parseKeyRing(`${NEW},${OLD}`));
const after = createSealedBox(parseKeyRing(NEW));

let db: Database & TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());

const run = (kid = 'k-new') => reseal({ db, box: turned, kid, places: SEALED_PLACES });
const total = (all: readonly { rows: number }[]): number => all.reduce((sum, { rows }) => sum + rows, 0);
const inUse = async (): Promise<readonly string[]> => [...(await findKeysInUse(db, SEALED_PLACES)).encryption.keys()];

/** How a row of each table is made, besides what is sealed: by column. */
const REST: Readonly<Record<string, () => Record<string, unknown>>> = {
  digest_keys: () => ({ purpose: randomUUID() }),
  signing_keys: () => ({
    kid: randomUUID(),
    alg: randomUUID(),
    public_jwk: '{}',
    created_at: new Date(),
    signing_from: new Date(),
    overlap_seconds: 1,
  }),
  outbox: () => ({
    id: randomUUID(),
    kind: 'x',
    created_at: new Date(),
    next_attempt_at: new Date(),
    account_id: null,
  }),
  account_notices: () => ({
    id: randomUUID(),
    account_id: randomUUID(),
    happened_at: new Date(),
    due_at: new Date(),
  }),
  disavowals: () => ({ token: randomBytes(32), account_id: randomUUID(), events: '[]', expires_at: new Date() }),
};
const filled = SEALED_PLACES.filter(({ table }) => REST[table] !== undefined);
const OUTBOX = SEALED_MESSAGE;

/** A row whose sealed value says which it is; its context is the place's own. */
async function add({ table, column, row }: (typeof SEALED_PLACES)[0], box = before): Promise<void> {
  const place = SEALED_PLACES.find((each) => each.table === table);
  const rest = REST[table]?.() ?? {};
  const named = Object.values(rest)[0];
  const context = place?.context(Buffer.isBuffer(named) ? named.toString('hex') : String(named)) ?? '';
  const all = { ...rest, [column]: box.seal(`secret of ${table}`, context) };
  const names = Object.keys(all);
  const places = names.map((_, index) => `$${index + 1}`);
  await db.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`, Object.values(all));
  expect(row).toHaveLength(1);
}

/** Opens everything with the new key alone. */
async function openAll(): Promise<number> {
  let opened = 0;
  for (const { table, column, row, context } of filled) {
    const rows = await db.query(
      `SELECT ${column} AS value, (${row[0] ?? ''})::text AS row FROM ${table} WHERE ${column} IS NOT NULL`,
    );
    for (const found of rows) {
      expect(after.open(found.value as string, context(found.row as string)).toString()).toBe(`secret of ${table}`);
      opened += 1;
    }
  }
  return opened;
}

beforeEach(async () => {
  for (const { table } of filled) await db.query(`DELETE FROM ${table}`);
});

describe('resealing', () => {
  it('leaves nothing under the old key, of every table, once', async () => {
    for (const place of filled) for (let n = 0; n < 3; n += 1) await add(place);
    await add(OUTBOX, after);
    expect((await inUse()).toSorted()).toEqual(['k-new', 'k-old']);
    const all = await run();
    expect(total(all)).toBe(3 * filled.length);
    expect(all.every(({ broken }) => broken === 0)).toBe(true);
    expect(await inUse()).toEqual(['k-new']);
    expect(await openAll()).toBe(3 * filled.length + 1);
    expect(total(await run())).toBe(0);
  });

  it('of two at once seals each value once, and many rows', async () => {
    const MANY = 3_000;
    const rows = Array.from({ length: MANY }, () => randomUUID());
    const values = rows.map((id) => before.seal('secret of outbox', OUTBOX.context(id)));
    await db.query(
      `INSERT INTO outbox (id, kind, payload, created_at, next_attempt_at)
       SELECT id, 'x', payload, now(), now() FROM unnest($1::uuid[], $2::text[]) AS given (id, payload)`,
      [rows, values],
    );
    const both = await Promise.all([run(), run()]);
    expect(both.reduce((sum, all) => sum + total(all), 0)).toBe(MANY);
    expect(await openAll()).toBe(MANY);
  });

  it('waits for nobody, and comes back for what was held', async () => {
    await add(OUTBOX);
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isHeld = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    const holder = db.transaction(async (tx) => {
      await tx.query('UPDATE outbox SET attempts = attempts + 1');
      isHeld();
      await until;
    });
    await held;
    expect(total(await run())).toBe(0);
    expect(await inUse()).toEqual(['k-old']);
    release();
    await holder;
    expect(total(await run())).toBe(1);
  });

  it('does not write over what changed after it was read', async () => {
    await add(OUTBOX);
    const [row] = await db.query('SELECT id FROM outbox');
    const other = before.seal('changed meanwhile', OUTBOX.context(String(row?.id)));
    let changed = false;
    // Between reading and writing.
    const slow: Pick<Database, 'query'> = {
      query: async (text, values) => {
        if (text.includes('SKIP LOCKED') && !changed) {
          changed = true;
          await db.query('UPDATE outbox SET payload = $1', [other]);
        }
        return db.query(text, values);
      },
    };
    await reseal({ db: slow, box: turned, kid: 'k-new', places: [OUTBOX] });
    const [now] = await db.query('SELECT payload FROM outbox');
    expect(after.open(String(now?.payload), OUTBOX.context(String(row?.id))).toString()).toBe('changed meanwhile');
  });

  it('names what does not open and goes on', async () => {
    for (const place of filled) await add(place);
    await db.query("UPDATE outbox SET payload = 'v1.k-old.' || repeat('A', 60)");
    const all = await run();
    expect(all.filter(({ broken }) => broken > 0)).toEqual([{ table: 'outbox', rows: 0, broken: 1 }]);
    expect(total(all)).toBe(filled.length - 1);
  });
});

describe('every sealed column is known', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));

  it('and is a column', async () => {
    for (const { table, column, row } of SEALED_PLACES) {
      await db.query(`SELECT ${column}, ${row.join(', ')} FROM ${table} LIMIT 0`);
    }
    expect(new Set(SEALED_PLACES.map(({ table }) => table)).size).toBe(SEALED_PLACES.length);
  });

  it('wherever the source seals', async () => {
    const files = (await readdir(join(root, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'));
    const texts = await Promise.all(
      files.map(async (file) => ({ file, text: await readFile(join(root, 'src', file), 'utf8') })),
    );
    const sealing = texts.filter(({ text }) => text.includes('.seal(')).map(({ file }) => file);
    /** Who seals for a table, and who seals what nobody keeps. */
    const known: Readonly<Record<string, string>> = {
      'account/contact/contact-change.ts': 'contact_changes',
      'account/recovery-codes/renewal.ts': 'unsaved_recovery_codes',
      'accounts/account-mail.ts': 'account_notices',
      'accounts/disavowals.ts': 'disavowals',
      'helpdesk/acts/particulars.ts': 'officer_acts',
      'helpdesk/api/cursor.ts': 'none: it goes out and comes back',
      'mfa/enrolment.ts': 'devices',
      'mfa/presence.ts': 'presence_codes',
      'oidc/keys/signing-key.ts': 'signing_keys',
      'outbox/outbox.ts': 'outbox',
      'security/digest-key-store.ts': 'digest_keys',
      'sign-in/first-enrolment.ts': 'sign_in_attempts',
      'storage/reseal.ts': 'all of them',
    };
    expect(sealing.toSorted()).toEqual(Object.keys(known));
    const tables = Object.values(known).filter((table) => /^[a-z_]+$/.test(table));
    expect(SEALED_PLACES.map(({ table }) => table).toSorted()).toEqual(tables.toSorted());
  });

  it('wherever the schema says so: a name or the comment above it', async () => {
    const folder = join(root, 'migrations');
    const said: string[] = [];
    for (const file of (await readdir(folder)).toSorted()) {
      let table = '';
      let comment = '';
      for (const line of (await readFile(join(folder, file), 'utf8')).split('\n')) {
        table = /(?:CREATE (?:UNLOGGED )?|ALTER )TABLE (\w+)/.exec(line)?.[1] ?? table;
        const column = /^\s+(?:ADD COLUMN )?(\w+)\s+text\b/.exec(line)?.[1];
        const isSealed = /\bsealed\b/i.test(comment) || column?.includes('sealed') === true;
        if (column !== undefined && isSealed) said.push(`${table}.${column}`);
        comment = line.trim().startsWith('--') ? `${comment} ${line}` : '';
      }
    }
    const places = SEALED_PLACES.map(({ table, column }) => `${table}.${column}`);
    expect(said.length).toBeGreaterThanOrEqual(8);
    expect(said.filter((column) => !places.includes(column))).toEqual([]);
  });
});
