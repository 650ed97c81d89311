import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { hash as argon2Hash } from '@node-rs/argon2';
import { hash as bcryptHash } from '@node-rs/bcrypt';
import { setPassword } from '#src/accounts/accounts.js';
import { createPasswordCheck } from '#src/accounts/password-check.js';
import { createAudit } from '#src/audit/audit.js';
import { sampleHashForms } from '#src/accounts/hash-forms-store.js';
import { createDecoyHashes } from '#src/security/decoy-hashes.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { createHashQueue } from '#src/security/hash-queue.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createPasswords } from '#src/security/passwords.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { storedHashFault } from '#src/security/stored-hash.js';
import type { Database } from '#src/storage/database.js';
import { openInProcess } from '#src/storage/in-process.js';
import { addressGuard } from '#src/throttle/address-guard.js';
import { createKnownBrowsers } from '#src/throttle/known-browsers.js';
import { addAgencies, addPerson, NOW } from '../accounts/people.js';
import { accountMailWith } from '../support/account-mail.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

/** An unknown name costs what a known one may cost, whatever hashes were imported (R-19, A3). */
let db: Database & TestDatabase;
const passwords = createPasswords({
  peppers: parseKeyRing(`p1:${randomBytes(32).toString('base64')}`),
  queue: createHashQueue({ concurrency: 2, maxWaiting: 200, maxWaitMs: 20_000, retryAfterSeconds: () => 5 }),
});
const open = () =>
  createDecoyHashes({ keyed: createKeyedDigest(Buffer.alloc(32, 7)), sample: () => sampleHashForms(db) });

const PASSWORD = 'Sandi-Contoh 2026';
const pbkdf2Of = (rounds: number, bytes: number): string => {
  const [salt, part] = [randomBytes(16), (value: Buffer) => value.toString('base64').replace(/=+$/, '')];
  const hash = pbkdf2Sync(PASSWORD, salt, rounds, bytes, 'sha256');
  return `$pbkdf2-sha256$i=${rounds},l=${bytes}$${part(salt)}$${part(hash)}`;
};
const STORED = {
  ours: await passwords.hash(PASSWORD),
  bcrypt: await bcryptHash(PASSWORD, 10),
  pbkdf2: pbkdf2Of(27_500, 64),
  argon2: await argon2Hash(PASSWORD, { memoryCost: 8192, timeCost: 3 }),
};
const COUNTS = { ours: 40, bcrypt: 40, pbkdf2: 100, argon2: 20 };
const PEOPLE = 200;

const NAMES = Array.from({ length: 2000 }, (_, index) => `name ${index}`);
/** Without salt and hash. */
const formOf = (hash: string | undefined): string =>
  hash === undefined ? 'ours' : hash.startsWith('$2') ? 'bcrypt' : (/^\$(pbkdf2|argon2)/.exec(hash)?.[1] ?? hash);

beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
  let numbered = 0;
  for (const [form, count] of Object.entries(COUNTS)) {
    for (let index = 0; index < count; index += 1) {
      numbered += 1;
      const accountId = await addPerson(db, `198004012010011${String(numbered).padStart(3, '0')}`);
      await setPassword(db, { accountId, passwordHash: STORED[form as keyof typeof STORED], now: NOW });
    }
  }
});
afterAll(async () => {
  await db.close();
  await db.drop();
});

it('are our own until they are told of others', () => {
  expect(open().of('somebody')).toBeUndefined();
});

it('have the forms of the stored hashes, in their shares', async () => {
  const decoys = open();
  await decoys.refresh();
  for (const [form, count] of Object.entries(COUNTS)) {
    const share = NAMES.filter((name) => formOf(decoys.of(name)) === form).length / NAMES.length;
    expect({ form, share: Math.abs(share - count / PEOPLE) < 0.04 }).toEqual({ form, share: true });
  }
});

it('keep their form with their name, in every process and with fresh salts', async () => {
  const [one, other] = [open(), open()];
  await one.refresh();
  await other.refresh();
  for (const name of NAMES.slice(0, 200)) expect(formOf(one.of(name))).toBe(formOf(other.of(name)));
  const imported = NAMES.filter((name) => one.of(name) !== undefined).slice(0, 50);
  expect(new Set(imported.map((name) => one.of(name))).size).toBe(imported.length);
  expect(one.of(imported[0] ?? '')).not.toBe(one.of(imported[0] ?? ''));
});

