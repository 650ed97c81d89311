import { randomBytes } from 'node:crypto';
import { changeEmail, createAccount, setPassword } from '#src/accounts/accounts.js';
import type { Nip } from '#src/accounts/nip.js';
import type { DeskOfficer, FoundPerson, Search, SearchAnswer } from '#src/helpdesk/desk/desk.js';
import { accountId, agencyCode, type AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../../support/test-database.js';
import { addOfficer, addPerson, give, now, PLACES, plantAgencies, take, type Place } from '../people.js';
import { deskParts } from './parts.js';

const db = await openTestDatabase();
afterAll(() => db.drop());

const clock = { at: now, now: () => clock.at };
const { desk, grants, audit, keyed, devices } = deskParts(db, { clock, secret: randomBytes(32) });

const as = (id: AccountId): DeskOfficer => ({ accountId: id, clientId: 'console', trace: { requestId: 'request-1' } });

let serial = 0;
async function addNamed(name: string, place: Place = 'own'): Promise<{ id: AccountId; nip: Nip }> {
  serial += 1;
  const nip = `19850315201101${String(1000 + serial)}` as Nip;
  const created = await createAccount(db, {
    account: {
      nip,
      name,
      email: `p${serial}@contoh.test`,
      employment: 'PNS',
      agencyCode: agencyCode(PLACES[place]),
      status: 'active',
    },
    now,
  });
  if (created.kind !== 'created') throw new Error('the NIP is taken');
  return { id: created.id, nip };
}

let officer: AccountId;
beforeAll(async () => {
  await plantAgencies(db);
});
beforeEach(async () => {
  clock.at = now;
  await db.query('TRUNCATE audit_events, audit_unsealed, quotas, nip_history, account_name_words');
  await db.query(`UPDATE accounts SET name = 'Pegawai Lama'`);
  officer = await addOfficer(db);
});

const found = async (search: Search, by = officer): Promise<readonly FoundPerson[]> => {
  const answer = await desk.search(as(by), search);
  if (answer.kind !== 'found') throw new Error(`the answer is ${answer.kind}`);
  return answer.people;
};
const names = async (query: string, more: { agency?: string; by?: AccountId } = {}): Promise<string[]> =>
  (await found({ query, agency: more.agency }, more.by)).map(({ name }) => name);

const auditOf = async (type: string) =>
  db.query(
    `SELECT account_id, actor_id, agency_code, client_id, request_id, detail FROM audit_events WHERE type = $1`,
    [type],
  );

describe('a search by NIP', () => {
  it('finds one within reach, however the number is written', async () => {
    const { id, nip } = await addNamed('Siti Aminah', 'grandchild');
    const grouped = `${nip.slice(0, 8)} ${nip.slice(8, 14)} ${nip.slice(14, 15)} ${nip.slice(15)}`;
    for (const written of [nip, grouped, grouped.replaceAll(' ', '.'), ` ${nip}\u00a0`, grouped.replaceAll(' ', '-')]) {
      expect(await found({ nip: written })).toEqual([
        {
          id,
          name: 'Siti Aminah',
          nipEnding: nip.slice(-3),
          agency: { code: 'OWN-1-1', name: 'Kabupaten OWN-1-1' },
          status: 'not_activated',
        },
      ]);
    }
  });

  it.each<[Place, number]>([
    ['own', 1],
    ['child', 1],
    ['grandchild', 1],
    ['sibling', 0],
    ['parent', 0],
    ['other', 0],
    ['other in lower case', 0],
    ['other with a space', 0],
  ])('looks in the own agency and below it: %s', async (place, count) => {
    const { nip } = await addNamed('Siti Aminah', place);
    expect(await found({ nip })).toHaveLength(count);
  });

  it('finds people by a number of before, today’s bearer first', async () => {
    const before = await addNamed('Yang Dulu');
    const today = await addNamed('Yang Kini');
    for (const nip of [today.nip, '131234567', '198503152011019999']) {
      await db.query('INSERT INTO nip_history (account_id, nip, recorded_at) VALUES ($1, $2, $3)', [
        before.id,
        nip,
        now,
      ]);
    }
    expect((await found({ nip: today.nip })).map(({ name }) => name)).toEqual(['Yang Kini']);
    expect((await found({ nip: '131234567' })).map(({ name }) => name)).toEqual(['Yang Dulu']);
    expect((await found({ nip: '198503152011019999' })).map(({ name }) => name)).toEqual(['Yang Dulu']);
  });

  it.each(['', '1985', '19850315201101100', '1985031520110110011', '%', "' OR 1=1 --", 'x'.repeat(10_000)])(
    'takes a whole number only: %#',
    async (nip) => {
      expect(await desk.search(as(officer), { nip })).toEqual({ kind: 'invalid', field: 'nip' });
    },
  );

  it('is on record without the number', async () => {
    const { nip } = await addNamed('Siti Aminah');
    await found({ nip });
    await found({ nip: '299901012099011001' });
    const rows = await auditOf('desk.searched');
    expect(rows.map(({ detail }) => detail)).toEqual([
      { by: 'nip', found: 1 },
      { by: 'nip', found: 0 },
    ]);
    expect(rows[0]).toMatchObject({
      account_id: null,
      actor_id: officer,
      client_id: 'console',
      request_id: 'request-1',
    });
    expect(JSON.stringify(await db.query('SELECT * FROM audit_events'))).not.toContain(nip);
  });
});

describe('a search by name', () => {
  it('finds every word and the beginning of it, in any order, in the order of names', async () => {
    for (const name of [
      'Siti Nurhaliza',
      'Siti Aminah',
      'Nurul Siti',
      'Hasiti',
      "Nu'man Sitorus",
      'SITI ZUBAIDAH, S.Pd.',
    ])
      await addNamed(name);
    expect(await names('siti')).toEqual(['Nurul Siti', 'Siti Aminah', 'Siti Nurhaliza', 'SITI ZUBAIDAH, S.Pd.']);
    expect(await names('sit')).toEqual([
      'Nurul Siti',
      'Siti Aminah',
      'Siti Nurhaliza',
      'SITI ZUBAIDAH, S.Pd.',
      "Nu'man Sitorus",
    ]);
    expect(await names('nur siti')).toEqual(['Nurul Siti', 'Siti Nurhaliza']);
    expect(await names('siti nur')).toEqual(['Nurul Siti', 'Siti Nurhaliza']);
    expect(await names('numan')).toEqual(["Nu'man Sitorus"]);
    expect(await names('siti aminah zubaidah')).toEqual([]);
    expect(await names('xyzzy')).toEqual([]);
  });

  it('tells somebody with two fitting words once', async () => {
    await addNamed('Siti Sitinjak Sitorus');
    expect(await names('sit')).toEqual(['Siti Sitinjak Sitorus']);
    expect(await names('siti')).toEqual(['Siti Sitinjak Sitorus']);
    expect(await names('sitinjak')).toEqual(['Siti Sitinjak Sitorus']);
  });

  it('looks in the named agency and below it, and nowhere else', async () => {
    for (const place of Object.keys(PLACES) as Place[]) await addNamed(`Siti ${place}`, place);
    expect(await names('siti')).toEqual(['Siti child', 'Siti grandchild', 'Siti own']);
    expect(await names('siti', { agency: 'OWN-1' })).toEqual(['Siti child', 'Siti grandchild']);
    for (const agency of ['SIBLING', 'PARENT', 'OTHER', 'own', 'OWN ', 'NOWHERE', '', '%'])
      expect(await desk.search(as(officer), { query: 'siti', agency })).toEqual({ kind: 'not_found' });
    const refused = await auditOf('desk.refused');
    expect(new Set(refused.map(({ detail }) => JSON.stringify(detail)))).toEqual(
      new Set([JSON.stringify({ cause: 'out_of_scope', action: 'accounts.search' })]),
    );
  });

  it('wants an agency where the officer has several or none', async () => {
    const operator = await addPerson(db);
    await give(db, operator, 'operator');
    await give(db, officer, 'helpdesk', 'other');
    await addNamed('Siti Jauh', 'other');
    for (const by of [operator, officer]) {
      expect(await desk.search(as(by), { query: 'siti' })).toEqual({ kind: 'invalid', field: 'agency' });
      expect(await names('siti', { agency: 'OTHER', by })).toEqual(['Siti Jauh']);
    }
    expect(await desk.reachOf(as(operator))).toEqual({ agencies: [], everywhere: true });
    expect(await desk.reachOf(as(officer))).toMatchObject({
      agencies: [{ code: 'OTHER' }, { code: 'OWN' }],
      everywhere: false,
    });
  });

  it('pages by 50, each person once, also when names are alike and somebody comes in between', async () => {
    for (let index = 0; index < 120; index += 1) await addNamed(index % 3 === 0 ? 'Siti Aminah' : `Siti ${index}`);
    const seen: string[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const answer: SearchAnswer = await desk.search(as(officer), { query: 'siti', cursor });
      if (answer.kind !== 'found') throw new Error(answer.kind);
      seen.push(...answer.people.map(({ id }) => id));
      sizes.push(answer.people.length);
      cursor = answer.next;
      if (sizes.length === 1) await addNamed('Siti 0 0');
    } while (cursor !== undefined);
    expect(sizes).toEqual([50, 50, 20]);
    expect(new Set(seen).size).toBe(120);
  });

  it('takes a cursor back for the same request of the same officer only', async () => {
    for (let index = 0; index < 51; index += 1) await addNamed(`Siti Aminah ${index}`, 'child');
    const answer = await desk.search(as(officer), { query: 'siti aminah' });
    const cursor = answer.kind === 'found' ? answer.next : undefined;
    expect(cursor).toEqual(expect.not.stringContaining('siti'));
    const other = await addOfficer(db);
    const bad: [AccountId, Search][] = [
      [other, { query: 'siti aminah', cursor }],
      [officer, { query: 'siti', cursor }],
      [officer, { query: 'siti aminah', agency: 'OWN-1', cursor }],
      [officer, { query: 'siti aminah', cursor: `${cursor}x` }],
      [officer, { query: 'siti aminah', cursor: 'v1.k1.AAAA' }],
      [officer, { query: 'siti aminah', cursor: '' }],
    ];
    for (const [by, search] of bad)
      expect(await desk.search(as(by), search)).toEqual({ kind: 'invalid', field: 'cursor' });
    expect(await found({ query: 'Aminah  SITI', cursor })).toHaveLength(1);
  });

  it.each(['', 'ab', 'a b', '%%%', 'محمد', 'x'.repeat(300)])('wants three letters: %#', async (query) => {
    expect(await desk.search(as(officer), { query })).toEqual({ kind: 'invalid', field: 'query' });
  });

  it('follows names and agencies from the moment they change', async () => {
    const { id } = await addNamed('Siti Aminah');
    await db.query(`UPDATE accounts SET name = 'Dewi Lestari' WHERE id = $1`, [id]);
    expect([await names('siti'), await names('dewi')]).toEqual([[], ['Dewi Lestari']]);
    await db.query(`UPDATE accounts SET agency_code = 'OTHER' WHERE id = $1`, [id]);
    expect(await names('dewi')).toEqual([]);
    await give(db, officer, 'helpdesk', 'other');
    expect(await names('dewi', { agency: 'OTHER' })).toEqual(['Dewi Lestari']);
    await db.query(`UPDATE accounts SET last_login_at = now() WHERE id = $1`, [id]);
    const kept = await db.query('SELECT agency_code, word, name_key FROM account_name_words WHERE account_id = $1', [
      id,
    ]);
    expect(kept.map(({ agency_code: code, word }) => `${String(code)} ${String(word)}`).sort()).toEqual([
      'OTHER dewi',
      'OTHER lestari',
    ]);
  });

  it('follows a move of an agency in the tree', async () => {
    await addNamed('Siti Saudara', 'sibling');
    const move = (parent: string, ancestors: string[]) =>
      db.query(`UPDATE agencies SET parent_code = $1, ancestors = $2 WHERE code = 'SIBLING'`, [parent, ancestors]);
    await move('OWN', ['PARENT', 'OWN', 'SIBLING']);
    expect(await names('siti')).toEqual(['Siti Saudara']);
    await move('PARENT', ['PARENT', 'SIBLING']);
    expect(await names('siti')).toEqual([]);
  });

  it('is on record without what was typed', async () => {
    await addNamed('Siti Aminah');
    await names('siti aminah');
    const [row] = await auditOf('desk.searched');
    expect(row).toMatchObject({ agency_code: 'OWN', actor_id: officer, detail: { by: 'name', found: 1 } });
  });
});

describe('who may look', () => {
  const everything = async (by: AccountId, id: AccountId) => [
    (await desk.search(as(by), { query: 'siti', agency: 'OWN' })).kind,
    (await desk.search(as(by), { nip: '299901012099011001' })).kind,
    (await desk.show(as(by), id)).kind,
    (await desk.diagnose(as(by), id)).kind,
    (await desk.open(as(by), id)).kind,
  ];

  it.each([
    ['helpdesk', ['found', 'found', 'shown', 'diagnosed', 'opened']],
    ['agency_admin', ['found', 'found', 'shown', 'diagnosed', 'opened']],
    ['operator', ['found', 'found', 'shown', 'diagnosed', 'opened']],
    ['auditor', ['forbidden', 'forbidden', 'not_found', 'not_found', 'not_found']],
  ] as const)('%s', async (role, kinds) => {
    const [by, { id }] = [await addPerson(db), await addNamed('Siti Aminah')];
    await give(db, by, role);
    expect(await everything(by, id)).toEqual(kinds);
  });

  it('nobody without a role, and nobody whose role has ended, from that moment on', async () => {
    const { id } = await addNamed('Siti Aminah');
    const none = ['forbidden', 'forbidden', 'not_found', 'not_found', 'not_found'];
    expect(await everything(await addPerson(db), id)).toEqual(none);
    await take(db, officer, 'helpdesk');
    expect(await everything(officer, id)).toEqual(none);
    expect(await desk.reachOf(as(officer))).toBeUndefined();
  });

  it('tells nothing of people out of reach, as of those who are not there, and records both', async () => {
    const { id } = await addNamed('Siti Jauh', 'sibling');
    const nobody = accountId('0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10');
    for (const named of [id, nobody, 'x', '199001012023211001']) {
      expect(await desk.show(as(officer), named)).toEqual({ kind: 'not_found' });
    }
    expect((await auditOf('desk.refused')).map(({ account_id: about, detail }) => [about, detail])).toEqual([
      [id, { action: 'accounts.show', cause: 'out_of_scope' }],
      [nobody, { action: 'accounts.show', cause: 'unknown' }],
      [null, { action: 'accounts.show', cause: 'unknown' }],
      [null, { action: 'accounts.show', cause: 'unknown' }],
    ]);
    expect(await auditOf('desk.viewed')).toEqual([]);
  });

  it('600 searches and 600 looks an hour, each officer for themselves', async () => {
    const { id } = await addNamed('Siti Aminah');
    const fill = (scope: string) =>
      db.query(
        `INSERT INTO quotas (scope, key, recent, places, expires_at)
         VALUES ($1, $2, array_fill($3::timestamptz, ARRAY[599]), 600, $3::timestamptz + interval '1 hour')`,
        [scope, keyed('desk officer', officer), now],
      );
    await fill('desk-search');
    await fill('desk-view');
    const until = new Date(now.getTime() + 3_600_000);
    expect((await desk.search(as(officer), { query: 'siti' })).kind).toBe('found');
    expect(await desk.search(as(officer), { query: 'siti' })).toEqual({ kind: 'throttled', until });
    expect((await desk.open(as(officer), id)).kind).toBe('opened');
    expect(await desk.show(as(officer), id)).toEqual({ kind: 'throttled', until });
    expect(await desk.diagnose(as(officer), 'x')).toEqual({ kind: 'throttled', until });
    expect((await auditOf('desk.refused')).map(({ detail }) => (detail as { cause: string }).cause)).toEqual([
      'throttled',
      'throttled',
      'throttled',
    ]);
    expect((await desk.show(as(await addOfficer(db)), id)).kind).toBe('shown');
    clock.at = until;
    expect((await desk.show(as(officer), id)).kind).toBe('shown');
  });
});

describe('a person', () => {
  it('is shown with what matters and without secrets, and that is on record', async () => {
    const { id, nip } = await addNamed('Siti Aminah', 'child');
    const passwordHash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$c2VjcmV0';
    await setPassword(db, { accountId: id, passwordHash, now });
    await changeEmail(db, { accountId: id, email: 'siti@rahasia.test', now });
    await give(db, id, 'helpdesk', 'child');
    const shown = await desk.show(as(officer), id);
    if (shown.kind !== 'shown') throw new Error(shown.kind);
    expect(shown.person).toEqual({
      id,
      nip,
      name: 'Siti Aminah',
      agency: { code: 'OWN-1', name: 'Kabupaten OWN-1' },
      employment: 'PNS',
      status: 'active',
      activatedAt: now,
      lastLoginAt: undefined,
      devices: [],
      recoveryCodes: undefined,
      sessions: [],
      sessionCount: 0,
      password: { isSet: true, isDisabled: false, waitUntil: undefined },
      codeWaitUntil: undefined,
      email: { hint: 's•••••@r•••••', proved: true },
      lastMail: undefined,
      cases: [],
      waitingReset: undefined,
      contactChange: undefined,
      roles: [{ role: 'helpdesk', agency: { code: 'OWN-1', name: 'Kabupaten OWN-1' } }],
    });
    expect(await auditOf('desk.viewed')).toEqual([
      {
        account_id: id,
        actor_id: officer,
        agency_code: 'OWN-1',
        client_id: 'console',
        request_id: 'request-1',
        detail: { action: 'accounts.show' },
      },
    ]);
  });

  it.each([
    ['active', `activated_at = now()`],
    ['not_activated', `activated_at = NULL`],
    ['frozen', `activated_at = now(), frozen_at = now()`],
    ['inactive', `status = 'inactive', frozen_at = now()`],
    ['disabled', `status = 'inactive', status_imported = 'active', disabled_at = now()`],
  ])('is %s', async (status, change) => {
    const { id, nip } = await addNamed('Siti Aminah');
    await db.query(`UPDATE accounts SET ${change} WHERE id = $1`, [id]);
    expect(await found({ nip })).toMatchObject([{ status }]);
    expect(await desk.show(as(officer), id)).toMatchObject({ person: { status } });
  });

  it('has devices without their secrets', async () => {
    const { id } = await addNamed('Siti Aminah');
    await db.query(
      `INSERT INTO devices (account_id, kind, status, name, secret, created_at, activated_at, last_used_at)
       VALUES ($1, 'totp', 'active', 'Ponsel kerja', 'v1.k1.rahasia', $2, $2, $2)`,
      [id, now],
    );
    expect(await devices.activeOf(db, id)).toHaveLength(1);
    const opened = await desk.open(as(officer), id);
    expect(opened).toMatchObject({
      person: { devices: [{ kind: 'totp', name: 'Ponsel kerja', addedAt: now, lastUsedAt: now, closed: false }] },
    });
    expect(JSON.stringify(opened)).not.toContain('rahasia');
  });

  it('is diagnosed from what was tried', async () => {
    const { id } = await addNamed('Siti Aminah');
    await setPassword(db, { accountId: id, passwordHash: '$argon2id$', now });
    const agent = { browser: 'Chrome', system: 'Android' };
    await audit.record(
      db,
      { type: 'sign_in.password_refused', detail: { cause: 'mismatch' }, accountId: id, agent },
      { type: 'sign_in.password_accepted', detail: { rehashed: false }, accountId: id, agent },
      { type: 'sign_in.otp_refused', detail: { cause: 'drift', drift_minutes: -61 }, accountId: id, agent },
      { type: 'account.data_exported', detail: {}, accountId: id },
      { type: 'sign_in.otp_refused', detail: { cause: 'mismatch' }, accountId: officer, agent },
    );
    const diagnosed = await desk.diagnose(as(officer), id);
    if (diagnosed.kind !== 'diagnosed') throw new Error(diagnosed.kind);
    const { main, attempts } = diagnosed.diagnosis;
    expect(main).toEqual({ cause: 'clock_drift', tell: 'set_clock_automatic', resetNeeded: false, minutes: -61 });
    expect(attempts).toEqual([
      { at: now, during: 'sign_in', step: 'code', outcome: 'clock_drift', minutes: -61, ...agent },
      { at: now, during: 'sign_in', step: 'password', outcome: 'accepted', ...agent },
      { at: now, during: 'sign_in', step: 'password', outcome: 'wrong', ...agent },
    ]);
    expect(await auditOf('desk.viewed')).toMatchObject([{ detail: { action: 'accounts.diagnose' } }]);
  });
});

describe('the roles that are held', () => {
  const list = async (by: AccountId, more: { agency?: string } = {}) => {
    const listed = await grants.list(as(by), more);
    return listed.kind === 'listed'
      ? listed.grants.map(({ role, agency }) => `${role} ${agency?.code ?? '-'}`)
      : listed;
  };

  it('are told to who answers for them', async () => {
    await db.query('UPDATE role_grants SET revoked_at = now() WHERE revoked_at IS NULL');
    const [admin, operator, auditor, helper] = [
      await addPerson(db),
      await addPerson(db),
      await addPerson(db),
      await addPerson(db),
    ];
    await give(db, admin, 'agency_admin');
    await give(db, operator, 'operator');
    await give(db, auditor, 'auditor');
    await give(db, helper, 'helpdesk', 'child');
    await give(db, helper, 'helpdesk', 'other');
    const own = ['agency_admin OWN', 'helpdesk OWN-1'];
    expect(await list(admin)).toEqual(own);
    expect(await list(operator)).toEqual(expect.arrayContaining([...own, 'helpdesk OTHER', 'operator -', 'auditor -']));
    expect(await list(operator, { agency: 'OTHER' })).toEqual(['helpdesk OTHER']);
    expect(await list(admin, { agency: 'OTHER' })).toEqual([]);
    for (const by of [helper, auditor, await addPerson(db)]) expect(await list(by)).toEqual({ kind: 'forbidden' });
    expect(await auditOf('desk.refused')).toHaveLength(3);
    await take(db, helper, 'helpdesk', 'child');
    expect(await list(admin)).toEqual(['agency_admin OWN']);
  });

  it('come in pages', async () => {
    const admin = await addPerson(db);
    await give(db, admin, 'agency_admin', 'parent');
    for (let index = 0; index < 55; index += 1) await give(db, await addPerson(db), 'helpdesk', 'sibling');
    const first = await grants.list(as(admin), { agency: 'SIBLING' });
    if (first.kind !== 'listed') throw new Error(first.kind);
    const second = await grants.list(as(admin), { agency: 'SIBLING', cursor: first.next });
    if (second.kind !== 'listed') throw new Error(second.kind);
    const ids = [...first.grants, ...second.grants].map(({ id }) => id);
    expect([first.grants.length, second.grants.length, new Set(ids).size, second.next]).toEqual([50, 5, 55, undefined]);
    expect(await grants.list(as(admin), { cursor: first.next })).toEqual({ kind: 'invalid', field: 'cursor' });
  });
});
