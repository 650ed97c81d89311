import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { changePassword, newLedger } from '../faults/working-day.js';
import { OWN_CHANGES } from './own-changes.js';
import { builtProgram } from '../support/built-program.js';
import { grantRole } from '#src/accounts/roles.js';
import type { Order } from '#src/helpdesk/acts/act.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { attributes } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { errorIn, rotating, ROTATING, userinfo, type Tokens } from '../support/relying-party.js';
import { startToldSite, type ToldSite } from '../support/told-site.js';
import type { Answer, Visitor } from '../support/visitor.js';

// F-22: the whole program. However a login ends, its tokens are dead within a second of the commit, and the
// relying party is told.
jest.setTimeout(60_000);

let house: ToldSite;
let person: Employee;
beforeAll(async () => {
  house = await startToldSite();
});
afterAll(() => house.stop());
beforeEach(async () => {
  house.party.answer = 204;
  (house.party.received as unknown[]).length = 0;
  person = await house.person();
});

/** What ends a login of this person, who sits in this browser. */
type Way = (visitor: Visitor) => Promise<unknown>;

const confirmLogout = async (visitor: Visitor): Promise<Answer> => {
  const page = await visitor.follow(`/oidc/logout?client_id=${ROTATING}`);
  return visitor.submit(page, '/confirm');
};

/** `sso-asn accounts import` as operators run it; `status` undefined: a full file without this person. */
async function importPerson(who: Employee, status: 'active' | 'inactive' | undefined): Promise<void> {
  const { config, databaseUrl } = house.site.running.services;
  const [row] = await house.site.running.services.db.query('SELECT agency_code, name FROM accounts WHERE id = $1', [
    who.id,
  ]);
  const file = join(dirname(house.clientsFile), `${who.nip.slice(-4)}.csv`);
  const line = [who.nip, row?.name, who.email, 'PNS', row?.agency_code, status].join(',');
  const lines = status === undefined ? '' : `${line}\n`;
  await writeFile(file, `nip,name,email,employment,agency_code,status\n${lines}`);
  const mode = status === undefined ? 'full' : 'delta';
  await promisify(execFile)(process.execPath, [await builtProgram(), 'accounts', 'import', file, '--mode', mode], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      DATA_DIR: config.dataDir,
      ISSUER: config.issuerText,
      CLIENTS_FILE: config.clientsFile,
    },
  });
}

/** An officer of the whole country does this to the person, as over the admin API. */
async function officerDoes(order: Order): Promise<void> {
  const { db, acts } = house.site.running.services;
  const officer = await house.person();
  const now = house.time.now();
  await db.transaction((tx) => grantRole(tx, { accountId: officer.id, role: 'operator', agencyCode: undefined, now }));
  const call = { caller: { accountId: officer.id, clientId: 'helpdesk' }, trace: { requestId: 'journey' } };
  const answer = await acts.perform({ ...call, accountId: person.id, order });
  expect(answer).toMatchObject({ kind: 'done' });
}
const reason = 'Diminta di loket';

const WAYS: Readonly<Record<string, Way>> = {
  'a logout at a relying party': confirmLogout,
  'Keluar on our own pages': async (visitor) => visitor.submit(await visitor.follow('/login'), '/logout'),
  'the end of the session, from another browser': async () => {
    const { visitor } = await house.signIn(person);
    const links = attributes((await visitor.follow('/account/sessions')).body, 'href');
    for (const path of links.filter((href) => href.endsWith('/end'))) {
      await visitor.submit(await visitor.follow(path), '/end');
    }
  },
  'the end of all other sessions': async () => {
    const { visitor } = await house.signIn(person);
    await visitor.submit(await visitor.follow('/account/sessions/end-others'), '/end-others');
  },
  'a password reset': () => changePassword(house.site, { visitor: house.visitor(), person, ledger: newLedger() }),
  'a reset of the second factors': () =>
    house.site.running.services.operatorsReset.reset({ accountId: person.id, reason: 'ponsel hilang' }),
  'a change of credentials that keeps one session': async () => {
    const { db, endSessions } = house.site.running.services;
    const { visitor, tokens } = await house.signIn(person);
    const [row] = await db.query(
      `SELECT uid FROM sso_sessions, jsonb_each(authorizations) AS party WHERE party.value->>'sid' = $1`,
      [decodeJwt(tokens.id_token).sid],
    );
    const exceptSession = String(row?.uid);
    await db.transaction(async (tx) => {
      await tx.query('UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1', [person.id]);
      await endSessions.ofAccounts(tx, [person.id], { exceptSession });
    });
    expect((await visitor.follow('/account/devices')).page).toBe('account/devices');
    expect((await userinfo(visitor, tokens)).status).toBe(401);
    await eventually('the kept browser to be told of', () => isTold(tokens));
  },
  'an officer who ends all sessions': () => officerDoes({ action: 'sessions_end', reason }),
  'an officer who freezes the account': () => officerDoes({ action: 'freeze', reason }),
  'an officer who closes the account': () => officerDoes({ action: 'disable', reason }),
  'the last wrong code that is taken': async () => {
    const { db, keyed } = house.site.running.services;
    const thief = house.visitor();
    const otp = await thief.submit(await thief.follow('/login'), '/password', {
      username: person.nip,
      password: PASSWORD,
    });
    await db.query(
      `INSERT INTO failure_counters (scope, key, failures, recent, updated_at) VALUES ('otp', $1, 49, '{}', $2)
       ON CONFLICT (scope, key) DO UPDATE SET failures = 49, recent = '{}', wait_until = NULL`,
      [keyed('second factor', person.id), house.time.now()],
    );
    const wrong = String((Number(otpOf(person)) + 500_000) % 1_000_000).padStart(6, '0');
    expect((await thief.submit(otp, '/otp', { otp: wrong })).page).not.toBe('launcher');
  },
  'the employee leaving': () => importPerson(person, 'inactive'),
  'the employee missing in a full file of the personnel system': async () => {
    await importPerson(person, 'active');
    await importPerson(person, undefined);
  },
};

