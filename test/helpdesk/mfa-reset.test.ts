import { randomBytes, randomUUID } from 'node:crypto';
import { createRecoveryCodeSets } from '#src/devices/recovery-code-sets.js';
import { RESET_QUOTAS } from '#src/helpdesk/acts/quotas.js';
import { secondsAfter } from '#src/kernel/clock.js';
import { attemptId, deviceId, type AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addOfficer, addPerson, give, now, plantAgencies } from './people.js';
import { auditOf, epochOf, order, resetParts, type ResetParts } from './reset-parts.js';

let db: Database & TestDatabase;
let parts: ResetParts;
beforeAll(async () => {
  db = await openTestDatabase();
  await plantAgencies(db);
});
afterAll(() => db.drop());
beforeEach(async () => {
  parts = resetParts(db);
  await db.query(
    'TRUNCATE audit_events, outbox, officer_acts, officer_alarms, quotas, idempotency_keys, presence_codes',
  );
});

/** Everything a person can have begun with their factors. */
async function furnish(accountId: AccountId): Promise<void> {
  const { devices, tickets, codes, guesses } = parts;
  const attempt = attemptId(randomUUID());
  const later = secondsAfter(now, 3600);
  for (const step of [1, 2]) {
    const device = deviceId(randomUUID());
    await devices.addPending(db, { id: device, accountId, attempt, sealedSecret: 'v1.k1.sealed' });
    await devices.confirm(db, { device, name: `Ponsel ${step}`, step });
  }
  await devices.addPending(db, { id: deviceId(randomUUID()), accountId, attempt, sealedSecret: 'v1.k1.sealed' });
  const hashes = [randomBytes(32), randomBytes(32)];
  await createRecoveryCodeSets(parts.clock).replace(db, { accountId, salt: randomBytes(16), pepperKid: 'k1', hashes });
  await tickets.issue(db, accountId, 'browser');
  await codes.issue(db, { accountId, flow: attempt, purpose: 'mailbox', ttlSeconds: 900, now });
  await guesses.reserve(db, accountId);
  for (const session of ['a', 'b', 'c']) {
    const uid = `${session}-${accountId}`;
    await db.query(
      `INSERT INTO sso_sessions (uid, id, account_id, cred_epoch, payload, started_at, last_seen_at, expires_at)
       VALUES ($1, $2, $3, 0, '{}', $4, $4, $5)`,
      [uid, randomBytes(32), accountId, now, later],
    );
    await db.query(
      `INSERT INTO oidc_grants (id, account_id, cred_epoch, client_id, session_uid, payload, expires_at)
       VALUES ($1, $2, 0, 'myasn', $3, '{}', $4)`,
      [randomBytes(32), accountId, uid, later],
    );
  }
  await db.query(
    `INSERT INTO sign_in_attempts (uid, interaction, prompt, return_to, expires_at, account_id, browser)
     VALUES ($1, '{}', 'login', '/', $2, $3, '')`,
    [attempt, later, accountId],
  );
}

/** How much of it there still is. */
async function left(accountId: AccountId): Promise<Record<string, number>> {
  const [row] = await db.query(
    `SELECT (SELECT count(*)::int FROM devices WHERE account_id = $1 AND status <> 'ended') AS devices,
            (SELECT count(*)::int FROM devices WHERE account_id = $1 AND secret IS NOT NULL) AS secrets,
            (SELECT count(*)::int FROM recovery_code_sets WHERE account_id = $1 AND ended_at IS NULL) AS recovery_codes,
            (SELECT count(*)::int FROM enrolment_tickets WHERE account_id = $1) AS tickets,
            (SELECT count(*)::int FROM mailed_codes WHERE account_id = $1 AND code_digest IS NOT NULL) AS codes,
            (SELECT count(*)::int FROM sso_sessions WHERE account_id = $1) AS sessions,
            (SELECT count(*)::int FROM oidc_grants WHERE account_id = $1) AS grants,
            (SELECT count(*)::int FROM sign_in_attempts WHERE account_id = $1) AS attempts`,
    [accountId],
  );
  return row as Record<string, number>;
}