it('are hashes like those they stand for, which no password has', async () => {
  const decoys = open();
  await decoys.refresh();
  for (const name of NAMES.slice(0, 40)) {
    const decoy = decoys.of(name);
    const stored = STORED[formOf(decoy) as keyof typeof STORED];
    if (decoy !== undefined) {
      expect(storedHashFault(decoy)).toBeUndefined();
      expect(decoy).toHaveLength(stored.length);
      expect(decoy.slice(0, 7)).toBe(stored.slice(0, 7));
    }
    expect(await passwords.verify(decoy, PASSWORD)).toEqual({ kind: 'mismatch' });
  }
});

it('stand for a hash of the same form where it may not be compared with: of who is frozen', () => {
  const decoys = open();
  for (const [form, stored] of Object.entries(STORED)) {
    expect(formOf(decoys.of('somebody', stored))).toBe(form);
    expect(decoys.of('somebody', stored)).not.toBe(stored);
  }
});

it('cost what a wrong password costs against such a hash', async () => {
  const decoys = open();
  await decoys.refresh();
  const took = async (hash: string | undefined): Promise<number> => {
    const began = performance.now();
    await passwords.verify(hash, 'wrong');
    return performance.now() - began;
  };
  for (const form of ['bcrypt', 'pbkdf2', 'argon2'] as const) {
    const name = NAMES.find((each) => formOf(decoys.of(each)) === form) ?? '';
    const [known, unknown]: [number[], number[]] = [[], []];
    for (let round = 0; round < 9; round += 1) {
      known.push(await took(STORED[form]));
      unknown.push(await took(decoys.of(name)));
    }
    const median = (all: number[]): number => all.toSorted((a, b) => a - b)[4] ?? 0;
    const ratio = median(unknown) / median(known);
    expect({ form, alike: ratio > 0.6 && ratio < 1.7 ? true : ratio }).toEqual({ form, alike: true });
  }
});

it('go over to ours, and never back, as logins replace the imported ones', async () => {
  const decoys = open();
  await decoys.refresh();
  const before = NAMES.filter((name) => decoys.of(name) === undefined);
  await db.query(`UPDATE credentials SET password_hash = $1 WHERE password_hash LIKE '$argon2%' OR random() < 0.4`, [
    STORED.ours,
  ]);
  await decoys.refresh();
  const after = new Set(NAMES.filter((name) => decoys.of(name) === undefined));
  expect(after.size).toBeGreaterThan(before.length);
  for (const name of before) expect(after.has(name)).toBe(true);
  await db.query('UPDATE credentials SET password_hash = $1', [STORED.ours]);
  await decoys.refresh();
  expect(NAMES.filter((name) => decoys.of(name) !== undefined)).toEqual([]);
});

it('are what the login compares an unknown name with', async () => {
  await db.query('UPDATE credentials SET password_hash = $1', [STORED.bcrypt]);
  const [clock, keyed] = [{ now: () => NOW }, createKeyedDigest(randomBytes(32))];
  const decoys = createDecoyHashes({ keyed, sample: () => sampleHashForms(db) });
  await decoys.refresh();
  const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
  const check = createPasswordCheck({
    ...{ db, passwords, decoys, keyed, clock },
    addresses: addressGuard({ keyValue: openInProcess(clock), clock }),
    knownBrowsers: createKnownBrowsers(keyed),
    accountMail: accountMailWith({ box, clock }),
    audit: createAudit(clock),
  });
  const took = async (username: string, index: number): Promise<number> => {
    const visitor = {
      browserId: 'browser',
      address: `10.0.0.${index}`,
      knownBrowser: undefined,
      agent: { browser: '', system: '' },
      locale: 'id' as const,
      requestId: 'request',
    };
    const began = performance.now();
    expect(await check.check({ username, password: 'wrong' }, visitor)).toEqual({ kind: 'refused' });
    return performance.now() - began;
  };
  const [known, unknown]: [number[], number[]] = [[], []];
  for (let index = 1; index <= 9; index += 1) {
    known.push(await took(`19800401201001100${index}`, index));
    unknown.push(await took(`19700401201001100${index}`, index));
  }
  const median = (all: number[]): number => all.toSorted((a, b) => a - b)[4] ?? 0;
  const ratio = median(unknown) / median(known);
  expect({ alike: ratio > 0.6 && ratio < 1.7 ? true : ratio }).toEqual({ alike: true });
});
