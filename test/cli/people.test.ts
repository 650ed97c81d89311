import { Command } from 'commander';
import { findByName } from '#src/accounts/accounts.js';
import type { Nip } from '#src/accounts/nip.js';
import { createDisavowals } from '#src/accounts/disavowals.js';
import type { EndSessions } from '#src/accounts/end-sessions.js';
import { createFreezing } from '#src/accounts/freezing.js';
import { createAudit } from '#src/audit/audit.js';
import { addAccountsCommands } from '#src/cli/accounts.js';
import { addAgenciesCommands } from '#src/cli/agencies.js';
import { addRolesCommands } from '#src/cli/roles.js';
import type { RunWithServices } from '#src/cli/run.js';
import { createFeedEffects } from '#src/provisioning/feed-effects.js';
import type { VerifyFeedSignature } from '#src/provisioning/feed-signature.js';
import { createPersonnelFeed } from '#src/provisioning/personnel-feed.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { addAgencies, addPerson, NOW } from '../accounts/people.js';
import { Files } from '../provisioning/files.js';
import { accountMailWith } from '../support/account-mail.js';
import { endSessions as realEndSessions } from '../support/end-sessions.js';
import { forgetHolderWith } from '../support/forget-holder.js';
import { openTestDatabase } from '../support/test-database.js';

const NIP = '198609262015051001';
const OTHER = '198609262015051002';
const HEADER = 'nip,name,email,employment,agency_code,status\n';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;
let ended: string[];
/** Whose slips, codes and new addresses were ended. */
let stopped: string[] = [];
let verify: VerifyFeedSignature | undefined;

interface Ran {
  readonly code: number | undefined;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Runs one command line; the exit code is what the work answered or commander refused with. */
async function sso(...argv: string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  let code: number | undefined;
  const clock = { now: () => NOW };
  const endSessions = {
    ofAccounts: (_tx: unknown, ids: readonly string[]) => Promise.resolve(void ended.push(...ids)),
  };
  const box = createSealedBox(parseKeyRing(`k1:${Buffer.alloc(32, 7).toString('base64')}`));
  const audit = createAudit(clock);
  const effects = createFeedEffects({
    ...{ audit, clock, underWay: [], accountMail: accountMailWith({ box, clock }) },
    forgetHolder: forgetHolderWith({ box, clock }),
    endSessions: endSessions as unknown as EndSessions,
  });
  const limit = { percent: 1, atLeast: 2 };
  const services = {
    db,
    databaseUrl: db.url,
    clock,
    audit,
    underWay: [(_tx: unknown, id: string) => Promise.resolve(void stopped.push(id))],
    personnelFeed: createPersonnelFeed({ db, databaseUrl: db.url, limit, verify, effects, audit, clock }),
    freezing: createFreezing({
      ...{ db, audit, clock, underWay: [], endSessions: realEndSessions },
      disavowals: createDisavowals({ box, clock, origin: 'https://sso.contoh.test' }),
      accountMail: accountMailWith({ box, clock }),
    }),
  };
  const run: RunWithServices = async (work) => {
    code = await work(services as unknown as Parameters<typeof work>[0]);
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => err.push(text) });
  addAccountsCommands(program, run);
  addAgenciesCommands(program, run);
  addRolesCommands(program, run);
  const { log, error } = console;
  Object.assign(console, { log: (line: string) => out.push(line), error: (line: string) => err.push(line) });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (refusal) {
    // As the program does: whatever commander refuses is wrong usage.
    code = (refusal as { exitCode?: number }).exitCode === undefined ? undefined : 2;
  } finally {
    Object.assign(console, { log, error });
  }
  return { code, out, err };
}

const events = async (): Promise<unknown[]> =>
  (await db.query('SELECT type, account_id, agency_code, detail FROM audit_events ORDER BY id')).map((row) => row);

beforeAll(async () => {
  db = await openTestDatabase();
});

beforeEach(async () => {
  files = new Files();
  ended = [];
  verify = undefined;
  await db.query('TRUNCATE agencies, accounts, audit_events, helpdesk_cases, feed_runs CASCADE');
  await addAgencies(db);
});

afterEach(() => {
  files.remove();
});

afterAll(() => db.drop());

