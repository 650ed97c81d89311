import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { DEVICE_GRANT } from '#src/clients/client-schema.js';
import { askAsDevice, SCREEN, startDevice, type DeviceStart } from '../support/device-client.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute } from '../support/person.js';
import type { QuietLog } from '../support/quiet-log.js';
import { errorIn, tokensIn, userinfo } from '../support/relying-party.js';
import { startToldSite, type ToldSite } from '../support/told-site.js';
import type { Answer, Visitor } from '../support/visitor.js';

/** RFC 8628 against the running program: the device, and the person with a browser (docs/adr/0030). */
jest.setTimeout(120_000);

const CLOSED = { ...SCREEN, client_id: 'layar-pns', x: { allowed_employment: ['PPPK_PARUH_WAKTU'] } };
const FRESH = { ...SCREEN, client_id: 'layar-segar', x: { max_age_seconds: 60 } };
const STRONG = { ...SCREEN, client_id: 'layar-kuat', x: { acr: 'phr' } };
const FILES = 'https://berkas.example/api';
const WIDE = {
  ...SCREEN,
  client_id: 'layar-luas',
  x: { claims: ['name', 'email', 'agency', 'nip'], resources: { [FILES]: ['read', 'erase'] } },
};
const BOUND = { ...SCREEN, client_id: 'layar-terikat', application_type: 'web' };

