import { createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hash as argon2Hash, hashRaw, verify as argon2Verify } from '@node-rs/argon2';
import { verify as bcryptVerify } from '@node-rs/bcrypt';
import type { HashQueue } from './hash-queue.js';
import type { KeyRing } from './key-ring.js';

/** OWASP's floor for Argon2id, see ADR 0009: 19 MiB, two passes, one lane. */
const ARGON2ID = 2;
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
/** What a stored hash may ask of us at most: a poisoned row must not allocate gigabytes. */
const CAPS = { memoryKib: 262_144, passes: 10, lanes: 8, pbkdf2Iterations: 1_000_000, pbkdf2Bytes: 64, bcryptCost: 14 };

export type Verdict = { readonly kind: 'match'; readonly outdated: boolean } | { readonly kind: 'mismatch' };

export interface Passwords {
  /** `$pepper=<kid>$argon2id$v=19$m=...` of the NFKC form. Throws `Busy` when the queue is full. */
  hash(password: string): Promise<string>;
  /**
   * Compares with a stored hash: ours, or an imported argon2, bcrypt or PBKDF2 string. Without one it spends the
   * same work on a decoy and answers mismatch, so that unknown and wrong cost the same (R-19, A3).
   */
  verify(stored: string | undefined, password: string): Promise<Verdict>;
  /**
   * One slow keyed hash of a short secret under a salt: recovery codes (ASVS V6.5.2). Under the pepper named, or
   * the current one. Undefined when that pepper is gone.
   */
  stretch(secret: string, under: { salt: Buffer; pepperKid?: string }): Promise<Stretched | undefined>;
}

export interface Stretched {
  readonly pepperKid: string;
  readonly hash: Buffer;
}

interface Stored {
  readonly pepperKid: string | undefined;
  readonly phc: string;
}

function split(stored: string): Stored {
  const ours = /^\$pepper=([A-Za-z0-9_-]{1,32})(\$.*)$/s.exec(stored);
  return ours === null ? { pepperKid: undefined, phc: stored } : { pepperKid: ours[1], phc: ours[2] ?? '' };
}

const number = (text: string | undefined): number => (text === undefined ? Number.POSITIVE_INFINITY : Number(text));

/** The parameters of an argon2 string, or undefined when it is malformed or beyond the caps. */
function argon2Parameters(phc: string): { memoryKib: number; passes: number; lanes: number; id: boolean } | undefined {
  const found = /^\$argon2(id|i|d)\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(phc);
  if (found === null) return undefined;
  const [memoryKib, passes, lanes] = [number(found[2]), number(found[3]), number(found[4])];
  if (memoryKib > CAPS.memoryKib || passes > CAPS.passes || lanes > CAPS.lanes) return undefined;
  return { memoryKib, passes, lanes, id: found[1] === 'id' };
}

const derive = promisify(pbkdf2);
/** `$pbkdf2-sha256$i=27500,l=32$salt$hash` (PHC) and `$pbkdf2-sha256$29000$salt$hash` (passlib). */
const PBKDF2 = /^\$pbkdf2-(sha1|sha256|sha512)\$(?:i=)?(\d+)(?:,l=\d+)?\$([A-Za-z0-9+/.=_-]+)\$([A-Za-z0-9+/.=_-]+)$/;
/** passlib writes '.' where base64 has '+'. */
const unbase64 = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64');

async function verifyImported(phc: string, password: string): Promise<boolean> {
  const bcrypt = /^\$2[aby]\$(\d\d)\$/.exec(phc);
  if (bcrypt !== null)
    return number(bcrypt[1]) <= CAPS.bcryptCost && (await falseWhenBroken(bcryptVerify(password, phc)));
  const found = PBKDF2.exec(phc);
  if (found === null) return false;
  const iterations = number(found[2]);
  if (iterations < 1 || iterations > CAPS.pbkdf2Iterations) return false;
  const expected = unbase64(found[4] ?? '');
  // Each block of output costs all iterations again.
  if (expected.length < 16 || expected.length > CAPS.pbkdf2Bytes) return false;
  const actual = await derive(password, unbase64(found[3] ?? ''), iterations, expected.length, found[1] ?? 'sha256');
  return timingSafeEqual(actual, expected);
}

const unpadded = (bytes: number): string => randomBytes(bytes).toString('base64').replace(/=+$/, '');

/** Looks like a hash of ours and was made of no password. */
function makeDecoy(): string {
  const { memoryCost, timeCost, parallelism, outputLen } = PARAMETERS;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${unpadded(16)}$${unpadded(outputLen)}`;
}

/** The libraries throw at a string they cannot read: a broken row refuses its own account and nobody else (F-29). */
const falseWhenBroken = (comparison: Promise<boolean>): Promise<boolean> => comparison.catch(() => false);

/** Makes the password hasher; every hash takes its turn in the queue. */
export function createPasswords({ peppers, queue }: { peppers: KeyRing; queue: HashQueue }): Passwords {
  const decoy = makeDecoy();
  const normal = (password: string): string => password.normalize('NFKC');
  const peppered = (key: Buffer, password: string): Buffer =>
    Buffer.from(createHmac('sha256', key).update(normal(password)).digest('base64'));

  async function compare(stored: string | undefined, password: string): Promise<Verdict> {
    if (stored === undefined) {
      await argon2Verify(decoy, peppered(peppers.current.bytes, password));
      return { kind: 'mismatch' };
    }
    const { pepperKid, phc } = split(stored);
    const parameters = argon2Parameters(phc);
    if (pepperKid === undefined && parameters === undefined) {
      const same = await verifyImported(phc, normal(password));
      return same ? { kind: 'match', outdated: true } : { kind: 'mismatch' };
    }
    const pepper = pepperKid === undefined ? undefined : peppers.find(pepperKid);
    if (parameters === undefined || (pepperKid !== undefined && pepper === undefined)) return { kind: 'mismatch' };
    const secret = pepper === undefined ? normal(password) : peppered(pepper.bytes, password);
    if (!(await falseWhenBroken(argon2Verify(phc, secret)))) return { kind: 'mismatch' };
    const outdated =
      pepper?.kid !== peppers.current.kid ||
      !parameters.id ||
      parameters.memoryKib < PARAMETERS.memoryCost ||
      parameters.passes < PARAMETERS.timeCost;
    return { kind: 'match', outdated };
  }

  return {
    hash: (password) =>
      queue.run(async () => {
        const { kid, bytes } = peppers.current;
        return `$pepper=${kid}${await argon2Hash(peppered(bytes, password), PARAMETERS)}`;
      }),
    verify: (stored, password) => queue.run(() => compare(stored, password)),
    stretch: (secret, { salt, pepperKid }) =>
      queue.run(async () => {
        const pepper = pepperKid === undefined ? peppers.current : peppers.find(pepperKid);
        if (pepper === undefined) return undefined;
        return { pepperKid: pepper.kid, hash: await hashRaw(peppered(pepper.bytes, secret), { ...PARAMETERS, salt }) };
      }),
  };
}
