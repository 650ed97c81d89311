import { randomBytes } from 'node:crypto';

/**
 * The forms of password hash that we verify (PHC strings, bcrypt, passlib's PBKDF2) and the most that each may ask of
 * us: a poisoned row must not allocate gigabytes.
 */
const ARGON2 =
  /^\$argon2(id|i)\$v=19\$([mtp]=\d{1,7}(?:,[mtp]=\d{1,7}){2})\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{16,128}$/;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[A-Za-z0-9./]{53}$/;
const PBKDF2 =
  /^\$pbkdf2-(?:sha1|sha256|sha512)\$(?:i=)?(\d{1,8})(?:,l=\d{1,3})?\$[A-Za-z0-9+/._=-]{4,128}\$[A-Za-z0-9+/._=-]{22,128}$/;

export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  /** Argon2id, not the older Argon2i. */
  readonly isId: boolean;
}

/** The cost of an argon2 string, whichever order it names its parameters in; undefined for the other forms. */
export function argon2Cost(phc: string): Argon2Cost | undefined {
  const [, kind, parameters = ''] = ARGON2.exec(phc) ?? [];
  if (kind === undefined) return undefined;
  const values = new Map(parameters.split(',').map((each) => [each[0], Number(each.slice(2))]));
  const [memoryKib, passes, lanes] = [values.get('m'), values.get('t'), values.get('p')];
  if (memoryKib === undefined || passes === undefined || lanes === undefined) return undefined;
  return { memoryKib, passes, lanes, isId: kind === 'id' };
}

const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;

function isAffordable(hash: string): boolean | undefined {
  const cost = argon2Cost(hash);
  if (cost !== undefined) {
    return within(cost.memoryKib, 8, 262_144) && within(cost.passes, 1, 10) && within(cost.lanes, 1, 8);
  }
  const bcrypt = BCRYPT.exec(hash)?.[1];
  if (bcrypt !== undefined) return within(Number(bcrypt), 4, 14);
  const pbkdf2 = PBKDF2.exec(hash)?.[1];
  return pbkdf2 === undefined ? undefined : within(Number(pbkdf2), 1_000, 1_000_000);
}

/** What is wrong with a hash, or undefined when a login can verify it. Without the pepper mark of our own hashes. */
export function storedHashFault(hash: string): string | undefined {
  const affordable = isAffordable(hash);
  if (affordable === undefined) return 'is no argon2, bcrypt or PBKDF2 string';
  return affordable ? undefined : 'asks for more or less work than is safe';
}

const BCRYPT_SALT_AND_HASH = 53;
const random64 = (bytes: number): string => randomBytes(bytes).toString('base64').replace(/=+$/, '');

/** A hash of the same form and cost as this one, with a random salt, that no password has. */
export function randomLike(hash: string): string {
  if (BCRYPT.test(hash)) {
    // Its alphabet has '.' where base64 has '+', and its zero: the last characters of salt and hash hold spare bits.
    const [salt = '', rest = ''] = [random64(15), random64(24)].map((part) => part.replaceAll('+', '.'));
    return `${hash.slice(0, -BCRYPT_SALT_AND_HASH)}${salt}..${rest.slice(0, 30)}.`;
  }
  const parts = hash.split('$');
  const likewise = (part: string): string => random64(Math.floor((part.replace(/=+$/, '').length * 3) / 4));
  return [...parts.slice(0, -2), ...parts.slice(-2).map(likewise)].join('$');
}
