import {
  createAccount,
  findById,
  findByName,
  getById,
  isUsable,
  changeEmail,
  recordEmailProved,
  recordLogin,
  recordPasswordFailure,
  setPassword,
} from '#src/accounts/accounts.js';
import type { CanonicalName } from '#src/accounts/name.js';
import type { Nip } from '#src/accounts/nip.js';
import { accountId, agencyCode, type AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../support/test-database.js';
import { addAgencies, addPerson, NOW } from './people.js';

const later = new Date('2026-11-24T00:30:00Z');

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let sequence = 0;
const nextNip = (): string => `1986092620150510${String((sequence += 1)).padStart(2, '0')}`;

const byNip = (nip: string): CanonicalName => ({ kind: 'nip', value: nip as Nip });

async function activated(): Promise<AccountId> {
  const id = await addPerson(db, nextNip());
  await setPassword(db, { accountId: id, passwordHash: 'first', now: NOW });
  return id;
}

beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
});

afterAll(() => db.drop());

describe('finding', () => {
  it('reads a person without a password', async () => {
    const nip = nextNip();
    const id = await addPerson(db, nip, { accountName: 'galuh.permadi' });
    const expected = {
      id,
      nip,
      accountName: 'galuh.permadi',
      name: 'Nama Pegawai',
      email: 'pegawai@contoh.example',
      emailProved: false,
      employment: 'PNS',
      agency: { code: 'REGENCY', name: 'Instansi REGENCY' },
      agencyLineage: ['PROVINCE', 'REGENCY'],
      status: 'active',
      frozen: false,
      disabled: false,
      credEpoch: 0,
      activatedAt: undefined,
      lastLoginAt: undefined,
      passwordHash: undefined,
      passwordDisabled: false,
      passwordFailures: 0,
    };
    expect(await findByName(db, byNip(nip))).toEqual(expected);
    expect(await findByName(db, { kind: 'account_name', value: 'galuh.permadi' })).toEqual(expected);
    expect(await findById(db, id)).toEqual(expected);
    expect(await getById(db, id)).toEqual(expected);
  });

  it('knows nobody by an unknown name or id', async () => {
    expect(await findByName(db, byNip('199912312020011999'))).toBeUndefined();
    expect(await findByName(db, { kind: 'account_name', value: 'nobody' })).toBeUndefined();
    const unknown = accountId('00000000-0000-4000-8000-000000000000');
    expect(await findById(db, unknown)).toBeUndefined();
    await expect(getById(db, unknown)).rejects.toThrow('is gone');
  });

  it.each(['', '1', "' OR true --", '00000000-0000-4000-8000-00000000000', '\0'])(
    'knows nobody by the id %j',
    async (id) => {
      expect(await findById(db, accountId(id))).toBeUndefined();
    },
  );

  it('takes one statement', async () => {
    const statements: string[] = [];
    const counting = {
      query: (text: string, values?: readonly unknown[]) => {
        statements.push(text);
        return db.query(text, values);
      },
    };
    await findByName(counting, byNip('199912312020011999'));
    expect(statements).toHaveLength(1);
  });
});

describe('who may use an account', () => {
  it('is active and not frozen', async () => {
    const [active, inactive, frozen] = [
      await addPerson(db, nextNip()),
      await addPerson(db, nextNip(), { status: 'inactive' }),
      await addPerson(db, nextNip()),
    ];
    await db.query('UPDATE accounts SET frozen_at = $2 WHERE id = $1', [frozen, NOW]);
    expect(isUsable(await getById(db, active))).toBe(true);
    expect(isUsable(await getById(db, inactive))).toBe(false);
    expect(isUsable(await getById(db, frozen))).toBe(false);
  });
});

describe('adding', () => {
  it('refuses a second account for a NIP, an account name and a person', async () => {
    const nip = nextNip();
    await addPerson(db, nip, { accountName: 'once.only', personId: 'P-1' });
    const account = {
      nip: nextNip() as Nip,
      name: 'B',
      employment: 'PNS',
      agencyCode: agencyCode('OTHER'),
      status: 'active',
    } as const;
    for (const twice of [{ nip: nip as Nip }, { accountName: 'once.only' }, { personId: 'P-1' }]) {
      expect(await createAccount(db, { account: { ...account, ...twice }, now: NOW })).toEqual({ kind: 'known' });
    }
  });

  it.each([
    ['all digits', '123456'],
    ['digits that read as a NIP', '19860926.201505.1.999'],
    ['an upper-case letter', 'Galuh'],
    ['a space', 'ga luh'],
    ['two characters', 'ab'],
  ])('cannot store an account name with %s', async (_what, accountName) => {
    await expect(addPerson(db, nextNip(), { accountName })).rejects.toThrow('check constraint');
  });

  it.each([['19860926201505100'], ['19860926 01505100'], ['abcdefghijklmnopqr'], ['١٩٨٦٠٩٢٦٢٠١٥٠٥١٠٠١']])(
    'cannot store the NIP %j',
    async (nip) => {
      await expect(addPerson(db, nip)).rejects.toThrow('check constraint');
    },
  );
});