let house: ToldSite;
let device: Visitor;
beforeAll(async () => {
  house = await startToldSite(() => [SCREEN, CLOSED, FRESH, STRONG, BOUND, WIDE]);
  device = house.visitor();
});
afterAll(() => house.stop());
afterEach(() => {
  const { lines } = house.site.running.services.log as QuietLog;
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

const db = () => house.site.running.services.db;

/** Types a code; answers the page that it leads to. */
const type = async (visitor: Visitor, code: string): Promise<Answer> =>
  visitor.submit(await visitor.ask('/device'), '/device', { user_code: code });

/** Types a code and logs in with both factors; answers the question. */
async function logIn(visitor: Visitor, person: Employee, code: string): Promise<Answer> {
  house.time.pass({ seconds: 30 });
  const login = await type(visitor, code);
  expect(login.page).toBe('sign-in/password');
  const otp = await visitor.submit(login, '/password', { username: person.nip, password: PASSWORD });
  return visitor.submit(otp, '/otp', { otp: otpOf(person) });
}

const approve = (visitor: Visitor, question: Answer): Promise<Answer> => visitor.submit(question, '/approve');
const refuse = (visitor: Visitor, question: Answer): Promise<Answer> => visitor.submit(question, '/refuse');
const ask = async ({ device_code: code }: DeviceStart, clientId = SCREEN.client_id): Promise<Answer> => {
  house.time.pass({ seconds: 6 });
  return askAsDevice(device, code, { clientId });
};
const audited = async (type: string): Promise<readonly unknown[]> =>
  (await db().query('SELECT detail, account_id, client_id FROM audit_events WHERE type = $1 ORDER BY id', [type])).map(
    ({ detail, account_id: accountId, client_id: clientId }) => ({ detail, accountId, clientId }),
  );

describe('a device is let in', () => {
  it('by the person who types its code, logs in and says yes; and the tokens are theirs', async () => {
    const person = await house.person();
    const started = await startDevice(device);
    expect(started).toMatchObject({
      user_code: expect.stringMatching(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/),
      verification_uri: `${house.site.origin}/device`,
      verification_uri_complete: `${house.site.origin}/device?user_code=${started.user_code}`,
      expires_in: 600,
      interval: 5,
    });
    expect(errorIn(await ask(started))).toBe('authorization_pending');

    const visitor = house.visitor();
    const question = await logIn(visitor, person, started.user_code.toLowerCase().replace('-', ' '));
    expect(question.page).toBe('device/confirm');
    expect(question.body).toContain(SCREEN.client_name);
    expect(attribute(question.body, 'data-user-code')).toBe(started.user_code);
    // Not before the person's word.
    expect(errorIn(await ask(started))).toBe('authorization_pending');

    const done = await approve(visitor, question);
    expect([done.page, done.path]).toEqual(['device/done', '/device/done']);
    const answer = await ask(started);
    expect(answer.status).toBe(200);
    const tokens = tokensIn(answer);
    const claims = decodeJwt(tokens.id_token);
    expect(claims).toMatchObject({ sub: person.id, aud: SCREEN.client_id, acr: 'urn:asn:aal2' });
    expect(typeof claims.sid).toBe('string');
    expect(JSON.parse((await userinfo(device, tokens)).body)).toMatchObject({ sub: person.id, nip: person.nip });
    expect((await audited('device_login.approved')).at(-1)).toEqual({
      detail: {},
      accountId: person.id,
      clientId: SCREEN.client_id,
    });

    // Once; and whoever comes second ends it.
    expect(errorIn(await ask(started))).toBe('invalid_grant');
    expect((await userinfo(device, tokens)).status).toBe(401);
    expect((await audited('grant.revoked')).at(-1)).toMatchObject({ detail: { cause: 'device_code.reused' } });
  });

  it('at once where somebody is logged in, and the activity page and the sessions page say so', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    const started = await startDevice(device);
    const linked = await visitor.ask(started.verification_uri_complete.slice(house.site.origin.length));
    expect(linked.page).toBe('device/code');
    expect(attribute(linked.body.slice(linked.body.indexOf('<input class="code')), 'value')).toBe(started.user_code);
    const question = await visitor.submit(linked, '/device', { user_code: started.user_code });
    expect(question.page).toBe('device/confirm');
    expect((await approve(visitor, question)).page).toBe('device/done');
    expect((await ask(started)).status).toBe(200);
    expect((await visitor.follow('/account/activity')).body).toContain(
      `Perangkat lain diizinkan masuk ke ${SCREEN.client_name}`,
    );
    expect((await visitor.follow('/account/sessions')).body).toContain(SCREEN.client_name);
  });

  it('with openid-client, as relying parties do it', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- plain HTTP to this machine
    const execute = [oidc.allowInsecureRequests];
    const config = await oidc.discovery(new URL(house.site.origin), SCREEN.client_id, undefined, oidc.None(), {
      execute,
    });
    const started = await oidc.initiateDeviceAuthorization(config, { scope: 'openid offline_access' });
    // The program's clock stands still; the device's does not.
    const walking = setInterval(() => {
      house.time.pass({ seconds: 2 });
    }, 1_000);
    try {
      const polling = oidc.pollDeviceAuthorizationGrant(config, started);
      const question = await type(visitor, started.user_code);
      expect(question.body).toContain('30 hari');
      await approve(visitor, question);
      const tokens = await polling;
      expect(tokens.claims()?.sub).toBe(person.id);
      const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
      // It was told to stay signed in, so it does when its person signs out here.
      const out = await visitor.follow('/oidc/logout');
      await visitor.submit(out, '/confirm');
      const again = await oidc.refreshTokenGrant(config, refreshed.refresh_token ?? '');
      expect(again.access_token).not.toBe(refreshed.access_token);
    } finally {
      clearInterval(walking);
    }
  });

  it('for as long as its person is signed in here, where nothing else was asked', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    const started = await startDevice(device, { clientId: BOUND.client_id });
    const question = await type(visitor, started.user_code);
    expect(question.body).toContain('Selama Anda masuk di peramban ini');
    await approve(visitor, question);
    const tokens = tokensIn(await ask(started, BOUND.client_id));
    expect((await userinfo(device, tokens)).status).toBe(200);
    await visitor.submit(await visitor.follow('/oidc/logout'), '/confirm');
    expect((await userinfo(device, tokens)).status).toBe(401);
  });
});

describe('the question about a device', () => {
  it('names what it asks for one by one, and where it could act', async () => {
    const { visitor } = await house.signIn(await house.person());
    const ask = async (scope: string, more: Record<string, string>): Promise<string> => {
      const started = await startDevice(device, { clientId: WIDE.client_id, scope, more });
      const question = await type(visitor, started.user_code);
      expect(question.page).toBe('device/confirm');
      return question.body;
    };
    const bare = await ask('openid', {});
    expect(bare).toContain('tanpa nama dan tanpa NIP');
    const claims = JSON.stringify({ userinfo: { email: null, nip: null }, id_token: { agency: null } });
    const asked = await ask('openid erase', { claims, resource: FILES });
    expect(asked).not.toContain('tanpa nama dan tanpa NIP');
    for (const line of ['Alamat e-mail', 'Instansi']) expect(asked).toContain(`<li>${line}</li>`);
    // By scope only, whatever is asked.
    expect(asked).not.toContain('<li>NIP</li>');
    expect(asked).toContain(`<bdi>${FILES}</bdi>: <code>erase</code>`);
  });
});

