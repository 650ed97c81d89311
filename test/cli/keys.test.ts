import { jest } from '@jest/globals';
import { Command } from 'commander';
import { findByName, setPassword } from '#src/accounts/accounts.js';
import type { Nip } from '#src/accounts/nip.js';
import { createAudit } from '#src/audit/audit.js';
import { addKeysCommands } from '#src/cli/keys.js';
import type { RunWithServices } from '#src/cli/run.js';
import { createRecoveryCodeSets } from '#src/devices/recovery-code-sets.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { AccountId } from '#src/kernel/ids.js';
import { createKeyRotation } from '#src/oidc/keys/key-rotation.js';
import { loadSigningKeys } from '#src/oidc/keys/keys.js';
import { createPepperRetirement } from '#src/reset/pepper-retirement.js';
import { createHashQueue } from '#src/security/hash-queue.js';
import { parseKeyRing, type KeyRing } from '#src/security/key-ring.js';
import { createPasswords } from '#src/security/passwords.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { addAgencies, addPerson } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';

const key = (kid: string, fill: number): string => `${kid}:${Buffer.alloc(32, fill).toString('base64')}`;
const OLD = key('k-old', 1);
const NEW = key('k-new', 2);
const NIP = '198609262015051001' as Nip;

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let now: Date;
let production: boolean;
let encryptionKeys: KeyRing;
let passwordPeppers: KeyRing;
const clock = { now: () => now };
const audit = createAudit(clock);

interface Ran {
  readonly code: number | undefined;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Runs one command line; the exit code is what the work answered or commander refused with. */
async function sso(...argv: string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  let code: number | undefined;
  const box = createSealedBox(encryptionKeys);
  const services = {
    ...{ db, databaseUrl: db.url, clock, audit, box },
    config: { production, encryptionKeys, passwordPeppers },
    keyRotation: createKeyRotation({ db, box, clock, audit }),
    pepperRetirement: createPepperRetirement({ db, recoveryCodeSets: createRecoveryCodeSets(clock), audit, clock }),
  };
  const run: RunWithServices = async (work) => {
    code = await work(services as unknown as Parameters<typeof work>[0]);
  };
  const program = new Command('sso-asn').exitOverride((error) => {
    code = error.exitCode === 0 ? 0 : 2;
    throw error;
  });
  program.configureOutput({ writeErr: (text) => err.push(text), writeOut: (text) => out.push(text) });
  addKeysCommands(program, run);
  for (const command of program.commands[0]?.commands ?? []) command.copyInheritedSettings(program);
  program.commands[0]?.copyInheritedSettings(program);
  const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void out.push(...text.split('\n')));
  const error = jest.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text));
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (thrown) {
    if (code === undefined) throw thrown;
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
  return { code, out, err };
}

beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
});
afterAll(() => db.drop());
beforeEach(async () => {
  now = new Date('2026-11-28T01:00:00Z');
  production = true;
  encryptionKeys = parseKeyRing(`${OLD},${NEW}`);
  passwordPeppers = parseKeyRing(`${OLD},${NEW}`);
  await db.query('DELETE FROM signing_keys');
  await loadSigningKeys({ db, box: createSealedBox(encryptionKeys), clock, audit });
});

const kidOf = async (state: string): Promise<string> => {
  const { out } = await sso('keys', 'list');
  return out.find((line) => line.startsWith('ES256') && line.includes(state))?.split(/\s+/)[1] ?? '';
};