describe('accounts import', () => {
  it('counts what it did', async () => {
    const file = files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,active\n`);
    expect(await sso('accounts', 'import', file)).toEqual({
      code: 0,
      out: ['created 1, updated 0, unchanged 0, skipped 0'],
      err: [],
    });
  });

  it('tells of skipped rows where it was asked to, and exits with 1', async () => {
    const file = files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,active\nx,Siti,,PNS,REGENCY,active\n`);
    const other = files.path('other.csv');
    expect(await sso('accounts', 'import', file, '--errors', other)).toEqual({
      code: 1,
      out: ['created 1, updated 0, unchanged 0, skipped 1'],
      err: [`1 row was skipped, see ${other}`],
    });
    expect(files.problems('other.csv')).toEqual(['3,nip,is not 18 digits']);
    await sso('accounts', 'import', file);
    expect(files.problems('a.csv.errors.csv')).toEqual(['3,nip,is not 18 digits']);
  });

  it('changes nothing in a dry run', async () => {
    const file = files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,active\n`);
    const { out } = await sso('accounts', 'import', file, '--dry-run');
    expect(out).toEqual(['dry run, nothing changed: created 1, updated 0, unchanged 0, skipped 0']);
    expect(await findByName(db, { kind: 'nip', value: NIP as Nip })).toBeUndefined();
  });

  it('says in one line why a file cannot be used', async () => {
    expect(await sso('accounts', 'import', files.write('a.csv', 'nip\n'))).toMatchObject({
      code: 1,
      out: [],
      err: [expect.stringContaining('missing: name, email, employment, agency_code, status')],
    });
    expect(await sso('accounts', 'import', '/nowhere.csv')).toMatchObject({
      code: 1,
      err: ['nothing imported: there is no file /nowhere.csv'],
    });
  });

  it('ends what people who left have open, and records it', async () => {
    const id = await addPerson(db, NIP);
    await sso('accounts', 'import', files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,inactive\n`));
    expect(ended).toEqual([id]);
    expect(await events()).toMatchObject([
      { type: 'account.imported_inactive', account_id: id },
      { type: 'feed.applied', account_id: null, detail: { mode: 'delta', left: 1 } },
    ]);
  });

  it('tells what joined, moved and left, and takes missing people of a full file for leavers', async () => {
    await sso(
      'accounts',
      'import',
      files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,active\n${OTHER},Budi,,PNS,REGENCY,active\n`),
    );
    const file = files.write('b.csv', `${HEADER}${NIP},Siti,,PNS,OTHER,active\n`);
    expect(await sso('accounts', 'import', file, '--mode', 'full')).toEqual({
      code: 0,
      out: [
        'created 0, updated 1, unchanged 0, skipped 0',
        'joined 0, moved 1, left 1 (1 not in the file), returned 0, new NIP 0, new e-mail 0',
        'moved from REGENCY to OTHER: 1',
      ],
      err: [],
    });
  });

  it('refuses a file that makes too many inactive, unless the number is agreed to', async () => {
    const row = (at: number, status: string): string => `19860926201505100${at},Nama,,PNS,REGENCY,${status}\n`;
    const rows = (status: string): string => HEADER + [1, 2, 3].map((at) => row(at, status)).join('');
    await sso('accounts', 'import', files.write('a.csv', rows('active')));
    const file = files.write('b.csv', rows('inactive'));
    const refused = await sso('accounts', 'import', file);
    expect(refused.out).toContain('would have: created 0, updated 3, unchanged 0, skipped 0');
    expect(refused).toMatchObject({
      code: 1,
      err: [
        'refused, nothing changed: 3 people of 3 would become inactive, and 2 may at once; if that is right, add --agree-inactive 3',
      ],
    });
    expect(await sso('accounts', 'import', file, '--agree-inactive', '3')).toMatchObject({ code: 0, err: [] });
  });

  it('needs a signature where files are signed', async () => {
    verify = () => Promise.resolve(undefined);
    const file = files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,active\n`);
    expect((await sso('accounts', 'import', file)).err).toEqual([
      'refused, nothing changed: the file must be signed: give its signature with --signature',
    ]);
    expect((await sso('accounts', 'import', file, '--signature', files.write('a.sig', 'x'))).err).toEqual([
      'refused, nothing changed: the signature is not one of a known key over a personnel file',
    ]);
    expect((await sso('accounts', 'import', file, '--signature', '/nowhere.sig')).err).toEqual([
      'nothing imported: /nowhere.sig cannot be read',
    ]);
  });

  it('lists what became of the last files', async () => {
    await sso('accounts', 'import', files.write('a.csv', `${HEADER}${NIP},Siti,,PNS,REGENCY,active\n`));
    await sso('accounts', 'import', files.write('b.csv', 'nip\n'), '--mode', 'full', '--dry-run');
    const { out } = await sso('accounts', 'feeds');
    expect(out).toHaveLength(2);
    expect(out).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/applied\tdelta\tcommand\tsha256:[0-9a-f]{16}\tjoined 1, moved 0, left 0/),
        expect.stringMatching(/refused: unusable\tfull, dry run\tcommand\tsha256:not read$/),
      ]),
    );
    expect((await sso('accounts', 'feeds', '--limit', 'x')).code).toBe(2);
  });

  it('without a file is wrong usage', async () => {
    expect((await sso('accounts', 'import')).code).toBe(2);
  });
});

