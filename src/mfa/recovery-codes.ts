import { randomBytes } from 'node:crypto';
import type { AccountId } from '../kernel/ids.js';
import type { RecoveryCodeSets } from '../devices/recovery-code-sets.js';
import { CROCKFORD, randomText } from '../security/secrets.js';
import type { Passwords } from '../security/passwords.js';
import type { Queryable } from '../storage/database.js';

const COUNT = 10;
const GROUPS = 3;
const GROUP = 5;

/** Codes that were made but are not yet the account's. */
export interface PreparedCodes {
  /** `XXXXX-XXXXX-XXXXX`, 75 bits each; to be shown once. */
  readonly codes: readonly string[];
  readonly salt: Buffer;
  readonly pepperKid: string;
  readonly hashes: readonly Buffer[];
}

/** A typed code with the slow hash it needs, computed before any transaction begins. */
export interface TypedCode {
  readonly setId: string;
  readonly hash: Buffer;
}

export interface RecoveryCodes {
  /** Makes and hashes a new set (slow: ten hashes, each in the queue). Throws `Busy`. `from`: see {@link Passwords}. */
  prepare(from?: string): Promise<PreparedCodes>;
  /** Makes a prepared set the account's only one. */
  issue(tx: Queryable, accountId: AccountId, prepared: PreparedCodes): Promise<void>;
  /** Hashes what was typed; undefined when it has not the form of a code or the account has none. */
  read(db: Queryable, accountId: AccountId, typed: string, from?: string): Promise<TypedCode | undefined>;
  /**
   * Spends it once, if it is this account's: between the slow hash and the transaction somebody else may have come to
   * prove themselves in the same place. Answers how many are left; undefined when it is unknown, spent or another's.
   */
  redeem(tx: Queryable, accountId: AccountId, typed: TypedCode): Promise<number | undefined>;
}

/** Upper case, what people confuse set right, dashes and spaces gone; undefined unless it is 15 characters. */
function normalise(typed: string): string | undefined {
  if (typed.length > 100) return undefined;
  const code = typed.normalize('NFKC').toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return new RegExp(`^[${CROCKFORD}]{${GROUPS * GROUP}}$`).test(code) ? code : undefined;
}

/** Whether it has the form of a recovery code: no one-time code has, and anything less guesses nothing. */
export const isRecoveryCode = (typed: string): boolean => normalise(typed) !== undefined;

const write = (code: string): string => (code.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-');

export function createRecoveryCodes({
  passwords,
  sets,
}: {
  passwords: Passwords;
  sets: RecoveryCodeSets;
}): RecoveryCodes {
  return {
    async prepare(from) {
      const salt = randomBytes(16);
      const plain = Array.from({ length: COUNT }, () => randomText(GROUPS * GROUP, CROCKFORD));
      const hashes: Buffer[] = [];
      let pepperKid: string | undefined;
      for (const code of plain) {
        const stretched = await passwords.stretch(code, {
          salt,
          ...(pepperKid === undefined ? {} : { pepperKid }),
          ...(from === undefined ? {} : { from }),
        });
        if (stretched === undefined) throw new Error('the pepper vanished while codes were made');
        pepperKid = stretched.pepperKid;
        hashes.push(stretched.hash);
      }
      return { codes: plain.map(write), salt, pepperKid: pepperKid ?? '', hashes };
    },
    issue: (tx, accountId, { salt, pepperKid, hashes }) => sets.replace(tx, { accountId, salt, pepperKid, hashes }),
    async read(db, accountId, typed, from) {
      const code = normalise(typed);
      if (code === undefined) return undefined;
      const set = await sets.find(db, accountId);
      if (set === undefined) return undefined;
      const stretched = await passwords.stretch(code, { ...set, ...(from === undefined ? {} : { from }) });
      return stretched === undefined ? undefined : { setId: set.id, hash: stretched.hash };
    },
    redeem: (tx, accountId, typed) => sets.spend(tx, { accountId, ...typed }),
  };
}
