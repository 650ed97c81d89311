import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { hash as argon2OfTheProgram } from '@node-rs/argon2';
import { hash as bcryptHash } from '@node-rs/bcrypt';
import argon2 from 'argon2';
import { createHashQueue } from '#src/security/hash-queue.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createPasswords, type Passwords } from '#src/security/passwords.js';

const key = (kid: string): string => `${kid}:${randomBytes(32).toString('base64')}`;
const [p1, p2] = [key('p1'), key('p2')];
const open = (peppers: string): Passwords =>
  createPasswords({
    peppers: parseKeyRing(peppers),
    queue: createHashQueue({ concurrency: 2, maxWaiting: 200, maxWaitMs: 20_000, retryAfterSeconds: () => 5 }),
  });
const passwords = open(p1);

const PASSWORD = 'Sandi-Contoh 2026 ✓';
const MISMATCH = { kind: 'mismatch' };
const IMPORTED = { kind: 'match', outdated: true };

/** What the stored hash is made of, told here a second time: HMAC-SHA-256 of the NFKC form, in base64. */
function peppered(pepper: string, password: string): string {
  const bytes = Buffer.from(pepper.split(':')[1] ?? '', 'base64');
  return createHmac('sha256', bytes).update(password.normalize('NFKC')).digest('base64');
}
const withoutPepper = (stored: string): string => stored.replace(/^\$pepper=\w+/, '');

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
const median = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

