import { randomBytes } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { createContactChanges } from '#src/account/contact/contact-change.js';
import { createDevices } from '#src/devices/devices.js';
import { createDisavowals } from '#src/accounts/disavowals.js';
import { createFreezing } from '#src/accounts/freezing.js';
import { setPassword } from '#src/accounts/accounts.js';
import { createAudit } from '#src/audit/audit.js';
import type { AuditEvent } from '#src/audit/events.js';
import { addCareCommands } from '#src/cli/account-care.js';
import type { RunWithServices } from '#src/cli/run.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { endSessions } from '../support/end-sessions.js';
import type { AccountId } from '#src/kernel/ids.js';
import { createOutbox } from '#src/outbox/outbox.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { addAgencies, addPerson, NOW } from '../accounts/people.js';
import { accountMailWith } from '../support/account-mail.js';
import { openTestDatabase } from '../support/test-database.js';

const NIP = '198609262015051001';
const REASON = 'Diperiksa di loket';
const FROZEN = 'frozen; every session, login under way, mailed code, waiting reset and new address has ended';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let services: unknown;
let record: (...events: readonly AuditEvent[]) => Promise<void>;
/** "Bukan saya" in a mail about a password that was changed 40 days ago. */
let disown: (accountId: AccountId) => Promise<void>;

const DAY = 24 * 3600 * 1000;
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY);
const NOTHING = (days: number): string => `nothing was changed since ${daysAgo(days).toISOString()}`;

beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
  const clock = { now: () => NOW };
  const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
  const keyed = createKeyedDigest(randomBytes(32));
  const [audit, accountMail, codes] = [
    createAudit(clock),
    accountMailWith({ box, clock }),
    createMailedCodes({ keyed }),
  ];
  const origin = 'https://sso.contoh.test';
  const outbox = createOutbox({ box, clock });
  const devices = createDevices(clock);
  const contactChanges = createContactChanges({
    ...{
      db,
      devices,
      outbox,
      codes,
      underWay: [],
      accountMail,
      audit,
      box,
      keyed,
      clock,
      origin,
    },
    waitSeconds: 72 * 3600,
  });
  const disavowals = createDisavowals({ box, clock, origin });
  const underWay = [contactChanges.endUnderWay];
  const freezing = createFreezing({ db, disavowals, endSessions, underWay, accountMail, audit, clock });
  record = (...events) => audit.record(db, ...events);
  disown = async (accountId) => {
    const secret = await db.transaction((tx) =>
      disavowals.issue(tx, {
        accountId,
        events: [{ kind: 'password-changed', data: { at: daysAgo(40), nipEnding: '001' } }],
        address: 'pegawai@contoh.example',
      }),
    );
    const token = secret?.href.split('/').at(-1) ?? 'none';
    expect(await freezing.disavow(token, { requestId: 'r', agent: { browser: '', system: '' }, locale: 'id' })).toEqual(
      { kind: 'frozen' },
    );
  };
  services = { db, devices, freezing, contactChanges };
});
beforeEach(async () => {
  await db.query('TRUNCATE accounts, audit_events, outbox, disavowals, helpdesk_cases, contact_changes CASCADE');
});
afterAll(() => db.drop());

/** What the shell would see. */
async function sso(...argv: string[]): Promise<{ code: number | undefined; out: string[]; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  let code: number | undefined;
  const run: RunWithServices = async (work) => {
    code = await work(services as Parameters<typeof work>[0]);
  };
  const program = new Command().exitOverride().configureOutput({
    writeErr: (text) => void err.push(text.trim()),
    outputError: (text, write) => {
      write(text);
    },
  });
  addCareCommands(program, run);
  const { log, error } = console;
  Object.assign(console, { log: (line: string) => out.push(line), error: (line: string) => err.push(line) });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (refusal) {
    if (!(refusal instanceof CommanderError)) throw refusal;
    code = refusal.exitCode;
  } finally {
    Object.assign(console, { log, error });
  }
  return { code, out, err };
}