describe('a password', () => {
  it('activates the account once, raises its epoch every time and lifts what was disabled', async () => {
    const id = await addPerson(db, nextNip());
    expect(await setPassword(db, { accountId: id, passwordHash: 'first', now: NOW })).toBe(1);
    await db.query('UPDATE credentials SET failures = 100, disabled_at = $2 WHERE account_id = $1', [id, NOW]);
    expect((await getById(db, id)).passwordDisabled).toBe(true);
    expect(await setPassword(db, { accountId: id, passwordHash: 'second', now: later })).toBe(2);
    expect(await getById(db, id)).toMatchObject({
      passwordHash: 'second',
      passwordDisabled: false,
      passwordFailures: 0,
      credEpoch: 2,
      activatedAt: NOW,
    });
  });

  it('of nobody is a bug', async () => {
    const nobody = accountId('00000000-0000-4000-8000-000000000000');
    await expect(setPassword(db, { accountId: nobody, passwordHash: 'x', now: NOW })).rejects.toThrow('is gone');
  });

  it('is disabled by exactly the hundredth failure in a row, and says so once', async () => {
    const id = await activated();
    const told: number[] = [];
    for (let failure = 1; failure <= 101; failure += 1) {
      const { failures, disabled } = await recordPasswordFailure(db, id, NOW);
      expect(failures).toBe(failure);
      if (disabled) told.push(failure);
      if (failure === 99) expect((await getById(db, id)).passwordDisabled).toBe(false);
    }
    expect(told).toEqual([100]);
    expect((await getById(db, id)).passwordDisabled).toBe(true);
  });

  it('loses no failure to sixteen that race', async () => {
    const id = await activated();
    await Promise.all(Array.from({ length: 16 }, () => recordPasswordFailure(db, id, NOW)));
    expect((await getById(db, id)).passwordFailures).toBe(16);
  });

  it('that does not exist has no failures', async () => {
    const id = await addPerson(db, nextNip());
    expect(await recordPasswordFailure(db, id, NOW)).toEqual({ failures: 0, disabled: false });
  });
});

describe('a login', () => {
  it('forgets failures and remembers when, and leaves the epoch', async () => {
    const id = await activated();
    await recordPasswordFailure(db, id, NOW);
    await recordLogin(db, { accountId: id, now: later });
    expect(await getById(db, id)).toMatchObject({
      passwordFailures: 0,
      lastLoginAt: later,
      passwordHash: 'first',
      credEpoch: 1,
    });
  });

  it('tells of the one before; a right password alone is none yet', async () => {
    const id = await activated();
    await recordPasswordFailure(db, id, NOW);
    await recordLogin(db, { accountId: id, now: NOW, completed: false });
    expect(await getById(db, id)).toMatchObject({ passwordFailures: 0, lastLoginAt: undefined });
    expect(await recordLogin(db, { accountId: id, now: NOW })).toEqual({ lastAt: undefined });
    expect(await recordLogin(db, { accountId: id, now: later })).toEqual({ lastAt: NOW });
  });

  it('is none of an account that is frozen', async () => {
    const id = await activated();
    await db.query('UPDATE accounts SET frozen_at = $2 WHERE id = $1', [id, NOW]);
    expect(await recordLogin(db, { accountId: id, now: later })).toBeUndefined();
    expect((await getById(db, id)).lastLoginAt).toBeUndefined();
  });

  it('replaces the hash that was verified, and no other', async () => {
    const id = await activated();
    await recordLogin(db, { accountId: id, now: later, rehashed: { from: 'first', to: 'better' } });
    expect((await getById(db, id)).passwordHash).toBe('better');
    await setPassword(db, { accountId: id, passwordHash: 'changed meanwhile', now: later });
    await recordLogin(db, { accountId: id, now: later, rehashed: { from: 'better', to: 'old again' } });
    expect((await getById(db, id)).passwordHash).toBe('changed meanwhile');
  });
});

describe('the address on file', () => {
  it('is proved by whoever activated the account, until an import brings another and until that is proved', async () => {
    const proved = async (of: AccountId): Promise<boolean> => (await getById(db, of)).emailProved;
    expect(await proved(await addPerson(db, nextNip()))).toBe(false);
    const id = await activated();
    expect(await proved(id)).toBe(true);
    await db.query('UPDATE accounts SET email_unproved = true WHERE id = $1', [id]);
    expect(await proved(id)).toBe(false);
    await recordEmailProved(db, id);
    expect(await proved(id)).toBe(true);
  });

  it('changes for an account that may be used, and is proved then', async () => {
    const id = await activated();
    await db.query('UPDATE accounts SET email_unproved = true WHERE id = $1', [id]);
    expect(await changeEmail(db, { accountId: id, email: 'baru@contoh.example', now: later })).toBe(true);
    expect(await getById(db, id)).toMatchObject({ email: 'baru@contoh.example', emailProved: true });
    await db.query('UPDATE accounts SET frozen_at = $2 WHERE id = $1', [id, NOW]);
    expect(await changeEmail(db, { accountId: id, email: 'lagi@contoh.example', now: later })).toBe(false);
    expect((await getById(db, id)).email).toBe('baru@contoh.example');
  });
});