const EVERYTHING = {
  devices: 3,
  secrets: 3,
  recovery_codes: 1,
  tickets: 1,
  codes: 1,
  sessions: 3,
  grants: 3,
  attempts: 1,
};
const NOTHING = Object.fromEntries(Object.keys(EVERYTHING).map((what) => [what, 0]));

describe('a reset by an officer', () => {
  it('ends everything begun with the old factors, and nothing of anybody else (R-11)', async () => {
    const [officer, person, bystander] = [await addOfficer(db), await addPerson(db), await addPerson(db)];
    await furnish(person);
    await furnish(bystander);
    expect(await left(person)).toEqual(EVERYTHING);

    expect(await parts.reset(officer, person)).toMatchObject({ kind: 'done' });

    expect(await left(person)).toEqual(NOTHING);
    expect(await epochOf(db, person)).toBe(1);
    expect(await left(bystander)).toEqual(EVERYTHING);
    expect(await epochOf(db, bystander)).toBe(0);
    const history = await db.query(`SELECT ended_reason FROM devices WHERE account_id = $1`, [person]);
    expect(history.map((row) => row.ended_reason)).toEqual(Array(3).fill('helpdesk_reset'));
  });

  it('counts wrong codes anew, within the limit of the hour', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const guess = () => parts.guesses.reserve(db, person);
    for (let wrong = 0; wrong < 5; wrong += 1) await guess();
    expect((await guess()).kind).toBe('waiting');
    await parts.reset(officer, person);
    expect(await guess()).toEqual({ kind: 'reserved', failures: 1 });
  });

  it('is written down: who, whom, why and how identity was checked', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db, { place: 'child' })];
    await furnish(person);
    await parts.reset(officer, person);
    const [kept, ...more] = await db.query('SELECT * FROM officer_acts');
    expect(more).toEqual([]);
    expect(kept).toMatchObject({
      account_id: person,
      officer_id: officer,
      client_id: 'console',
      agency_code: 'OWN-1',
      reason: 'Ponsel hilang, identitas diperiksa di loket',
      ticket: 'HD-2026-0117',
      verification: 'presence',
      action: 'mfa_reset',
      state: 'done',
      created_at: now,
    });
    const about = { account_id: person, actor_id: officer, agency_code: 'OWN-1', request_id: 'request-1' };
    expect(await auditOf(db, 'mfa_reset.done')).toEqual([
      { ...about, client_id: 'console', detail: { reset: kept?.id, devices: 2, method: 'presence' } },
    ]);
    expect(await auditOf(db, 'device.ended')).toEqual(Array(2).fill(expect.objectContaining(about)));
    const audit = JSON.stringify(await db.query('SELECT * FROM audit_events'));
    expect(audit).not.toMatch(/Ponsel hilang|HD-2026/);
  });

  it.each([
    ['the officer and the agency', 'helpdesk', /Pegawai \d+, Kabupaten OWN, mereset autentikator Anda/],
    ['no name for a national operator', 'operator', /Petugas pusat mereset autentikator Anda/],
  ] as const)('tells the person, at the address on file: %s', async (_, role, words) => {
    const [officer, person] = [await addOfficer(db, role), await addPerson(db, { email: 'wening@contoh.test' })];
    await parts.reset(officer, person);
    const [mail, ...more] = await parts.mails();
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ mail: 'mfa-reset', to: { address: 'wening@contoh.test' } });
    expect(mail?.text).toMatch(words);
  });

  it('is nothing at all when its audit row cannot be written (R-40)', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    await furnish(person);
    const asked = order(officer, person, await parts.present(person));
    await db.query(`ALTER TABLE audit_events ADD CONSTRAINT nothing_fits CHECK (type = '') NOT VALID`);
    try {
      await expect(parts.acts.perform(asked)).rejects.toThrow();
      const stranger = order(officer, await addPerson(db, { place: 'other' }));
      await expect(parts.acts.perform(stranger)).rejects.toThrow();
    } finally {
      await db.query('ALTER TABLE audit_events DROP CONSTRAINT nothing_fits');
    }
    expect(await left(person)).toEqual({ ...EVERYTHING, attempts: 2 });
    expect(await epochOf(db, person)).toBe(0);
    expect(await parts.mails()).toEqual([]);
    // The code was not used up by what did not happen.
    expect(await parts.acts.perform(asked)).toMatchObject({ kind: 'done' });
  });
});