describe('a device is not let in', () => {
  it('when the person says no', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    const started = await startDevice(device);
    const question = await type(visitor, started.user_code);
    const refused = await refuse(visitor, question);
    expect([refused.page, refused.path]).toEqual(['device/refused', '/device/refused']);
    // As often as it asks.
    for (let time = 0; time < 2; time += 1) expect(errorIn(await ask(started))).toBe('access_denied');
    expect((await audited('device_login.refused')).at(-1)).toMatchObject({
      detail: { cause: 'person' },
      accountId: person.id,
      clientId: SCREEN.client_id,
    });
    expect((await visitor.follow('/account/activity')).body).toContain(`Perangkat lain ditolak: ${SCREEN.client_name}`);
    // The answer stands.
    expect((await type(visitor, started.user_code)).errors).toEqual(['code_invalid']);
    expect((await visitor.follow(question.path)).page).toBe('device/refused');
  });

  it('when the person thinks better of it before the login, in a browser that nobody has logged in with', async () => {
    const started = await startDevice(device);
    const visitor = house.visitor();
    const login = await type(visitor, started.user_code);
    expect(login.page).toBe('sign-in/password');
    expect(login.body).not.toContain(`Kembali ke ${SCREEN.client_name}`);
    expect(login.body).toContain('>Batalkan</button>');
    const refused = await visitor.submit(login, '/cancel');
    expect([refused.page, refused.path]).toEqual(['device/refused', '/device/refused']);
    expect(errorIn(await ask(started))).toBe('access_denied');
    expect((await audited('device_login.refused')).at(-1)).toMatchObject({ clientId: SCREEN.client_id });
  });

  it('for an application that the person may not use', async () => {
    const { visitor } = await house.signIn(await house.person());
    const started = await startDevice(device, { clientId: CLOSED.client_id });
    const page = await type(visitor, started.user_code);
    expect([page.page, page.status]).toEqual(['no-access', 403]);
    expect(attribute(page.body, 'data-missing')).toBe('employment');
    expect(page.body).toContain(`<code>${String(page.headers['x-request-id'])}</code>`);
    expect(errorIn(await ask(started, CLOSED.client_id))).toBe('access_denied');
    expect((await audited('device_login.refused')).at(-1)).toMatchObject({ detail: { cause: 'no_access' } });
  });

  it('after ten minutes, wherever its person has come by then', async () => {
    const { visitor } = await house.signIn(await house.person());
    const started = await startDevice(device);
    const question = await type(visitor, started.user_code);
    house.time.pass({ minutes: 10, seconds: 1 });
    const late = await approve(visitor, question);
    expect([late.page, late.status]).toEqual(['device/over', 410]);
    expect(errorIn(await ask(started))).toBe('expired_token');
    const typed = await type(visitor, started.user_code);
    expect([typed.page, typed.status, ...typed.errors]).toEqual(['device/code', 422, 'code_invalid']);
    expect(typed.body).toContain('lewat 10 menit');
  });

  it('with an authentication that is less than its client wants', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    house.time.pass({ minutes: 3 });
    const fresh = await startDevice(device, { clientId: FRESH.client_id });
    const again = await type(visitor, fresh.user_code);
    expect(again.page).toBe('sign-in/otp');
    const question = await visitor.submit(again, '/otp', { otp: otpOf(person) });
    expect(question.page).toBe('device/confirm');
    // Fresh when it was proved in this very passage, however long the person reads.
    house.time.pass({ minutes: 3 });
    expect((await approve(visitor, question)).page).toBe('device/done');
    expect((await ask(fresh, FRESH.client_id)).status).toBe(200);

    const strong = await startDevice(device, { clientId: STRONG.client_id });
    expect((await type(visitor, strong.user_code)).page).toBe('sign-in/passkey-missing');
    expect(errorIn(await ask(strong, STRONG.client_id))).toBe('authorization_pending');
  });

  it('by a session that ended before the answer', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    const started = await startDevice(device);
    const question = await type(visitor, started.user_code);
    const { endSessions } = house.site.running.services;
    await db().transaction((tx) => endSessions.ofAccounts(tx, [person.id]));
    const late = await approve(visitor, question);
    expect([late.page, late.status]).toEqual(['device/over', 410]);
    // Nobody has answered: the code still stands for who logs in.
    expect(errorIn(await ask(started))).toBe('authorization_pending');
  });

  it('when its account was frozen between the answer and its question', async () => {
    const person = await house.person();
    const { visitor } = await house.signIn(person);
    const started = await startDevice(device);
    await approve(visitor, await type(visitor, started.user_code));
    const { endSessions } = house.site.running.services;
    await db().transaction((tx) => endSessions.ofAccounts(tx, [person.id]));
    expect(errorIn(await ask(started))).toBe('invalid_grant');
  });

  it('as a client that was disabled meanwhile, or another than began', async () => {
    const started = await startDevice(device);
    expect(errorIn(await ask(started, BOUND.client_id))).toBe('invalid_grant');
    const { registry } = house.site.running.services;
    const { visitor } = await house.signIn(await house.person());
    const question = await type(visitor, started.user_code);
    const find = registry.registration.bind(registry);
    const gone = jest
      .spyOn(registry, 'registration')
      .mockImplementation((id) => (id === SCREEN.client_id ? undefined : find(id)));
    try {
      expect((await approve(visitor, question)).status).toBeGreaterThanOrEqual(400);
      expect((await type(visitor, started.user_code)).errors).toEqual(['code_invalid']);
      expect(errorIn(await ask(started))).toBe('invalid_client');
    } finally {
      gone.mockRestore();
    }
  });

  it('that is no client of the grant', async () => {
    const answer = await device.ask('/oidc/device', { form: { client_id: 'rotating', scope: 'openid' } });
    expect(answer.status).toBe(401);
  });
});