describe('signing keys', () => {
  it('are listed with what happens to them when', async () => {
    await sso('keys', 'rotate', '--alg', 'ES256');
    const { code, out } = await sso('keys', 'list');
    expect(code).toBe(0);
    expect(out[0]).toBe('Signing keys');
    expect(out[1]).toMatch(/^ALG +KID +STATE +WHAT HAPPENS +PRIVATE HALF$/);
    expect(out[2]).toMatch(/^ES256 +\S{43} +published +signs from 2026-11-29 08:00 WIB \(\S+Z\) +sealed$/);
    expect(out[3]).toMatch(/^ES256 +\S{43} +signing +until 2026-11-29 08:00 WIB \(\S+Z\) +sealed$/);
    expect(out[4]).toMatch(/^RS256 +\S{43} +signing +until another is made \(keys rotate\) +sealed$/);
    now = secondsAfter(now, 86_400);
    expect((await sso('keys', 'list')).out[3]).toMatch(/retired +verifies until 2026-12-06 08:00 WIB/);
    now = secondsAfter(now, 8 * 86_400);
    expect((await sso('keys', 'list')).out[3]).toMatch(/dropped +left the key set 2026-12-06 08:00 WIB/);
  });

  it('rotate all together, a day ahead unless told otherwise, and not twice', async () => {
    const { code, out } = await sso('keys', 'rotate');
    expect(code).toBe(0);
    expect(out).toHaveLength(4);
    expect(out[0]).toMatch(/^ES256 key \S+ is published and signs from 2026-11-29 08:00 WIB/);
    expect(out[1]).toMatch(/the present one then stays in the key set until 2026-12-06 08:00 WIB/);
    const again = await sso('keys', 'rotate', '--alg', 'RS256');
    expect([again.code, again.err.length]).toEqual([1, 1]);
    expect(again.err[0]).toBe(
      'a rotation of RS256 is under way, nothing was done: keys list says when the new key signs',
    );
  });

  it.each([
    [['--lead', '309'], /--lead 309 is too short.*keep the key set for 300 s.*at least 310/],
    [['--overlap', '44109'], /--overlap 44109 is too short.*at least 44110/],
  ])('%j is refused in production, and warned of elsewhere', async (options, line) => {
    const { code, err } = await sso('keys', 'rotate', ...options);
    expect(code).toBe(1);
    expect(err.join()).toMatch(line);
    production = false;
    const elsewhere = await sso('keys', 'rotate', ...options);
    expect(elsewhere.code).toBe(0);
    expect(elsewhere.err).toHaveLength(1);
    expect(elsewhere.err[0]).toMatch(new RegExp(`^warning: ${line.source}`));
  });

  it.each([
    ['--lead', 'soon'],
    ['--lead', '-1'],
    ['--lead', '99999999'],
    ['--alg', 'HS256'],
  ])('%s %s is wrong usage', async (option, value) => {
    expect((await sso('keys', 'rotate', option, value)).code).toBe(2);
  });

  it('are revoked at once, and what is felt outside is told', async () => {
    const signing = await kidOf('signing');
    const { code, out } = await sso('keys', 'revoke', signing);
    expect(code).toBe(0);
    expect(out[0]).toContain(`ES256 key ${signing} is revoked`);
    expect(out[1]).toMatch(/was made and signs from now on: nobody knows it yet/);
    expect(out.join()).toContain('sessions, refresh tokens and opaque access tokens go on');
    expect((await sso('keys', 'revoke', signing)).code).toBe(1);
    expect((await sso('keys', 'revoke')).code).toBe(2);
    await sso('keys', 'rotate', '--alg', 'ES256');
    const published = await sso('keys', 'revoke', await kidOf('published'));
    expect(published.out[1]).toBe('it did not sign: what relying parties get verifies as before');
    await sso('keys', 'rotate', '--alg', 'ES256');
    const next = await kidOf('published');
    expect((await sso('keys', 'revoke', await kidOf('signing'))).out[1]).toContain(`key ${next}, published before`);
  });
});

describe('encryption keys', () => {
  const section = async (title: string): Promise<string> => {
    const { out } = await sso('keys', 'list');
    const begin = out.indexOf(title);
    return out.slice(begin, !out.includes('', begin) ? undefined : out.indexOf('', begin)).join('\n');
  };

  it('are resealed, and the old one may go then', async () => {
    encryptionKeys = parseKeyRing(`${NEW},${OLD}`);
    expect(await section('ENCRYPTION_KEYS')).toMatch(/k-old +opens +needed by signing_keys: keys reseal/);
    const { code, out, err } = await sso('keys', 'reseal');
    expect([code, err]).toEqual([0, []]);
    expect(out).toEqual([
      'signing_keys: 2 values sealed with k-new',
      'everything is sealed with k-new: take k-old out of ENCRYPTION_KEYS and restart every process',
    ]);
    expect(await section('ENCRYPTION_KEYS')).toMatch(/k-old +opens +needed by no row: may be taken out/);
    const rows = await db.query("SELECT detail FROM audit_events WHERE type = 'key.resealed'");
    expect(rows).toEqual([{ detail: { kid: 'k-new', rows: 2 } }]);
    encryptionKeys = parseKeyRing(NEW);
    const alone = createSealedBox(encryptionKeys);
    expect((await loadSigningKeys({ db, box: alone, clock, audit })).keys).toHaveLength(2);
    expect((await sso('keys', 'reseal')).out).toEqual(['everything is sealed with k-new']);
  });

  it('tell what does not open', async () => {
    encryptionKeys = parseKeyRing(`${NEW},${OLD}`);
    await db.query("UPDATE signing_keys SET private_jwk = 'v1.k-old.' || repeat('A', 60) WHERE alg = 'ES256'");
    const { code, err } = await sso('keys', 'reseal');
    expect(code).toBe(1);
    expect(err[0]).toBe('signing_keys: 1 value does not open: changed, or sealed elsewhere');
  });
});

