import { randomBytes } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { createContactChanges } from '#src/account/contact/contact-change.js';
import { createDevices } from '#src/devices/devices.js';
import { createDisavowals } from '#src/accounts/disavowals.js';
import { createFreezing } from '#src/accounts/freezing.js';
import { createAudit } from '#src/audit/audit.js';
import { addCareCommands } from '#src/cli/account-care.js';
import type { RunWithServices } from '#src/cli/run.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { endSessions } from '../support/end-sessions.js';
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
  const contactChanges = createContactChanges({
    ...{
      db,
      devices: createDevices(clock),
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
  services = { db, freezing, contactChanges };
});
beforeEach(async () => {
  await db.query('TRUNCATE accounts, audit_events, outbox, disavowals CASCADE');
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
    expect(await sso('contact-change', ...care, '--email', 'baru@surat.example')).toEqual({
      code: 1,
      out: [],
      err: ['the account is inactive or frozen'],
    });
    expect(await sso('unfreeze', ...care)).toEqual({
      code: 0,
      out: ['open again, 1 case(s) closed', 'mail goes to p•••••@c•••••: ask whether it is theirs'],
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
    expect((await sso('unfreeze', ...care)).out).toEqual(['open again, 1 case(s) closed', told]);
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