describe('the answer belongs to the browser and session that were asked', () => {
  it('and nobody else can give it', async () => {
    const [victim, attacker] = [await house.person(), await house.person()];
    const { visitor: theirs } = await house.signIn(victim);
    const { visitor: mine } = await house.signIn(attacker);
    const started = await startDevice(device);
    const question = await type(mine, started.user_code);
    const token = attribute((await theirs.ask('/device')).body, 'value') ?? '';

    // A form of another site, and one with the token of another browser.
    const path = `${question.path}/approve`;
    const foreign = await theirs.ask(path, { form: { csrf: token }, headers: { origin: 'https://evil.example' } });
    expect([foreign.status, ...foreign.errors]).toEqual([403, 'csrf_mismatch']);
    const stolen = await theirs.ask(path, { form: { csrf: attribute(question.body, 'value') ?? '' } });
    expect(stolen.status).toBe(403);
    // The right token of their own browser, at a question that was asked elsewhere.
    expect((await theirs.follow(path, { form: { csrf: token } })).page).toBe('device/over');
    expect((await theirs.follow(question.path)).page).toBe('device/over');
    expect(errorIn(await ask(started))).toBe('authorization_pending');
  });

  it('and two people who are asked about one device give one answer', async () => {
    const asked = await Promise.all([house.person(), house.person()]);
    const started = await startDevice(device);
    const pages = [];
    for (const person of asked) {
      const { visitor } = await house.signIn(person);
      pages.push({ person, visitor, question: await type(visitor, started.user_code) });
    }
    const answers = await Promise.all(pages.map(({ visitor, question }) => approve(visitor, question)));
    expect(answers.map(({ page }) => page).sort()).toEqual(['device/done', 'device/over']);
    const winner = pages[answers.findIndex(({ page }) => page === 'device/done')];
    expect(decodeJwt(tokensIn(await ask(started)).id_token).sub).toBe(winner?.person.id);
  });

  it('and a double tap is one answer', async () => {
    const { visitor } = await house.signIn(await house.person());
    const started = await startDevice(device);
    const question = await type(visitor, started.user_code);
    const before = (await audited('device_login.approved')).length;
    expect((await approve(visitor, question)).page).toBe('device/done');
    expect((await approve(visitor, question)).page).toBe('device/done');
    expect((await visitor.follow(question.path)).page).toBe('device/done');
    expect(await audited('device_login.approved')).toHaveLength(before + 1);
  });
});

