import { createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hash as argon2Hash, hashRaw, verify as argon2Verify } from '@node-rs/argon2';
import { verify as bcryptVerify } from '@node-rs/bcrypt';
import type { HashQueue } from './hash-queue.js';
import type { KeyRing } from './key-ring.js';
import { argon2Cost, storedHashFault } from './stored-hash.js';

/** OWASP's floor for Argon2id, see ADR 0009: 19 MiB, two passes, one lane. */
const ARGON2ID = 2;
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

export type Verdict = { readonly kind: 'match'; readonly outdated: boolean } | { readonly kind: 'mismatch' };

/** `from`, in all of them, names who asks: see {@link HashQueue}. */
export interface Passwords {
  /** `$pepper=<kid>$argon2id$v=19$m=...` of the NFKC form. Throws `Busy` when the queue is full. */
  hash(password: string, from?: string): Promise<string>;
  /**
   * Compares with a stored hash: ours, or an imported argon2, bcrypt or PBKDF2 string. Without one it spends the
   * same work on a decoy and answers mismatch, so that unknown and wrong cost the same (R-19, A3).
   */
  verify(stored: string | undefined, password: string, from?: string): Promise<Verdict>;
  /**
   * One slow keyed hash of a short secret under a salt: recovery codes (ASVS V6.5.2). Under the pepper named, or
   * the current one. Undefined when that pepper is gone.
   */
  stretch(secret: string, under: { salt: Buffer; pepperKid?: string; from?: string }): Promise<Stretched | undefined>;
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

const derive = promisify(pbkdf2);
/** `$pbkdf2-sha256$i=27500,l=32$salt$hash` (PHC) and `$pbkdf2-sha256$29000$salt$hash` (passlib). */
const PBKDF2 = /^\$pbkdf2-(sha1|sha256|sha512)\$(?:i=)?(\d+)(?:,l=\d+)?\$([A-Za-z0-9+/.=_-]+)\$([A-Za-z0-9+/.=_-]+)$/;
/** passlib writes '.' where base64 has '+'. */
const unbase64 = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64');

async function verifyImported(phc: string, password: string): Promise<boolean> {
  if (phc.startsWith('$2')) return bcryptVerify(password, phc);
  const found = PBKDF2.exec(phc);
  if (found === null) return false;
  const expected = unbase64(found[4] ?? '');
  const salt = unbase64(found[3] ?? '');
  const actual = await derive(password, salt, Number(found[2]), expected.length, found[1] ?? 'sha256');
  return timingSafeEqual(actual, expected);
}

/** A hash of ours that no password has: what an unknown name costs (A3), and what stands where one was removed. */
export function makeDecoy(): string {
  const part = (bytes: number): string => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  const { memoryCost, timeCost, parallelism, outputLen } = PARAMETERS;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${part(16)}$${part(outputLen)}`;
}

/** A stored hash that the library refuses to read matches nothing, and its owner resets the password. */
const falseWhenBroken = (verified: Promise<boolean>): Promise<boolean> => verified.catch(() => false);

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
    const pepper = pepperKid === undefined ? undefined : peppers.find(pepperKid);
    // A pepper that is gone, or a hash that asks for what we do not give.
    if ((pepperKid !== undefined && pepper === undefined) || storedHashFault(phc) !== undefined) {
      return { kind: 'mismatch' };
    }
    const cost = argon2Cost(phc);
    if (cost === undefined) {
      const same = await falseWhenBroken(verifyImported(phc, normal(password)));
      return same ? { kind: 'match', outdated: true } : { kind: 'mismatch' };
    }
    const secret = pepper === undefined ? normal(password) : peppered(pepper.bytes, password);
    if (!(await falseWhenBroken(argon2Verify(phc, secret)))) return { kind: 'mismatch' };
    const outdated =
      pepper?.kid !== peppers.current.kid ||
      !cost.isId ||
      cost.memoryKib < PARAMETERS.memoryCost ||
      cost.passes < PARAMETERS.timeCost;
    return { kind: 'match', outdated };
  }

  return {
    hash: (password, from) =>
      queue.run(async () => {
        const { kid, bytes } = peppers.current;
        return `$pepper=${kid}${await argon2Hash(peppered(bytes, password), PARAMETERS)}`;
      }, from),
    verify: (stored, password, from) => queue.run(() => compare(stored, password), from),
    stretch: (secret, { salt, pepperKid, from }) =>
      queue.run(async () => {
        const pepper = pepperKid === undefined ? peppers.current : peppers.find(pepperKid);
        if (pepper === undefined) return undefined;
        return { pepperKid: pepper.kid, hash: await hashRaw(peppered(pepper.bytes, secret), { ...PARAMETERS, salt }) };
      }, from),
  };
}