describe('our own hashes (R-38, R-39)', () => {
  it('are Argon2id of 19 MiB, two passes, 16 bytes of salt, 32 of hash, under a named pepper', async () => {
    const stored = await passwords.hash(PASSWORD);
    expect(stored).toMatch(/^\$pepper=p1\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.hash(PASSWORD)).not.toBe(stored);
  });

  it('match their password and nothing near it', async () => {
    const stored = await passwords.hash(PASSWORD);
    expect(await passwords.verify(stored, PASSWORD)).toEqual({ kind: 'match', outdated: false });
    for (const other of [
      '',
      ` ${PASSWORD}`,
      `${PASSWORD} `,
      PASSWORD.toLowerCase(),
      PASSWORD.slice(0, -1),
      `${PASSWORD}\0`,
    ]) {
      expect(await passwords.verify(stored, other)).toEqual(MISMATCH);
    }
  });

  it('are verified by another implementation, and we verify what it made', async () => {
    const ours = withoutPepper(await passwords.hash(PASSWORD));
    expect(await argon2.verify(ours, peppered(p1, PASSWORD))).toBe(true);
    expect(await argon2.verify(ours, PASSWORD)).toBe(false);

    const theirs = await argon2.hash(peppered(p1, PASSWORD), { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    expect(await passwords.verify(`$pepper=p1${theirs}`, PASSWORD)).toEqual({ kind: 'match', outdated: false });
  });

  it.each([
    ['composed and decomposed letters', 'R\u00e9suma-2026-kuat', 'Re\u0301suma-2026-kuat'],
    ['wide letters', '\uff33\uff41ndi-2026-kuat', 'Sandi-2026-kuat'],
    ['a ligature', 'Di\ufb01kasi-2026-kuat', 'Difikasi-2026-kuat'],
  ])('are equal for %s (NFKC)', async (_, typed, again) => {
    expect(await passwords.verify(await passwords.hash(typed), again)).toMatchObject({ kind: 'match' });
  });

  it('tell every code point from every other to the very end, far beyond 72 bytes', async () => {
    const long = '秘'.repeat(127);
    const stored = await passwords.hash(`${long}A`);
    expect(await passwords.verify(stored, `${long}A`)).toMatchObject({ kind: 'match' });
    expect(await passwords.verify(stored, `${long}B`)).toEqual(MISMATCH);
  });

  it('hold without their pepper no password: the database alone is worth nothing (R-15, A32)', async () => {
    const stored = await passwords.hash(PASSWORD);
    expect(await open(p2).verify(stored, PASSWORD)).toEqual(MISMATCH);
    expect(await open(key('p1')).verify(stored, PASSWORD)).toEqual(MISMATCH);
    expect(await passwords.verify(withoutPepper(stored), PASSWORD)).toEqual(MISMATCH);
  });

  it('live through a rotation of the pepper, and are to be made anew then', async () => {
    const stored = await passwords.hash(PASSWORD);
    const rotated = open(`${p2},${p1}`);
    expect(await rotated.verify(stored, PASSWORD)).toEqual(IMPORTED);
    const renewed = await rotated.hash(PASSWORD);
    expect(renewed).toMatch(/^\$pepper=p2\$/);
    expect(await rotated.verify(renewed, PASSWORD)).toEqual({ kind: 'match', outdated: false });
  });

  const weaker: readonly (readonly [string, argon2.HashOptions])[] = [
    ['memory', { memoryCost: 8_192, timeCost: 2, parallelism: 1 }],
    ['passes', { memoryCost: 19_456, timeCost: 1, parallelism: 1 }],
    ['kind', { memoryCost: 19_456, timeCost: 2, parallelism: 1, type: argon2.argon2i }],
  ];
  it.each(weaker)('are outdated when their %s is', async (_, options) => {
    const stored = await argon2.hash(peppered(p1, PASSWORD), options);
    expect(await passwords.verify(`$pepper=p1${stored}`, PASSWORD)).toEqual(IMPORTED);
  });

  it('are not outdated when they ask for more than we do', async () => {
    const stronger = await argon2.hash(peppered(p1, PASSWORD), { memoryCost: 32_768, timeCost: 3, parallelism: 2 });
    expect(await passwords.verify(`$pepper=p1${stronger}`, PASSWORD)).toEqual({ kind: 'match', outdated: false });
  });
});

const salt = randomBytes(16);
const passlib = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '.').replace(/=+$/, '');
const plain = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

describe('imported hashes', () => {
  const made: readonly (readonly [string, () => Promise<string> | string])[] = [
    ['argon2id', () => argon2.hash(PASSWORD, { memoryCost: 8_192, timeCost: 3, parallelism: 2 })],
    ['argon2i', () => argon2.hash(PASSWORD, { type: argon2.argon2i, memoryCost: 8_192, timeCost: 3, parallelism: 1 })],
    ['argon2id, parameters as m,t,p', () => argon2OfTheProgram(PASSWORD, { memoryCost: 8_192, timeCost: 3 })],
    ['bcrypt $2b$', () => bcryptHash(PASSWORD, 5)],
    ['bcrypt $2y$', async () => (await bcryptHash(PASSWORD, 5)).replace('$2b$', '$2y$')],
    ['bcrypt $2a$', async () => (await bcryptHash(PASSWORD, 5)).replace('$2b$', '$2a$')],
    ...(['sha1', 'sha256', 'sha512'] as const).flatMap((hash): (readonly [string, () => string])[] => {
      const length = createHash(hash).digest().length;
      const derived = pbkdf2Sync(PASSWORD.normalize('NFKC'), salt, 2_000, length, hash);
      return [
        [`PBKDF2-${hash} as PHC`, () => `$pbkdf2-${hash}$i=2000,l=${length}$${plain(salt)}$${plain(derived)}`],
        [`PBKDF2-${hash} as PHC, short`, () => `$pbkdf2-${hash}$i=2000$${plain(salt)}$${plain(derived)}`],
        [`PBKDF2-${hash} of passlib`, () => `$pbkdf2-${hash}$2000$${passlib(salt)}$${passlib(derived)}`],
      ];
    }),
  ];

  it.each(made)('%s: matches, to be made anew; another password does not', async (_, make) => {
    const stored = await make();
    expect(await passwords.verify(stored, PASSWORD)).toEqual(IMPORTED);
    expect(await passwords.verify(stored, `${PASSWORD}.`)).toEqual(MISMATCH);
  });

  it('agrees with a hash of passlib itself, and with one of bcrypt', async () => {
    // passlib.hash.pbkdf2_sha256.using(rounds=29000).hash('password'), from passlib's documentation.
    const fromPasslib = '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44';
    expect(await passwords.verify(fromPasslib, 'password')).toEqual(IMPORTED);
    // jBCrypt's test vectors.
    expect(await passwords.verify('$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe', 'a')).toEqual(
      IMPORTED,
    );
  });
});

describe('hashes that nobody should trust (R-38, F-29)', () => {
  const [s, h] = ['c29tZXNhbHRzb21lc2FsdA', 'A'.repeat(43)];
  const poisoned: readonly (readonly [string, string])[] = [
    ['4 GiB of memory', `$argon2id$v=19$m=4194304,t=1,p=1$${s}$${h}`],
    ['4 GiB of memory, as ours', `$pepper=p1$argon2id$v=19$m=4194304,t=1,p=1$${s}$${h}`],
    ['a number beyond numbers', `$argon2id$v=19$m=${'9'.repeat(400)},t=1,p=1$${s}$${h}`],
    ['a million passes', `$argon2id$v=19$m=8,t=1000000,p=1$${s}$${h}`],
    ['255 lanes', `$argon2id$v=19$m=65536,t=1,p=255$${s}$${h}`],
    ['a billion iterations', `$pbkdf2-sha256$1000000000$${s}$${h}`],
    ['a megabyte of output', `$pbkdf2-sha256$1000000$${s}$${'A'.repeat(1_400_000)}`],
    ['bcrypt cost 31', `$2b$31$${'a'.repeat(53)}`],
  ];
  const broken: readonly (readonly [string, string])[] = [
    ['an empty string', ''],
    ['plain text', PASSWORD],
    ['no memory', `$argon2id$v=19$m=0,t=1,p=1$${s}$${h}`],
    ['no passes', `$argon2id$v=19$m=19456,t=0,p=1$${s}$${h}`],
    ['another version', `$argon2id$v=16$m=19456,t=2,p=1$${s}$${h}`],
    ['memory told twice', `$argon2id$v=19$m=4194304,m=8,t=1,p=1$${s}$${h}`],
    ['memory told twice, passes never', `$argon2id$v=19$m=4194304,m=8,p=1$${s}$${h}`],
    ['no salt', `$argon2id$v=19$m=19456,t=2,p=1$$${h}`],
    ['no hash', `$argon2id$v=19$m=19456,t=2,p=1$${s}`],
    ['bits that no base64 has', `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(21)}B$${h}`],
    ['what is no base64', `$argon2id$v=19$m=19456,t=2,p=1$!!!$???`],
    ['a pepper alone', '$pepper=p1$'],
    ['a pepper before bcrypt', `$pepper=p1$2b$05$${'a'.repeat(53)}`],
    ['bcrypt cut short', '$2b$10$abc'],
    ['bcrypt of other letters', `$2b$10$${'!'.repeat(53)}`],
    ['PBKDF2 without iterations', `$pbkdf2-sha256$0$${s}$${h}`],
    ['PBKDF2 with an empty hash', `$pbkdf2-sha256$1000$${s}$`],
    ['PBKDF2 with a hash of four bytes', `$pbkdf2-sha256$1000$${s}$AAAAAA`],
    ['PBKDF2 of MD5', `$pbkdf2-md5$1000$${s}$${h}`],
  ];

  it.each([...poisoned, ...broken])('refuses %s at once, without an error', async (_, stored) => {
    const memory = process.memoryUsage().rss;
    let verdict: unknown;
    const spent = await milliseconds(async () => {
      verdict = await passwords.verify(stored, PASSWORD);
    });
    expect(verdict).toEqual(MISMATCH);
    expect(spent).toBeLessThan(500);
    expect(process.memoryUsage().rss - memory).toBeLessThan(100 * 2 ** 20);
  });
});

describe('nobody there (R-19, A3)', () => {
  it('is a mismatch for every password, the empty one too', async () => {
    for (const password of [PASSWORD, '', '\0', '\u0000 no such password']) {
      expect(await passwords.verify(undefined, password)).toEqual(MISMATCH);
    }
  });

  it('costs as much as a wrong password, from the first time on', async () => {
    const stored = await passwords.hash(PASSWORD);
    const fresh = open(p1);
    const [unknown, wrong]: [number[], number[]] = [[], []];
    for (let round = 0; round < 15; round += 1) {
      unknown.push(await milliseconds(() => fresh.verify(undefined, 'wrong')));
      wrong.push(await milliseconds(() => fresh.verify(stored, 'wrong')));
    }
    const ratio = median(unknown) / median(wrong);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});

describe('slow hashes of short secrets (ASVS V6.5.2)', () => {
  it('are what Argon2id gives under the pepper and the salt', async () => {
    const stretched = await passwords.stretch('7K3QM9XD2R', { salt });
    const raw = await argon2.hash(peppered(p1, '7K3QM9XD2R'), {
      raw: true,
      salt,
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
      hashLength: 32,
    });
    expect(stretched).toEqual({ pepperKid: 'p1', hash: Buffer.from(raw) });
  });

  it('stay under the pepper they were made with, and are nothing without it', async () => {
    const first = await passwords.stretch('7K3QM9XD2R', { salt });
    const rotated = open(`${p2},${p1}`);
    expect(await rotated.stretch('7K3QM9XD2R', { salt, pepperKid: 'p1' })).toEqual(first);
    expect((await rotated.stretch('7K3QM9XD2R', { salt }))?.pepperKid).toBe('p2');
    expect(await open(p2).stretch('7K3QM9XD2R', { salt, pepperKid: 'p1' })).toBeUndefined();
  });
});

it('every hash takes its turn in the queue (R-25)', async () => {
  const full = createPasswords({
    peppers: parseKeyRing(p1),
    queue: createHashQueue({ concurrency: 1, maxWaiting: 0, maxWaitMs: 1_000, retryAfterSeconds: () => 9 }),
  });
  const first = full.hash(PASSWORD);
  const busy = { name: 'Busy', retryAfterSeconds: 9 };
  await expect(full.hash(PASSWORD)).rejects.toMatchObject(busy);
  await expect(full.verify(undefined, PASSWORD)).rejects.toMatchObject(busy);
  await expect(full.stretch('x', { salt })).rejects.toMatchObject(busy);
  await expect(first).resolves.toContain('$argon2id$');
});