describe('the quotas of an officer (R-10)', () => {
  const { hour, day } = RESET_QUOTAS;
  const resets = async (officer: AccountId, times: number): Promise<string[]> => {
    const kinds: string[] = [];
    for (let time = 0; time < times; time += 1) {
      kinds.push((await parts.reset(officer, await addPerson(db))).kind);
    }
    return kinds;
  };
  const done = (times: number): string[] => Array<string>(times).fill('done');

  it('are 20 an hour and 60 a day; the next is refused, recorded and raises the alarm', async () => {
    const [officer, colleague] = [await addOfficer(db), await addOfficer(db)];
    expect([hour, day]).toMatchObject([
      { limit: 20, windowSeconds: 3600 },
      { limit: 60, windowSeconds: 86_400 },
    ]);
    for (const hours of [0, 1, 2]) {
      parts.clock.at = secondsAfter(now, hours * 3600);
      expect(await resets(officer, 20)).toEqual(done(20));
      expect(await resets(officer, 1)).toEqual(['throttled']);
    }
    expect(await resets(colleague, 1)).toEqual(['done']);
    parts.clock.at = secondsAfter(now, 3 * 3600);
    const person = await addPerson(db);
    expect(await parts.reset(officer, person)).toEqual({
      kind: 'throttled',
      until: secondsAfter(now, 24 * 3600),
    });
    expect(await epochOf(db, person)).toBe(0);
    expect((await auditOf(db, 'desk.refused')).map((row) => row.detail)).toEqual(
      Array(4).fill({ action: 'mfa_reset', cause: 'throttled' }),
    );
    expect(parts.raised.filter((kind) => kind === 'quota')).toHaveLength(4);
    const alarms = parts.log.lines.filter(({ fields }) => 'kind' in fields && fields.kind === 'quota');
    expect(alarms[0]?.fields).toMatchObject({ account: officer, agency: 'OWN' });
  });

  it('give exactly their number to many at once', async () => {
    const officer = await addOfficer(db);
    const people = await Promise.all(Array.from({ length: 25 }, () => addPerson(db)));
    const answers = await Promise.all(people.map((person) => parts.reset(officer, person)));
    expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(20);
    expect(answers.filter(({ kind }) => kind === 'throttled')).toHaveLength(5);
  });

  it('are not spent by what is refused, and tell nothing of accounts out of scope', async () => {
    const [officer, stranger] = [await addOfficer(db), await addPerson(db, { place: 'other' })];
    for (let time = 0; time < 25; time += 1) await parts.acts.perform(order(officer, stranger));
    expect(await resets(officer, 21)).toEqual([...done(20), 'throttled']);
    expect(await parts.acts.perform(order(officer, stranger))).toEqual({ kind: 'not_found' });
  });
});

