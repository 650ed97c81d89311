import { setFlagsFromString } from 'node:v8';
import { setTimeout as pause } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { createAudit } from '#src/audit/audit.js';
import { systemClock } from '#src/kernel/clock.js';
import { createKeyRotation } from '#src/oidc/keys/key-rotation.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { figures } from '../support/figures.js';
import { eventually } from '../support/processes.js';
import { BOX, House, type Tokens } from './support/house.js';
import { API } from './support/registrations.js';

// the provider is made anew when the keys have changed, and put in the place of the old one.
jest.setTimeout(60_000);

let house: House;
/** While set, statements of the provider wait. */
let held: Promise<void> | undefined;
const through = (db: Database): Database => ({
  ...db,
  query: async (text, values) => {
    await held;
    return db.query(text, values);
  },
});

beforeAll(async () => {
  house = await House.open({ through });
});
afterAll(async () => {
  house.openid.stop();
  await house.close();
});

const rotation = () =>
  createKeyRotation({ db: house.db, box: BOX, clock: systemClock, audit: createAudit(systemClock) });
/** A new key that signs in a moment; the old one stays for an hour. */
async function rotate(leadSeconds = 0): Promise<string> {
  const rotated = await rotation().rotate({ algs: ['ES256'], leadSeconds, overlapSeconds: 3600 });
  if (rotated.kind !== 'rotated') throw new Error('a rotation was under way');
  return rotated.keys[0]?.kid ?? '';
}
const keySet = async (): Promise<JSONWebKeySet> =>
  JSON.parse((await house.browser().call(house.address('/oidc/jwks'))).body) as JSONWebKeySet;
const kids = async (): Promise<readonly (string | undefined)[]> =>
  (await keySet()).keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid;
const logIn = async (clientId = 'web', params = {}): Promise<Tokens> =>
  house.tokens({ browser: house.browser(), clientId, params, account: await house.person() });
const signOut = async (hint: string): Promise<number> => {
  const url = new URL(house.address('/oidc/logout'));
  url.searchParams.set('id_token_hint', hint);
  return (await house.browser().call(url)).status;
};

describe('new signing keys', () => {
  it('are published and sign, and what the old ones signed still verifies', async () => {
    const before = await logIn();
    const next = await rotate();
    await house.openid.follow();
    expect(await kids()).toEqual([next, kidOf(before.id_token)]);

    const after = await logIn();
    const access = await logIn('archive', { resource: API, scope: 'openid read' });
    expect([kidOf(after.id_token), kidOf(access.access_token)]).toEqual([next, next]);
    const known = createLocalJWKSet(await keySet());
    for (const { id_token: token } of [before, after]) await jwtVerify(token, known);
    await jwtVerify(access.access_token, known, { audience: API });

    // The relying party still has the one of before, and so it tells who logs out.
    expect(await signOut(before.id_token)).not.toBe(400);
    expect((await house.userinfo(before.access_token)).status).toBe(200);
  });

  it('do not disturb a request under way', async () => {
    const person = await house.person();
    const code = await house.code({ browser: house.browser(), clientId: 'web', account: person });
    const old = (await kids())[0];
    let release = (): void => undefined;
    held = new Promise((resolve) => {
      release = resolve;
    });
    const redeemed = house.redeem('web', code);
    await pause(50);
    held = undefined;
    const next = await rotate();
    await house.openid.follow();
    expect((await kids())[0]).toBe(next);
    release();
    const answer = await redeemed;
    expect(answer.status).toBe(200);
    expect(kidOf((JSON.parse(answer.body) as Tokens).id_token)).toBe(old);
  });

  it('sign when their time has come, without anybody asking, and the old ones leave', async () => {
    house.openid.start();
    const old = (await kids())[0];
    const next = await rotate(1);
    await house.openid.follow();
    expect((await kids()).slice(0, 2)).toEqual([old, next]);
    expect(kidOf((await logIn()).id_token)).toBe(old);
    await eventually('the next key to sign', async () => (await kids())[0] === next);
    expect(kidOf((await logIn()).id_token)).toBe(next);

    await house.db.query(
      `UPDATE signing_keys SET overlap_seconds = greatest(1, ceil(extract(epoch FROM now() - signing_from)) + 1)
        WHERE kid = $1`,
      [next],
    );
    await house.openid.follow();
    expect(await kids()).toContain(old);
    await eventually('the old key to leave', async () => !(await kids()).includes(old));
    house.openid.stop();
  });

  it('are refused at once when they were revoked', async () => {
    const before = await logIn();
    const revoked = kidOf(before.id_token) ?? '';
    await rotation().revoke(revoked);
    await house.openid.follow();
    expect(await kids()).not.toContain(revoked);
    expect(kidOf((await logIn()).id_token)).toBe((await kids())[0]);
    expect(await signOut(before.id_token)).toBe(400);
    // What is opaque is not signed.
    expect((await house.userinfo(before.access_token)).status).toBe(200);
    expect((await house.refresh('web', before.refresh_token)).status).toBe(200);
  });

  it('that do not open leave the old ones in use', async () => {
    const before = await kids();
    const next = await rotate();
    const foreign = createSealedBox(parseKeyRing(`other:${Buffer.alloc(32, 2).toString('base64')}`));
    const [row] = await house.db.query('SELECT private_jwk FROM signing_keys WHERE kid = $1', [next]);
    const write = (sealed: unknown) =>
      house.db.query('UPDATE signing_keys SET private_jwk = $2 WHERE kid = $1', [next, sealed]);
    await write(foreign.seal('{}', 'x'));
    await expect(house.openid.follow()).rejects.toThrow('the key other is missing');
    expect(await kids()).toEqual(before);
    expect(kidOf((await logIn()).id_token)).toBe(before[0]);
    await write(row?.private_jwk);
    await house.openid.follow();
    expect((await kids())[0]).toBe(next);
  });
});

it('a provider that was replaced is forgotten, and making one is quick', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const SWAPS = 50;
  const old: WeakRef<object>[] = [];
  const took: number[] = [];
  let heapBefore = 0;
  for (let swap = 0; swap < SWAPS; swap += 1) {
    old.push(new WeakRef(house.openid.provider));
    await rotate();
    const began = performance.now();
    await house.openid.follow();
    took.push(performance.now() - began);
    if (swap === 4) {
      collect();
      heapBefore = process.memoryUsage().heapUsed;
    }
    if (swap % 10 === 0) await logIn();
  }
  // The house remembers them with what they were about; the program does not.
  house.events.length = 0;
  await pause(100);
  collect();
  const alive = old.filter((reference) => reference.deref() !== undefined).length;
  const grownKib = Math.round((process.memoryUsage().heapUsed - heapBefore) / 1024);
  const median = took.toSorted((a, b) => a - b)[SWAPS / 2];
  figures('provider made anew', { median, most: Math.max(...took), alive, grownKib });
  expect(alive).toBeLessThan(5);
  expect(median).toBeLessThan(1_000);
});