const OWN_WAYS = Object.entries(OWN_CHANGES).map(([name, change]): [string, Way] => [
  name,
  () => change(house, person),
]);

const isTold = ({ id_token: idToken }: Tokens): boolean =>
  house.party.received.some(({ token }) => decodeJwt(token).sid === decodeJwt(idToken).sid);

describe('a login ends, and the relying party is told, by', () => {
  it.each([...Object.entries(WAYS), ...OWN_WAYS])('%s', async (_, way) => {
    const browsers = [await house.signIn(person), await house.signIn(person)];
    const [first] = browsers as [(typeof browsers)[0]];
    house.time.pass({ seconds: 30 });
    await way(first.visitor);
    const { tokens } = first;
    const began = performance.now();
    expect((await userinfo(house.visitor(), tokens)).status).toBe(401);
    expect(errorIn(await rotating.refresh(house.visitor(), tokens.refresh_token))).toBe('invalid_grant');
    expect(performance.now() - began).toBeLessThan(1_000);
    await eventually('the relying party to be told', () => isTold(tokens));
    const told = house.party.received.find(({ token }) => decodeJwt(token).sid === decodeJwt(tokens.id_token).sid);
    const keys = createRemoteJWKSet(new URL(`${house.site.origin}/oidc/jwks`));
    const { payload, protectedHeader } = await jwtVerify(told?.token ?? '', keys, {
      issuer: house.site.origin,
      audience: ROTATING,
      typ: 'logout+jwt',
    });
    expect(payload.sub).toBe(person.id);
    expect(protectedHeader.alg).toBe('ES256');
    expect(house.party.received.filter(({ token }) => decodeJwt(token).sid === payload.sid)).toHaveLength(1);
  });

  it('somebody else, who signs in in the same browser', async () => {
    const { visitor, tokens } = await house.signIn(person);
    const next = await house.person();
    house.time.pass({ seconds: 30 });
    const page = await visitor.follow('/account/sessions');
    expect(page.page).toBe('account/sessions');
    const login = await visitor.follow(
      `/oidc/auth?${new URLSearchParams({
        client_id: ROTATING,
        redirect_uri: 'http://127.0.0.1:9/callback',
        response_type: 'code',
        scope: 'openid',
        prompt: 'login',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      }).toString()}`,
    );
    const otp = await visitor.submit(login, '/password', { username: next.nip, password: 'Kuda Zebra 7 lari-lari' });
    await visitor.submit(otp, '/otp', { otp: otpOf(next) });
    await eventually('the relying party to be told', () => isTold(tokens));
    expect((await userinfo(visitor, tokens)).status).toBe(401);
  });
});

describe('a relying party that does not answer', () => {
  it('keeps nobody waiting: logout p95 below 500 ms at 20 a second, and mails leave (R-33, F-22)', async () => {
    house.party.answer = { afterMs: 30_000 };
    const COUNT = 24;
    const browsers: Awaited<ReturnType<ToldSite['signIn']>>[] = [];
    for (let index = 0; index < COUNT; index += 1) browsers.push(await house.signIn(await house.person()));
    const pages = await Promise.all(
      browsers.map(async ({ visitor }, index) =>
        index % 2 === 0
          ? { visitor, page: await visitor.follow(`/oidc/logout?client_id=${ROTATING}`), action: '/confirm' }
          : { visitor, page: await visitor.follow('/login'), action: '/logout' },
      ),
    );
    const took = await Promise.all(
      pages.map(async ({ visitor, page, action }, index) => {
        await pause(index * 50);
        const began = performance.now();
        await visitor.submit(page, action);
        return performance.now() - began;
      }),
    );
    const p95 = took.toSorted((a, b) => a - b)[Math.ceil(COUNT * 0.95) - 1] ?? 0;
    figures('logout with a relying party that hangs', { p95, most: Math.max(...took) });
    expect(p95).toBeLessThan(500);
    for (const { tokens } of browsers) expect((await userinfo(house.visitor(), tokens)).status).toBe(401);

    // The mails have workers of their own.
    await changePassword(house.site, { visitor: house.visitor(), person, ledger: newLedger() });
    const { db } = house.site.running.services;
    const [waiting] = await db.query("SELECT count(*)::int AS n FROM outbox WHERE kind = 'backchannel_logout'");
    expect(waiting?.n).toBe(COUNT);
  });
});