describe('peppers', () => {
  const passwordsOf = (ring: string) =>
    createPasswords({
      peppers: parseKeyRing(ring),
      queue: createHashQueue({ concurrency: 2, maxWaiting: 10, maxWaitMs: 20_000, retryAfterSeconds: () => 5 }),
    });

  let id: AccountId;
  beforeAll(async () => {
    id = await addPerson(db, NIP);
    await setPassword(db, {
      accountId: id,
      passwordHash: await passwordsOf(OLD).hash('Kuda Zebra 7'),
      now: new Date(),
    });
    const other = await addPerson(db, '198609262015051002');
    await setPassword(db, { accountId: other, passwordHash: await passwordsOf(NEW).hash('Kuda 7'), now: new Date() });
    await createRecoveryCodeSets({ now: () => new Date() }).replace(db, {
      accountId: id,
      salt: Buffer.alloc(16),
      pepperKid: 'k-old',
      hashes: [Buffer.alloc(32)],
    });
  });
  beforeEach(() => {
    passwordPeppers = parseKeyRing(`${NEW},${OLD}`);
  });

  it('are listed with what stands under them', async () => {
    const { out } = await sso('keys', 'list');
    expect(out.at(-2)).toMatch(/^k-new +hashes and verifies +1 password and 0 sets of recovery codes$/);
    expect(out.at(-1)).toMatch(/^k-old +verifies +1 password and 1 set of recovery codes +passwords move at the next/);
  });

  it('the first one stays', async () => {
    expect((await sso('keys', 'retire-pepper', 'k-new', '--confirm', '99')).code).toBe(1);
  });

  it('are retired after a confirmation that names how many, and their owners go by RESET', async () => {
    const asked = await sso('keys', 'retire-pepper', 'k-old');
    expect(asked.code).toBe(1);
    expect(asked.err[0]).toBe('1 password and 1 set of recovery codes stand under k-old; nothing was done');
    expect(asked.err[2]).toBe('to remove them: sso-asn keys retire-pepper k-old --confirm 2');
    expect((await sso('keys', 'retire-pepper', 'k-old', '--confirm', '1')).code).toBe(1);
    const [before] = await db.query('SELECT cred_epoch FROM accounts WHERE id = $1', [id]);

    const { code, out } = await sso('keys', 'retire-pepper', 'k-old', '--confirm', '2');
    expect([code, out]).toEqual([
      0,
      ['1 password and 1 set of recovery codes removed: take k-old out of PASSWORD_PEPPERS and restart every process'],
    ]);
    const account = await findByName(db, { kind: 'nip', value: NIP });
    expect(account).toMatchObject({ passwordDisabled: true });
    expect(account?.passwordHash).not.toContain('k-old');
    // No password has it any more, not even with the old pepper.
    expect(await passwordsOf(`${NEW},${OLD}`).verify(account?.passwordHash, 'Kuda Zebra 7')).toEqual({
      kind: 'mismatch',
    });
    expect(await createRecoveryCodeSets(clock).find(db, id)).toBeUndefined();
    // Sessions go on.
    expect(await db.query('SELECT cred_epoch FROM accounts WHERE id = $1', [id])).toEqual([before]);
    const events = await db.query(
      'SELECT type FROM audit_events WHERE account_id = $1 AND detail @> \'{"pepper": "k-old"}\' ORDER BY type',
      [id],
    );
    expect(events.map(({ type }) => type)).toEqual(['password.retired', 'recovery_codes.retired']);

    expect((await sso('keys', 'retire-pepper', 'k-old')).out).toEqual([
      'nothing stands under k-old: take it out of PASSWORD_PEPPERS and restart every process',
    ]);
    expect((await sso('keys', 'list')).out.at(-1)).toMatch(/needed by no row: may be taken out$/);
  });
});
