import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { createAudit } from '#src/audit/audit.js';
import { systemClock } from '#src/kernel/clock.js';
import { accountId } from '#src/kernel/ids.js';
import { registryOf } from '../clients/support/registry.js';
import { parseClients } from '#src/clients/clients-file.js';
import { loadSigningKeys } from '#src/oidc/keys/keys.js';
import { createLogoutDelivery, LOGOUT_TIMEOUT_MS } from '#src/oidc/logout/logout-delivery.js';
import { BACKCHANNEL_LOGOUT, createLogoutNotices } from '#src/oidc/logout/logout-notices.js';
import { createSubjects, type Subjects } from '#src/oidc/tokens/subjects.js';
import { createOutbox } from '#src/outbox/outbox.js';
import { TO_MANY } from '#src/outbox/retry.js';
import { createOutboxWorker, type OutboxWorker } from '#src/outbox/worker.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createFormPost } from '#src/security/outbound-form.js';
import { createReachable } from '#src/security/reachable.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js';
import { figures } from '../support/figures.js';
import { quietLog } from '../support/quiet-log.js';
import { openTestDatabase } from '../support/test-database.js';
import { keyOf } from './support/registrations.js';

// OpenID Connect Back-Channel Logout 1.0, against a relying party that behaves well, badly and not at all (R-33, F-22).
const ISSUER = 'https://sso.asn.example';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const account = accountId(randomUUID());
const DAY = 24 * 3600;

const db = await openTestDatabase();
let now: Date;
const clock = { now: () => now };
const advance = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};
const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
const log = quietLog();

let party: LogoutReceiver;
let other: LogoutReceiver;
let jwks: JSONWebKeySet;
let subjects: Subjects;
let worker: OutboxWorker;
let privateHosts: string[];
let allowsLoopback: boolean;

const registration = (id: string, more: object): object => {
  const { kty, crv, x, y } = keyOf(id);
  return {
    client_id: id,
    client_name: id,
    redirect_uris: [`https://${id}.example/cb`],
    jwks: { keys: [{ kty, crv, x, y }] },
    ...more,
  };
};

async function open(): Promise<void> {
  const loaded = parseClients(
    [
      registration('myasn', { backchannel_logout_uri: party.address }),
      registration('lama', { backchannel_logout_uri: other.address, id_token_signed_response_alg: 'RS256' }),
      registration('diam', {}),
      registration('samar', { backchannel_logout_uri: party.address, subject_type: 'pairwise' }),
    ],
    { issuer: new URL(ISSUER), adminResource: 'x', production: false, demoSecret: undefined },
  );
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems));
  const registry = registryOf(loaded.clients, {
    issuer: new URL(ISSUER),
    name: 'ASN Digital',
    console: { origin: ISSUER, name: 'Helpdesk SSO ASN' },
  });
  subjects = createSubjects({ keyed: createKeyedDigest(Buffer.alloc(32, 9)), registry });
  const { keys } = await loadSigningKeys({ db, box, clock: systemClock, audit: createAudit(systemClock) });
  jwks = {
    keys: await Promise.all(
      keys.map(async (key) => ({ ...(await key.keyObject()).export({ format: 'jwk' }), kid: key.kid, alg: key.alg })),
    ),
  } as JSONWebKeySet;
  const reachable = createReachable({ privateHosts, allowsLoopback });
  const post = createFormPost({ reachable, timeoutMs: LOGOUT_TIMEOUT_MS });
  const deliver = createLogoutDelivery({
    registry,
    subjects,
    keys: () => keys,
    issuer: ISSUER,
    clock,
    post,
  });
  const handlers = { [BACKCHANNEL_LOGOUT]: deliver };
  worker = createOutboxWorker({ db, box, clock, log, handlers, concurrency: 20, waits: TO_MANY });
  notices = createLogoutNotices({ outbox: createOutbox({ box, clock }), registry });
}
let notices: ReturnType<typeof createLogoutNotices>;

const queue = (...clients: string[]): Promise<void> =>
  db.transaction((tx) =>
    notices.queue(
      tx,
      clients.map((clientId, index) => ({ clientId, accountId: account, sid: `sid-${clientId}-${index}` })),
    ),
  );
const rows = (where = 'true') =>
  db.query(`SELECT attempts, last_error, dead_at, payload, next_attempt_at FROM outbox WHERE ${where}`);
const claimsAt = async (token: string, audience: string): Promise<JWTPayload> =>
  (
    await jwtVerify(token, createLocalJWKSet(jwks), {
      issuer: ISSUER,
      audience,
      typ: 'logout+jwt',
      currentDate: now,
      requiredClaims: ['iat', 'exp', 'jti', 'sub', 'sid', 'events'],
    })
  ).payload;

