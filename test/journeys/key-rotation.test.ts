import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeProtectedHeader,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { logIn } from '../faults/working-day.js';
import { builtProgram } from '../support/built-program.js';
import { addEmployees, hasFreshOtp, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { openInstallation, type Installation } from '../support/installation.js';
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js';
import { eventually, type ServerProcess } from '../support/processes.js';
import { hasRedis, startRedis, type RedisServer } from '../support/redis.js';
import { authorizationRequest, codeIn, REGISTRATIONS, rotating, ROTATING, tokensIn } from '../support/relying-party.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import type { Visitor } from '../support/visitor.js';

// F-17, R-54: three rotations under load, over two processes of the built program, and every token verifies at relying
// parties that keep the key set. A day of caching is four seconds here.
jest.setTimeout(240_000);

const CACHE_MS = 4_000;
/** What they keep, how long the processes take to follow, and room for a busy machine. */
const LEAD_SECONDS = 12;
const OVERLAP_SECONDS = 12;
const ROTATIONS = 3;
const PEOPLE = 60;
const AT_ONCE = 3;

const SECRET = 'a-shared-secret-of-forty-characters-long';
const API = 'https://api.example/archive';
const basic = (client: string) => ({
  authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}`,
});
const MORE: readonly object[] = [
  {
    client_id: 'elderly',
    client_name: 'Layanan Lama',
    redirect_uris: ['http://127.0.0.1:9/callback'],
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: SECRET,
    id_token_signed_response_alg: 'RS256',
  },
  {
    client_id: 'machine',
    client_name: 'Mesin',
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    x: { resources: { [API]: ['read'] } },
  },
];

let database: TestDatabase;
let redis: RedisServer | undefined;
let folder: string;
let told: LogoutReceiver;
let house: Installation;
let processes: readonly ServerProcess[];
let channel: Visitor;
let people: Employee[];
let parties: readonly Party[];

/** `sso-asn keys ...` as an operator types it. */
async function keys(...argv: string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [await builtProgram(), 'keys', ...argv], {
    env: { PATH: process.env.PATH, ...house.settings },
  });
  return stdout.trim().split('\n');
}
const rotate = (lead: number) => keys('rotate', '--lead', String(lead), '--overlap', String(OVERLAP_SECONDS));

/** Somebody who verifies what it gets, with the keys that it has. */
interface Party {
  readonly name: string;
  readonly keys: JWTVerifyGetKey;
}

/** Reads the key set when what it has is too old, and never for another reason. */
function reader(): JWTVerifyGetKey {
  let readAt = Number.NEGATIVE_INFINITY;
  let known: Promise<ReturnType<typeof createLocalJWKSet>>;
  return async (header, token) => {
    if (performance.now() - readAt > CACHE_MS) {
      readAt = performance.now();
      known = channel.ask('/oidc/jwks').then(({ body }) => createLocalJWKSet(JSON.parse(body) as JSONWebKeySet));
    }
    return (await known)(header, token);
  };
}

beforeAll(async () => {
  [database, folder, told] = await Promise.all([
    createTestDatabase(),
    makeTemporaryFolder('sso-asn-rotation-'),
    startLogoutReceiver(),
  ]);
  redis = hasRedis ? await startRedis() : undefined;
  const registrations = [...REGISTRATIONS, ...MORE].map((each) =>
    (each as { client_id: string }).client_id === ROTATING ? { ...each, backchannel_logout_uri: told.address } : each,
  );
  const clientsFile = join(folder, 'clients.json');
  await writeFile(clientsFile, JSON.stringify(registrations));
  house = await openInstallation({
    databaseUrl: database.url,
    settings: { CLIENTS_FILE: clientsFile, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) },
  });
  // Together: the first keys are made once all the same.
  processes = await Promise.all([house.start(), house.start()]);
  channel = house.visitor();
  people = await addEmployees(house.services, { count: PEOPLE, state: 'enrolled' });
  const address = new URL(`${house.issuer}/oidc/jwks`);
  parties = [
    { name: 'reads once in its time', keys: reader() },
    { name: 'jose, reads once in its time', keys: createRemoteJWKSet(address, { cacheMaxAge: CACHE_MS }) },
    {
      name: 'jose, reads for an unknown kid, not twice in a short while',
      keys: createRemoteJWKSet(address, { cacheMaxAge: Infinity, cooldownDuration: 400 }),
    },
  ];
});
afterAll(async () => {
  channel.close();
  await house.stop();
  await told.stop();
  await redis?.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** What was verified, by whom, and what was not. */
class Register {
  readonly failures: string[] = [];
  readonly verified = new Map<string, number>();
  readonly kids = new Map<string, Set<string>>();

  async judge(kind: string, token: string): Promise<void> {
    const { alg = '', kid = '' } = decodeProtectedHeader(token);
    this.kids.set(alg, (this.kids.get(alg) ?? new Set()).add(kid));
    for (const party of parties) {
      const failure = await jwtVerify(token, party.keys, { issuer: house.issuer, currentDate: new Date() }).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (failure === undefined) this.verified.set(kind, (this.verified.get(kind) ?? 0) + 1);
      else this.failures.push(`${party.name}: ${kind} ${kid}: ${failure}`);
    }
  }
}

/** One person after the other logs in at two services, stays a while and logs out; a service calls for itself. */
async function work(register: Register, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const at = people.findIndex(hasFreshOtp);
    const [person] = at === -1 ? [] : people.splice(at, 1);
    if (person === undefined) {
      await pause(200);
      continue;
    }
    const visitor = house.visitor({ address: `10.9.${people.length}.${Math.floor(performance.now() / 1000) % 250}` });
    let tokens = await logIn(visitor, person);
    await register.judge('ID token', tokens.id_token);

    const request = authorizationRequest('elderly');
    const code = codeIn(await visitor.follow(request.path)) ?? '';
    const form = {
      grant_type: 'authorization_code',
      redirect_uri: request.params.redirect_uri ?? '',
      code,
      code_verifier: request.verifier,
    };
    const redeemed = await visitor.ask('/oidc/token', { form, headers: basic('elderly') });
    await register.judge('ID token, RS256', tokensIn(redeemed).id_token);

    for (let turn = 0; turn < 3; turn += 1) {
      const called = await channel.ask('/oidc/token', {
        form: { grant_type: 'client_credentials', scope: 'read', resource: API },
        headers: basic('machine'),
      });
      const { access_token: access } = tokensIn(called);
      await register.judge('access token', access);
      await pause(300);
      tokens = tokensIn(await rotating.refresh(channel, tokens.refresh_token));
      await register.judge('ID token of a refresh', tokens.id_token);
      // A token is used for as long as it lives.
      await register.judge('access token of before', access);
    }
    const page = await visitor.follow(`/oidc/logout?id_token_hint=${tokens.id_token}`);
    await visitor.submit(page, '/confirm');
    people.push(person);
    visitor.close();
  }
}

/** Load from now on, until it is told to end. */
function load(): { readonly register: Register; readonly end: () => Promise<void> } {
  const register = new Register();
  let going = true;
  let judged = told.received.length;
  const logouts = async (): Promise<void> => {
    while (going || judged < told.received.length) {
      const next = told.received[judged];
      if (next === undefined) await pause(50);
      else {
        judged += 1;
        await register.judge('logout token', next.token);
      }
    }
  };
  const all = Promise.all([...Array.from({ length: AT_ONCE }, () => work(register, () => going)), logouts()]);
  return {
    register,
    async end() {
      going = false;
      await all;
    },
  };
}

const published = async (port: number, alg = 'ES256'): Promise<readonly (string | undefined)[]> => {
  const { body } = await channel.ask('/oidc/jwks', { port });
  return (JSON.parse(body) as JSONWebKeySet).keys.filter((key) => key.alg === alg).map(({ kid }) => kid);
};
const signer = async ({ port }: ServerProcess): Promise<string> => (await published(port))[0] ?? '';

it('makes the first keys once, though two processes begin at once', async () => {
  const [row] = await house.services.db.query(
    `SELECT count(*)::integer AS n, (SELECT count(*)::integer FROM signing_keys) AS keys
       FROM audit_events WHERE type = 'key.generated'`,
  );
  expect(row).toEqual({ n: 2, keys: 2 });
});

it('three rotations under load: no verification fails', async () => {
  const { register, end } = load();
  await pause(2_000);
  for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
    const lines = await rotate(LEAD_SECONDS);
    expect(lines).toHaveLength(4);
    await expect(rotate(LEAD_SECONDS)).rejects.toThrow('a rotation of ES256 and RS256 is under way');
    await pause(LEAD_SECONDS * 1_000 + 1_000);
  }
  await pause(OVERLAP_SECONDS * 1_000 + 1_000);
  await end();
  const { failures, verified, kids } = register;
  figures('three rotations under load', {
    verified: Object.fromEntries(verified),
    failures: failures.length,
    kids: [...kids].map(([alg, of]) => `${alg} ${of.size}`),
  });
  expect(failures.slice(0, 5)).toEqual([]);
  expect([kids.get('ES256')?.size, kids.get('RS256')?.size]).toEqual([ROTATIONS + 1, ROTATIONS + 1]);
  expect([...verified.keys()].sort()).toEqual([
    'ID token',
    'ID token of a refresh',
    'ID token, RS256',
    'access token',
    'access token of before',
    'logout token',
  ]);
  for (const { port } of processes) expect(await published(port)).toHaveLength(1);
  expect(house.errors()).toEqual([]);
});

it('without the lead the same relying parties meet what they cannot verify', async () => {
  const { register, end } = load();
  await eventually('something to be verified', () => register.verified.size > 2);
  expect(register.failures).toEqual([]);
  await rotate(0);
  await pause(CACHE_MS + 2_000);
  await end();
  figures('without a lead', { failures: register.failures.length });
  expect(register.failures.join()).toContain('reads once in its time: ');
});

it('a revoked key is gone from every process within ten seconds, without a restart', async () => {
  const [old = ''] = await Promise.all(processes.map(signer));
  const gone = processes.map(async (each) => {
    await eventually('the process to follow', async () => !(await published(each.port)).includes(old));
    return Date.now();
  });
  const lines = await keys('revoke', old);
  expect(lines[0]).toContain(`ES256 key ${old} is revoked`);
  const [row] = await house.services.db.query('SELECT revoked_at FROM signing_keys WHERE kid = $1', [old]);
  const followedMs = (await Promise.all(gone)).map((at) => at - (row?.revoked_at as Date).getTime());
  figures('revoked', { followedMs });
  expect(Math.max(...followedMs)).toBeLessThan(10_000);
  const signers = await Promise.all(processes.map(signer));
  expect(new Set(signers).size).toBe(1);
  expect(signers[0]).not.toBe(old);

  const { register, end } = load();
  await pause(CACHE_MS + 1_000);
  const failed = register.failures.length;
  await pause(3_000);
  await end();
  // Once everybody has read the key set again.
  expect(register.failures.slice(failed)).toEqual([]);
  expect(register.kids.get('ES256')).toEqual(new Set(signers));
});