describe('an Idempotency-Key (R-74)', () => {
  const key = { idempotencyKey: 'f3c1' };

  it('has one effect and one answer for 16 at once', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const asked = order(officer, person, await parts.present(person), key);
    const [first, ...others] = await Promise.all(Array.from({ length: 16 }, () => parts.acts.perform(asked)));
    expect(first?.kind).toBe('done');
    expect(others).toEqual(Array(15).fill(first));
    expect(await epochOf(db, person)).toBe(1);
    expect(await db.query('SELECT id FROM officer_acts')).toHaveLength(1);
    expect(await auditOf(db, 'mfa_reset.done')).toHaveLength(1);
    expect(await parts.mails()).toHaveLength(1);
  });

  it('has one effect when 16 ask for different things with it', async () => {
    const officer = await addOfficer(db);
    const people = await Promise.all(Array.from({ length: 16 }, () => addPerson(db)));
    const answers = await Promise.all(people.map((person) => parts.reset(officer, person, key)));
    expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'key_reused')).toHaveLength(15);
    expect(await db.query('SELECT id FROM officer_acts')).toHaveLength(1);
  });

  it.each([
    ['account', { accountId: '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10' }],
    ['reason', { reason: 'Ponsel rusak' }],
    ['ticket', { ticket: 'HD-2026-0118' }],
  ])('is refused for another %s, and that is recorded', async (_, other) => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const code = await parts.present(person);
    await parts.acts.perform(order(officer, person, code, key));
    const { accountId = person, ...more }: { accountId?: string; reason?: string; ticket?: string } = other;
    expect(await parts.acts.perform(order(officer, accountId, code, { ...key, ...more }))).toEqual({
      kind: 'key_reused',
    });
    expect(await auditOf(db, 'desk.refused')).toMatchObject([{ detail: { cause: 'key_reused' } }]);
    expect(await epochOf(db, person)).toBe(1);
  });

  it('belongs to one officer and one client', async () => {
    const [officer, colleague, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    for (const [accountId, clientId] of [
      [officer, 'console'],
      [colleague, 'console'],
      [officer, 'integration'],
    ] as const) {
      const more = { clientId, reason: `Diminta ${clientId}`, ...key };
      expect(await parts.reset(accountId, person, more)).toMatchObject({ kind: 'done' });
    }
    expect(await epochOf(db, person)).toBe(3);
  });

  it('holds for a day', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const code = await parts.present(person);
    const again = () => parts.acts.perform(order(officer, person, code, key));
    const first = await again();
    parts.clock.at = secondsAfter(now, 24 * 3600 - 1);
    expect(await again()).toEqual(first);
    expect(await epochOf(db, person)).toBe(1);
    parts.clock.at = secondsAfter(now, 24 * 3600);
    // Asked anew: the code was used a day ago.
    expect(await again()).toEqual({ kind: 'presence_refused' });
  });

  it('does not keep a refusal: authority is asked anew (A47)', async () => {
    const [officer, person] = [await addPerson(db), await addPerson(db)];
    const code = await parts.present(person);
    const again = () => parts.acts.perform(order(officer, person, code, key));
    expect(await again()).toEqual({ kind: 'not_found' });
    await give(db, officer, 'helpdesk');
    expect(await again()).toMatchObject({ kind: 'done' });
    expect(await auditOf(db, 'desk.refused')).toHaveLength(1);
  });

  it('cannot be read in the database', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    await parts.reset(officer, person, { idempotencyKey: '199001012023211001' });
    const [row] = await db.query(
      `SELECT encode(key || request, 'escape') || answer::text AS kept FROM idempotency_keys`,
    );
    expect(row?.kept).toMatch(/done/);
    expect(row?.kept).not.toMatch(/199001012023211001|console|Ponsel/);
  });
});

describe('a reset by whoever operates the server', () => {
  it('does the same, also for an account that holds a role', async () => {
    const person = await addOfficer(db);
    await furnish(person);
    const { operatorsReset } = parts;
    expect(await operatorsReset.reset({ accountId: person, reason: 'Petugas kehilangan ponsel' })).toEqual({
      endedDevices: 2,
      mailed: true,
    });
    expect(await left(person)).toEqual(NOTHING);
    expect(await epochOf(db, person)).toBe(1);
    const [kept] = await db.query('SELECT * FROM officer_acts');
    expect(kept).toMatchObject({ account_id: person, officer_id: null, ticket: null, verification: 'operator' });
    expect(await auditOf(db, 'mfa_reset.done')).toMatchObject([
      { account_id: person, actor_id: null, detail: { reset: kept?.id, devices: 2, method: 'operator' } },
    ]);
    expect((await parts.mails())[0]?.text).toMatch(/Petugas pusat/);
  });

  it('says when nobody could be told', async () => {
    const person = await addPerson(db, { email: '' });
    expect(await parts.operatorsReset.reset({ accountId: person, reason: 'Ponsel hilang' })).toMatchObject({
      mailed: false,
    });
    expect(await parts.mails()).toEqual([]);
  });
});