beforeAll(async () => {
  [party, other] = [await startLogoutReceiver(), await startLogoutReceiver()];
});
beforeEach(async () => {
  now = new Date('2026-11-23T00:30:00Z');
  [privateHosts, allowsLoopback] = [[], true];
  for (const receiver of [party, other]) {
    receiver.answer = 204;
    (receiver.received as unknown[]).length = 0;
  }
  await db.query('DELETE FROM outbox');
  await createAudit(systemClock).prepare(db);
  await open();
});
afterEach(() => worker.stop());
afterAll(async () => {
  await party.stop();
  await other.stop();
  await db.drop();
});

describe('a logout token', () => {
  it('says what section 2.4 asks for, in a form, and is gone once it was taken', async () => {
    await queue('myasn');
    await worker.deliverDue();
    expect(party.received).toHaveLength(1);
    const [got] = party.received;
    const { token = '', contentType, path } = got ?? {};
    expect([path, contentType]).toEqual(['/backchannel-logout', 'application/x-www-form-urlencoded']);
    const claims = await claimsAt(token, 'myasn');
    expect(claims).toEqual({
      iss: ISSUER,
      aud: 'myasn',
      sub: account,
      sid: 'sid-myasn-0',
      iat: now.getTime() / 1000,
      exp: now.getTime() / 1000 + 120,
      jti: expect.stringMatching(/^[\w-]{20,}$/) as unknown,
      events: { [EVENT]: {} },
    });
    expect(await rows()).toEqual([]);
  });

  it('is signed as the client registered it for its ID tokens', async () => {
    await queue('myasn', 'lama');
    await worker.deliverDue();
    const algOf = (token = ''): unknown =>
      (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }).alg;
    expect([party, other].map(({ received }) => algOf(received[0]?.token))).toEqual(['ES256', 'RS256']);
    expect((await claimsAt(other.received[0]?.token ?? '', 'lama')).sid).toBe('sid-lama-1');
  });

  it('names the person as the client knows them', async () => {
    await queue('samar');
    await worker.deliverDue();
    const { sub } = await claimsAt(party.received[0]?.token ?? '', 'samar');
    expect(sub).toBe(subjects.at('samar', account));
    expect(sub).not.toBe(account);
  });

  it('goes to who asked for it and to nobody else', async () => {
    await queue('diam', 'asn-digital', 'nobody');
    expect(await rows()).toEqual([]);
  });

  it('that a rolled-back transaction queued never leaves', async () => {
    const failed = db.transaction(async (tx) => {
      await notices.queue(tx, [{ clientId: 'myasn', accountId: account, sid: 's' }]);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await worker.deliverDue();
    expect(party.received).toEqual([]);
  });
});

describe('a relying party that', () => {
  it.each([200, 204])('answers %i has been told', async (status) => {
    party.answer = status;
    await queue('myasn');
    await worker.deliverDue();
    expect(await rows()).toEqual([]);
  });

  it.each([302, 400, 401, 404])('answers %i is not asked again, nor followed', async (status) => {
    party.answer = status;
    await queue('myasn');
    await worker.deliverDue();
    expect(await rows()).toMatchObject([{ last_error: `http_${status}`, payload: null, dead_at: now }]);
    advance(DAY);
    await worker.deliverDue();
    expect(party.received).toHaveLength(1);
  });

  it.each([500, 503, 429, 408])('answers %i is asked again, with a new token', async (status) => {
    party.answer = status;
    await queue('myasn');
    await worker.deliverDue();
    expect(await rows()).toMatchObject([{ attempts: 1, last_error: `http_${status}`, dead_at: null }]);
    advance(1);
    party.answer = 204;
    advance(10);
    await worker.deliverDue();
    const [first, second] = party.received.map(({ token }) => decodeJwt(token));
    expect(second).toMatchObject({ sid: first?.sid, iat: (first?.iat ?? 0) + 11 });
    expect(second?.jti).not.toBe(first?.jti);
    await claimsAt(party.received[1]?.token ?? '', 'myasn');
    expect(await rows()).toEqual([]);
  });

  it('is down for ten minutes has everything as soon as it takes one of them', async () => {
    await queue(...Array.from({ length: 10 }, () => 'myasn'));
    await party.goDown();
    for (let second = 0; second < 600; second += 20) {
      await worker.deliverDue();
      advance(20);
    }
    expect(await rows()).toHaveLength(10);
    expect(await rows("last_error = 'ECONNREFUSED'")).toHaveLength(10);
    const [{ attempts } = {}] = await rows();
    expect(attempts).toBeLessThan(12);
    await party.comeBack();
    const [next] = await db.query('SELECT min(next_attempt_at) AS at FROM outbox');
    now = next?.at as Date;
    // Its lane may still be left alone, and some are due within a lease anyway.
    for (let half = 0; half < 3; half += 1) {
      await worker.deliverDue();
      advance(31);
    }
    expect(await rows()).toEqual([]);
    expect(new Set(party.received.map(({ token }) => decodeJwt(token).sid)).size).toBe(10);
  });

  it('never comes back is given up after a day', async () => {
    await queue('myasn');
    await party.goDown();
    await worker.deliverDue();
    advance(DAY - 60);
    await worker.deliverDue();
    expect(await rows('dead_at IS NULL')).toHaveLength(1);
    advance(600);
    await worker.deliverDue();
    expect(await rows('dead_at IS NOT NULL')).toHaveLength(1);
    await party.comeBack();
  });

  it('does not answer is waited for 2.5 seconds, then left alone, and holds up nobody else', async () => {
    party.answer = { afterMs: 30_000 };
    await queue(...Array.from({ length: 60 }, () => 'myasn'), 'lama');
    const began = performance.now();
    const done = worker.deliverDue();
    while (other.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const otherMs = performance.now() - began;
    await done;
    const allMs = performance.now() - began;
    // Twenty at once for 2.5 s; then its lane is left alone, and the other forty cost nothing, not even a row written.
    expect(otherMs).toBeLessThan(5_000);
    expect(allMs).toBeLessThan(6_000);
    expect(party.received.length).toBeLessThan(25);
    expect(await rows("last_error = 'timeout'")).toHaveLength(party.received.length);
    expect(await rows('attempts = 0')).toHaveLength(60 - party.received.length);
    expect(other.received).toHaveLength(1);
  });

  it('answers again after a while gets everything', async () => {
    party.answer = 'never';
    await queue(...Array.from({ length: 25 }, () => 'myasn'));
    await worker.deliverDue();
    expect((await rows("last_error = 'timeout'")).length).toBeGreaterThanOrEqual(20);
    party.answer = 204;
    await worker.deliverDue();
    expect(new Set(party.received.map(({ token }) => decodeJwt(token).sid)).size).toBeLessThan(25);
    advance(31);
    await worker.deliverDue();
    expect(await rows()).toEqual([]);
    expect(new Set(party.received.map(({ token }) => decodeJwt(token).sid)).size).toBe(25);
  });

  it('is dead with thousands before its door delays nobody, and costs some attempts every half a minute', async () => {
    await party.goDown();
    for (let thousand = 0; thousand < 10; thousand += 1) await queue(...Array.from({ length: 1000 }, () => 'myasn'));
    await queue('lama');
    const began = performance.now();
    await worker.deliverDue();
    const tookMs = performance.now() - began;
    const tried = (await rows('attempts > 0')).length;
    figures('10,000 messages to a dead relying party, and one to another behind them', { tookMs, tried });
    expect(other.received).toHaveLength(1);
    expect(tried).toBeLessThan(50);
    // An hour of it.
    for (let second = 0; second < 3600; second += 30) {
      advance(30);
      await worker.deliverDue();
    }
    const [sum] = await db.query('SELECT sum(attempts)::int AS attempts FROM outbox');
    figures('attempts in an hour', { attempts: sum?.attempts });
    expect(Number(sum?.attempts)).toBeLessThan(120 * 50);
    await party.comeBack();
    // The first that is tried calls the others.
    advance(31);
    await worker.deliverDue();
    advance(31);
    await worker.deliverDue();
    expect(await rows()).toEqual([]);
    expect(new Set(party.received.map(({ token }) => decodeJwt(token).sid)).size).toBe(1000);
  }, 180_000);
});

describe('an address that is private (R-50)', () => {
  it('is not called in production, and waits until operators have listed it', async () => {
    allowsLoopback = false;
    await open();
    await queue('myasn');
    await worker.deliverDue();
    expect(party.received).toEqual([]);
    expect(await rows()).toMatchObject([{ last_error: 'private_address', dead_at: null }]);
    privateHosts = ['127.0.0.0/8'];
    await open();
    advance(60);
    await worker.deliverDue();
    expect(party.received).toHaveLength(1);
  });
});

it('the log holds ids and codes, no address and no token', async () => {
  party.answer = 503;
  await queue('myasn');
  await worker.deliverDue();
  party.answer = 400;
  advance(60);
  await worker.deliverDue();
  const text = JSON.stringify(log.lines);
  expect(text).toContain('http_503');
  expect(text).toContain('http_400');
  expect(text).not.toMatch(/127\.0\.0\.1|backchannel-logout|eyJ/);
});
