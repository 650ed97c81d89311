import { randomUUID } from 'node:crypto';
import { setPassword } from '#src/accounts/accounts.js';
import type { Services } from '#src/container.js';
import { secretContext } from '#src/devices/device.js';
import { attemptId, deviceId, type AccountId } from '#src/kernel/ids.js';
import { newSecret } from '#src/mfa/totp.js';
import { addPerson } from '../accounts/people.js';
import { totp } from './totp.js';

/** Good for everybody: meets every rule. */
export const PASSWORD = 'Kuda Zebra 7 lari-lari';

/** One of many, with what they know and have. */
export interface Employee {
  readonly id: AccountId;
  readonly nip: string;
  readonly email: string;
  /** The key in their authenticator; none before they enrol. */
  secret: string | undefined;
  /** The last time step they used. */
  lastStep: number;
}

export interface NewEmployees {
  readonly count: number;
  /** `new` never activated; `password` has {@link PASSWORD}; `enrolled` an authenticator too. */
  readonly state: 'new' | 'password' | 'enrolled';
}

const AT_ONCE = 8;

let numbered = 0;

/** Eighteen digits as the civil service writes them, no two alike. */
function nextNip(): string {
  numbered += 1;
  const serial = String(1 + (numbered % 900)).padStart(3, '0');
  const day = String(1 + (Math.floor(numbered / 900) % 28)).padStart(2, '0');
  return `198004${day}2010011${serial}`;
}

/** Adds people in the state asked for, as the program itself would have written them. */
export async function addEmployees(services: Services, { count, state }: NewEmployees): Promise<Employee[]> {
  const { db, passwords, devices, box } = services;
  // One hash for all of them: slow hashes are not what is tested here.
  const passwordHash = state === 'new' ? undefined : await passwords.hash(PASSWORD);

  const add = async (): Promise<Employee> => {
    const nip = nextNip();
    const email = `pegawai${nip.slice(-3)}${nip.slice(6, 8)}@contoh.example`;
    const secret = state === 'enrolled' ? newSecret() : undefined;
    const id = await db.transaction(async (tx) => {
      const accountId = await addPerson(tx, nip, { email });
      if (passwordHash !== undefined) await setPassword(tx, { accountId, passwordHash, now: new Date() });
      if (secret !== undefined) {
        const device = deviceId(randomUUID());
        const sealedSecret = box.seal(secret, secretContext(device));
        await devices.addPending(tx, { id: device, accountId, attempt: attemptId(randomUUID()), sealedSecret });
        await devices.confirm(tx, { device, name: 'Ponsel', step: 1 });
      }
      return accountId;
    });
    return { id, nip, email, secret, lastStep: 0 };
  };
  // A few at a time: hundreds at once would wait too long for a connection on a busy machine.
  const added: Employee[] = [];
  while (added.length < count) {
    added.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - added.length) }, add))));
  }
  return added;
}

const stepNow = (): number => Math.floor(Date.now() / 30_000);

/** Whether the person's authenticator shows a code that was not used yet. */
export const hasFreshOtp = ({ secret, lastStep }: Employee): boolean => secret !== undefined && lastStep < stepNow();

/** What the person's authenticator shows now; remembered as used. */
export function otpOf(employee: Employee): string {
  if (employee.secret === undefined) throw new Error('this person has no authenticator');
  employee.lastStep = stepNow();
  return totp(employee.secret, new Date());
}

/** Gives somebody recovery codes, as their enrolment would have. */
export async function giveRecoveryCodes(
  { db, recoveryCodes }: Pick<Services, 'db' | 'recoveryCodes'>,
  { id }: Pick<Employee, 'id'>,
): Promise<readonly string[]> {
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, id, prepared));
  return prepared.codes;
}