describe('a device that asks', () => {
  it('too early is told to slow down, five seconds more each time; in time it is not (RFC 8628 section 3.5)', async () => {
    const { device_code: code } = await startDevice(device);
    const after = async (seconds: number): Promise<string | undefined> => {
      house.time.pass({ seconds });
      return errorIn(await askAsDevice(device, code));
    };
    expect(await after(0)).toBe('authorization_pending');
    expect(await after(5)).toBe('authorization_pending');
    expect(await after(2)).toBe('slow_down');
    expect(await after(6)).toBe('slow_down');
    expect(await after(15)).toBe('authorization_pending');
  });

  it('has a code that stands nowhere: neither in the table, nor does what is typed redeem anything', async () => {
    const started = await startDevice(device);
    const plain = started.user_code.replace('-', '');
    const [row] = await db().query(
      `SELECT count(*)::int AS n FROM device_codes d WHERE d::text LIKE '%' || $1 || '%' OR d::text LIKE '%' || $2 || '%'`,
      [started.device_code, plain],
    );
    expect(row?.n).toBe(0);
    const { visitor } = await house.signIn(await house.person());
    await approve(visitor, await type(visitor, started.user_code));
    for (const guess of [plain, `user:${plain}`, started.user_code]) {
      house.time.pass({ seconds: 6 });
      expect(errorIn(await askAsDevice(device, guess))).toBe('invalid_grant');
    }
    expect((await ask(started)).status).toBe(200);
  });
});

describe('guessing user codes (RFC 8628 section 5.1)', () => {
  const wrong = async (visitor: Visitor, times: number): Promise<Answer> => {
    let answer = await type(visitor, 'BBBB-BBBB');
    for (let time = 1; time < times; time += 1) answer = await type(visitor, 'BBBB-BBBB');
    return answer;
  };

  it('ends after ten in one browser, also for a right one; an hour later it begins anew', async () => {
    const visitor = house.visitor();
    expect((await wrong(visitor, 10)).errors).toEqual(['code_invalid']);
    const started = await startDevice(device);
    const shut = await type(visitor, started.user_code);
    expect([shut.status, ...shut.errors]).toEqual([429, 'throttled']);
    expect(Number(shut.headers['retry-after'])).toBeGreaterThan(3_000);
    house.time.pass({ minutes: 61 });
    expect((await wrong(visitor, 1)).errors).toEqual(['code_invalid']);
  });

  it('ends after sixty from one address, whatever cookies it keeps', async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 61; time += 1) {
      const visitor = house.visitor();
      const page = await visitor.ask('/device', { headers: { 'x-forwarded-for': '198.18.0.9' } });
      const form = { csrf: attribute(page.body, 'value') ?? '', user_code: 'BBBBBBBB' };
      statuses.push((await visitor.ask('/device', { form, headers: { 'x-forwarded-for': '198.18.0.9' } })).status);
      visitor.close();
    }
    expect(statuses.filter((status) => status === 422)).toHaveLength(60);
    expect(statuses.at(-1)).toBe(429);
  });

  it('costs nothing who types right, or something that cannot be a code', async () => {
    const { visitor } = await house.signIn(await house.person());
    for (let time = 0; time < 12; time += 1) {
      const started = await startDevice(device);
      expect((await type(visitor, started.user_code)).page).toBe('device/confirm');
      const page = await type(visitor, 'BCD');
      expect([page.status, ...page.errors]).toEqual([422, 'invalid_input']);
    }
  });
});

it("shuts the provider's own form", async () => {
  for (const path of [
    '/oidc/device/verification',
    '/oidc/device/verification?user_code=BBBBBBBB',
    '/oidc/device/VERIFICATION?user_code=BBBBBBBB',
    '/OIDC/device/verification',
    '/oidc/device/verification/',
    '/oidc/device/verification//',
    '/oidc/device/verificatio%6e',
    '/oidc/device/verification/..%2f',
  ]) {
    expect((await device.ask(path)).status).toBe(404);
    expect((await device.ask(path, { form: { user_code: 'BBBBBBBB', confirm: 'yes', xsrf: 'x' } })).status).toBe(404);
  }
  expect(DEVICE_GRANT).toBe('urn:ietf:params:oauth:grant-type:device_code');
});
