import { findByName, recordLogin, setPassword } from '#src/accounts/accounts.js';
import { checkNip, type Nip } from '#src/accounts/nip.js';
import { unmetRules } from '#src/accounts/password-policy.js';
import { rolesOf } from '#src/accounts/roles.js';
import { DEMO_PEOPLE, loadDemoPeople } from '#src/demo/people.js';
import { createHashQueue } from '#src/security/hash-queue.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createPasswords } from '#src/security/passwords.js';
import { NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';

const queue = createHashQueue({ concurrency: 2, maxWaiting: 100, maxWaitMs: 10_000, retryAfterSeconds: () => 5 });
const passwords = createPasswords({ peppers: parseKeyRing(`p1:${Buffer.alloc(32, 7).toString('base64')}`), queue });
const clock = { now: () => NOW };

let db: Awaited<ReturnType<typeof openTestDatabase>>;

beforeAll(async () => {
  db = await openTestDatabase();
  await loadDemoPeople({ db, passwords, clock });
});

afterAll(() => db.drop());

const stored = async (nip: string) => {
  const account = await findByName(db, { kind: 'nip', value: nip as Nip });
  if (account === undefined) throw new Error('the demo person is missing');
  return account;
};

it.each(DEMO_PEOPLE.map((person) => [person.shows, person] as const))(
  'has the person who is: %s',
  async (_shows, person) => {
    const form = person.employment === 'PNS' || person.employment === 'CPNS' ? 'PNS' : 'PPPK';
    expect(checkNip(person.nip, form).kind).toBe('nip');
    const account = await stored(person.nip);
    expect(account.name).toBe(person.name);
    expect(account.status).toBe(person.inactive === true ? 'inactive' : 'active');
    expect(account.activatedAt === undefined).toBe(person.password === undefined);
    if (person.password !== undefined) {
      expect(await passwords.verify(account.passwordHash, person.password)).toEqual({ kind: 'match', outdated: false });
      expect(unmetRules(person.password, account).length > 0).toBe(person.shows.includes('no longer meets'));
    }
    expect((await rolesOf(db, account.id)).map(({ role }) => role)).toEqual(
      person.role === undefined ? [] : [person.role.role],
    );
  },
);

it('covers every kind of employment and every role, with addresses that reach nobody', () => {
  expect(new Set(DEMO_PEOPLE.map(({ employment }) => employment)).size).toBe(4);
  expect(new Set(DEMO_PEOPLE.flatMap(({ role }) => role?.role ?? [])).size).toBe(4);
  for (const { email } of DEMO_PEOPLE) expect(email ?? '.example').toMatch(/\.example$/);
});

it('is loaded once: what has become of the people since then stays', async () => {
  const [first] = DEMO_PEOPLE;
  const { id } = await stored(first?.nip ?? '');
  await setPassword(db, { accountId: id, passwordHash: 'chosen since', now: NOW });
  await recordLogin(db, { accountId: id, now: NOW });
  const everything = () =>
    Promise.all(
      ['agencies', 'accounts', 'credentials', 'role_grants'].map((table) =>
        db.query(`SELECT t::text FROM ${table} t ORDER BY t::text`),
      ),
    );
  const before = await everything();
  await loadDemoPeople({ db, passwords, clock });
  expect(await everything()).toEqual(before);
});