describe('accounts show', () => {
  it.each([
    ['199912312020011999', 'no account has this NIP'],
    ['123', 'a NIP has 18 digits'],
  ])('of %s answers: %s', async (nip, message) => {
    expect(await sso('accounts', 'show', '--nip', nip)).toEqual({ code: 1, out: [], err: [message] });
  });
});

describe('agencies import', () => {
  it('counts what it did and tells of skipped rows', async () => {
    const file = files.write('g.csv', 'code,name,parent_code\nNEW,Baru,PROVINCE\nBAD,Buruk,NOWHERE\n');
    expect(await sso('agencies', 'import', file)).toEqual({
      code: 1,
      out: ['created 1, updated 0, unchanged 0, skipped 1'],
      err: [`1 row was skipped, see ${file}.errors.csv`],
    });
  });
});

describe('roles', () => {
  const helpdesk = ['--nip', NIP, '--role', 'helpdesk', '--agency', 'REGENCY'];

  it('are granted, listed and revoked, each change with its audit event', async () => {
    const id = await addPerson(db, NIP);
    stopped = [];
    expect(await sso('roles', 'grant', ...helpdesk)).toEqual({ code: 0, out: ['granted'], err: [] });
    expect(stopped).toEqual([id]);
    expect(await sso('roles', 'grant', ...helpdesk)).toEqual({
      code: 0,
      out: ['held already, nothing changed'],
      err: [],
    });
    expect((await sso('roles', 'list', '--nip', NIP)).out).toEqual([
      'helpdesk\tREGENCY Instansi REGENCY\t2026-11-23 07:30 WIB (2026-11-23T00:30:00.000Z)',
    ]);
    expect((await sso('roles', 'list', '--nip', NIP, '--role', 'auditor')).out).toEqual([]);
    expect(await sso('roles', 'revoke', ...helpdesk)).toEqual({ code: 0, out: ['revoked'], err: [] });
    expect(await sso('roles', 'revoke', ...helpdesk)).toEqual({
      code: 1,
      out: [],
      err: ['the person does not hold this role'],
    });
    const about = { account_id: id, agency_code: 'REGENCY' };
    expect(await events()).toMatchObject([
      { type: 'role.granted', ...about, detail: { role: 'helpdesk' } },
      { type: 'role.revoked', ...about, detail: { role: 'helpdesk' } },
    ]);
  });

  it('refuse an unknown agency', async () => {
    await addPerson(db, NIP);
    const { code, err } = await sso('roles', 'grant', '--nip', NIP, '--role', 'helpdesk', '--agency', 'NOWHERE');
    expect([code, err]).toEqual([1, ['no agency has this code']]);
  });

  it.each([
    ['helpdesk without an agency', ['--role', 'helpdesk'], 'needs --agency'],
    ['operator with an agency', ['--role', 'operator', '--agency', 'REGENCY'], 'has no agency'],
  ])('take %s as wrong usage', async (_what, options, message) => {
    await addPerson(db, NIP);
    const { code, err } = await sso('roles', 'grant', '--nip', NIP, ...options);
    expect(code).toBe(2);
    expect(err.join('')).toContain(message);
  });

  it('take an unknown role as wrong usage', async () => {
    const { code, err } = await sso('roles', 'grant', '--nip', NIP, '--role', 'king');
    expect(code).toBe(2);
    expect(err.join('')).toContain('Allowed choices are helpdesk, agency_admin, operator, auditor');
  });
});