const types = async (): Promise<unknown[]> =>
  (await db.query('SELECT type FROM audit_events ORDER BY id')).map(({ type }) => type);

describe('sso-asn accounts', () => {
  it('freeze and unfreeze, each once', async () => {
    const id = await addPerson(db, NIP);
    const care = ['--nip', NIP, '--reason', REASON];
    expect(await sso('freeze', ...care)).toEqual({
      code: 0,
      out: [FROZEN, 'the person is told at p•••••@c•••••'],
      err: [],
    });
    expect(await sso('freeze', ...care)).toEqual({ code: 1, out: [], err: ['the account is frozen already'] });
    expect(await sso('unfreeze', ...care)).toEqual({
      code: 0,
      out: ['open again, 1 case(s) closed', 'mail goes to p•••••@c•••••: ask whether it is theirs', NOTHING(30)],
      err: [],
    });
    expect(await sso('unfreeze', ...care)).toEqual({ code: 1, out: [], err: ['the account is not frozen'] });
    expect(await types()).toEqual(['account.frozen', 'account.unfrozen']);
    expect(
      await db.query('SELECT cause, reason, closed_reason FROM helpdesk_cases WHERE account_id = $1', [id]),
    ).toEqual([{ cause: 'frozen_by_operator', reason: REASON, closed_reason: REASON }]);
    expect(JSON.stringify(await db.query('SELECT * FROM audit_events'))).not.toContain(REASON);
    expect(await db.query('SELECT 1 FROM outbox')).toHaveLength(2);
  });

  it('unfreeze after "Bukan saya" disables the password, and lists what to ask the person about', async () => {
    const id = await addPerson(db, NIP);
    await setPassword(db, { accountId: id, passwordHash: '$secret', now: NOW });
    const bind = (name: string, kind: string, days: number, endedDays?: number) => {
      const isActive = endedDays === undefined;
      const ended = isActive ? [undefined, undefined] : [daysAgo(endedDays), 'removed'];
      return db.query(
        `INSERT INTO devices (account_id, kind, status, name, secret, created_at, activated_at, ended_at, ended_reason)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)`,
        [id, kind, isActive ? 'active' : 'ended', name, isActive ? 'sealed' : undefined, daysAgo(days), ...ended],
      );
    };
    await bind('HP lama', 'totp', 400, 3);
    await bind('Tablet', 'totp', 41);
    await bind('Laptop asing', 'passkey', 39);
    await record({ type: 'password.changed', detail: { by: 'reset' }, accountId: id });
    await record({ type: 'recovery_codes.issued', detail: { count: 10 }, accountId: id });
    await record({ type: 'contact_change.done', detail: { change: 'x' }, accountId: id });
    await record({ type: 'sign_in.completed', detail: { acr: 'a', amr: [] }, accountId: id });
    await disown(id);
    const { code, out } = await sso('unfreeze', '--nip', NIP, '--reason', REASON);
    expect(code).toBe(0);
    expect(out).toEqual([
      'open again, 1 case(s) closed',
      'the password is disabled: RESET makes a new one, by a mailed code',
      'mail goes to p•••••@c•••••: ask whether it is theirs',
      `changed since ${daysAgo(40).toISOString()}, ask the person about each:`,
      `  ${daysAgo(39).toISOString()}  passkey "Laptop asing" bound`,
      `  ${daysAgo(3).toISOString()}  authenticator "HP lama" ended (removed)`,
      `  ${NOW.toISOString()}  password changed (reset)`,
      `  ${NOW.toISOString()}  new recovery codes`,
      `  ${NOW.toISOString()}  e-mail address changed`,
      'factors that the person does not know: sso-asn mfa reset ends all of them',
    ]);
    expect(await db.query('SELECT disabled_at FROM credentials')).toEqual([{ disabled_at: NOW }]);
  });

  it('unfreeze leaves the password when told so, and where nobody chose "Bukan saya"', async () => {
    const id = await addPerson(db, NIP);
    await setPassword(db, { accountId: id, passwordHash: '$secret', now: NOW });
    const care = ['--nip', NIP, '--reason', REASON];
    await disown(id);
    expect((await sso('unfreeze', ...care, '--keep-password')).out[0]).toBe('open again, 1 case(s) closed');
    await sso('freeze', ...care);
    expect((await sso('unfreeze', ...care)).out[0]).toBe('open again, 1 case(s) closed');
    expect(await db.query('SELECT disabled_at FROM credentials')).toEqual([{ disabled_at: null }]);
  });

  it('contact-change may be ordered while the account is frozen; unfreeze tells that it still waits', async () => {
    await addPerson(db, NIP);
    const care = ['--nip', NIP, '--reason', REASON];
    await sso('freeze', ...care);
    expect((await sso('contact-change', ...care, '--email', 'baru@surat.example')).code).toBe(0);
    expect(await db.query('SELECT 1 FROM disavowals')).toEqual([]);
    expect((await sso('unfreeze', ...care)).out).toEqual([
      'open again, 1 case(s) closed',
      'mail goes to p•••••@c•••••: ask whether it is theirs',
      'a new address is still on its way: until it is proved, a click in the old mailbox can stop it',
      NOTHING(30),
    ]);
    expect(await db.query('SELECT state FROM contact_changes')).toEqual([{ state: 'waiting' }]);
  });

  it('contact-change waits, and says until when', async () => {
    await addPerson(db, NIP);
    const care = ['contact-change', '--nip', NIP, '--reason', REASON, '--email'];
    expect(await sso(...care, 'baru@surat.example')).toEqual({
      code: 0,
      out: ['waiting until 2026-11-26 07:30 WIB (2026-11-26T00:30:00.000Z); then the new address is mailed'],
      err: [],
    });
    expect(await sso(...care, 'baru')).toEqual({ code: 2, out: [], err: ['--email takes one whole address'] });
    const [{ email }] = (await db.query('SELECT email FROM accounts')) as [{ email: string }];
    expect(await sso(...care, email.toUpperCase())).toEqual({
      code: 1,
      out: [],
      err: ['the new address is the one on file'],
    });
    expect(await db.query('SELECT kind, next_attempt_at FROM outbox ORDER BY next_attempt_at')).toEqual([
      { kind: 'mail', next_attempt_at: NOW },
      { kind: 'contact-opens', next_attempt_at: new Date('2026-11-26T00:30:00Z') },
    ]);
  });

  it('says when nobody can be told', async () => {
    const id = await addPerson(db, NIP);
    await db.query('UPDATE accounts SET email = NULL WHERE id = $1', [id]);
    const care = ['--nip', NIP, '--reason', REASON];
    const told = 'no e-mail address is on file: tell the person yourself';
    expect((await sso('freeze', ...care)).out).toEqual([FROZEN, told]);
    expect((await sso('unfreeze', ...care)).out).toEqual(['open again, 1 case(s) closed', told, NOTHING(30)]);
    expect((await sso('contact-change', ...care, '--email', 'baru@surat.example')).out).toContain(
      'no address was on file: nobody could be told',
    );
  });

  it('tells of a bad reason and a bad address at once', async () => {
    const { code, err } = await sso('contact-change', '--nip', NIP, '--reason', 'x', '--email', 'baru');
    expect([code, err]).toEqual([2, ['--reason takes 3 to 500 characters\n--email takes one whole address']]);
  });

  it.each([
    [['freeze', '--nip', '198609262015051999', '--reason', REASON], 1, 'no account has this NIP'],
    [['unfreeze', '--nip', NIP, '--reason', ' x '], 2, '--reason takes 3 to 500 characters'],
    [['freeze', '--nip', NIP], 1, "error: required option '--reason <text>' not specified"],
    [
      ['contact-change', '--nip', NIP, '--reason', REASON],
      1,
      "error: required option '--email <address>' not specified",
    ],
  ])('%j is refused', async (argv, code, said) => {
    expect(await sso(...argv)).toEqual({ code, out: [], err: [said] });
  });
});
