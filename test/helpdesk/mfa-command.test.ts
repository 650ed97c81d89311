import { jest } from '@jest/globals';
import { Command, CommanderError } from 'commander';
import { addMfaCommands } from '#src/cli/mfa.js';
import type { RunWithServices } from '#src/cli/run.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addOfficer, addPerson, plantAgencies } from './people.js';
import { auditOf, epochOf, resetParts, type ResetParts } from './reset-parts.js';

let db: Database & TestDatabase;
let parts: ResetParts;
let stdout: string[];
let stderr: string[];
beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
  await plantAgencies(db);
});
afterAll(() => db.drop());
beforeEach(() => {
  stdout = [];
  stderr = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => void stdout.push(line));
  jest.spyOn(console, 'error').mockImplementation((line: string) => void stderr.push(line));
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the shell would see. */
async function mfa(...args: string[]): Promise<number> {
  let exitCode = 0;
  const run: RunWithServices = async (work) => {
    exitCode = await work(parts as unknown as Parameters<typeof work>[0]);
  };
  const program = new Command().exitOverride().configureOutput({
    writeErr: (text) => void stderr.push(text.trim()),
    outputError: (text, write) => {
      write(text);
    },
  });
  addMfaCommands(program, run);
  try {
    await program.parseAsync(['mfa', ...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    exitCode = error.exitCode;
  }
  return exitCode;
}

const nipOf = async (id: AccountId): Promise<string> => {
  const [row] = await db.query('SELECT nip FROM accounts WHERE id = $1', [id]);
  return row?.nip as string;
};

describe('sso-asn mfa reset', () => {
  it.each([
    ['as it is', (nip: string) => nip],
    [
      'as people group it',
      (nip: string) => `${nip.slice(0, 8)} ${nip.slice(8, 14)} ${nip.slice(14, 15)} ${nip.slice(15)}`,
    ],
  ])('resets, whoever it is, by NIP %s', async (_, written) => {
    const person = await addOfficer(db, 'operator');
    const nip = await nipOf(person);
    expect(await mfa('reset', '--nip', written(nip), '--reason', 'Ponsel hilang')).toBe(0);
    expect(await epochOf(db, person)).toBe(1);
    expect(stdout).toEqual(['done, 0 authenticator(s) ended']);
    expect(stderr).toEqual([]);
    expect(await auditOf(db, 'mfa_reset.done')).toContainEqual(
      expect.objectContaining({ account_id: person, actor_id: null }),
    );
  });

  it('says when nobody could be told', async () => {
    const person = await addPerson(db, { email: '' });
    expect(await mfa('reset', '--nip', await nipOf(person), '--reason', 'Ponsel hilang')).toBe(0);
    expect(stdout.at(-1)).toMatch(/no e-mail address is on file/);
  });

  it.each([
    ['a NIP that nobody has', '199001012023219999', 'no account has this NIP'],
    ['what is no NIP', '1990', 'a NIP has 18 digits'],
    ['an account name', 'siti.aminah', 'a NIP has 18 digits'],
  ])('refuses %s with one line', async (_, nip, line) => {
    expect(await mfa('reset', '--nip', nip, '--reason', 'Ponsel hilang')).toBe(1);
    expect([stdout, stderr]).toEqual([[], [line]]);
  });

  it.each([
    ['a reason that says nothing', ['--reason', '  x ']],
    ['a reason beyond 500 characters', ['--reason', 'x'.repeat(501)]],
  ])('is wrong usage with %s', async (_, reason) => {
    const person = await addPerson(db);
    expect(await mfa('reset', '--nip', await nipOf(person), ...reason)).toBe(2);
    expect(stderr).toEqual(['--reason takes 3 to 500 characters']);
    expect(await epochOf(db, person)).toBe(0);
  });

  it.each([[['--nip', '199001012023211001']], [['--reason', 'Ponsel hilang']]])('needs both options', async (given) => {
    expect(await mfa('reset', ...given)).not.toBe(0);
    expect(stderr.join()).toMatch(/required option/);
  });
});
