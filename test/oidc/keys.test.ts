import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
import { createAudit } from '#src/audit/audit.js';
import { systemClock } from '#src/kernel/clock.js';
import { loadSigningKeys } from '#src/oidc/keys.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox, SealBroken } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { BOX } from './support/house.js';

let db: Database & TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());

const load = (box = BOX) => loadSigningKeys({ db, box, clock: systemClock, audit: createAudit(systemClock) });
const summary = async () => (await load()).map(({ kid, alg }) => ({ kid, alg }));

describe('signing keys', () => {
  it('are made once, whoever of several processes comes first, with an audit row', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, summary));
    for (const each of all) expect(each).toEqual(all[0]);
    expect(all[0]?.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    const [row] = await db.query("SELECT count(*)::int AS n FROM audit_events WHERE type = 'key.generated'");
    expect(row).toEqual({ n: 2 });
  });

  it('are named by their thumbprint', async () => {
    for (const key of await load()) {
      const jwk = ((await key.keyObject()) as { export(o: object): object }).export({ format: 'jwk' });
      expect(key.kid).toBe(await calculateJwkThumbprint(jwk));
    }
  });

  it('sign what their published half verifies', async () => {
    for (const key of await load()) {
      const jwk = {
        ...((await key.keyObject()) as { export(o: object): object }).export({ format: 'jwk' }),
        kid: key.kid,
        alg: key.alg,
      };
      const head = Buffer.from(JSON.stringify({ alg: key.alg, kid: key.kid })).toString('base64url');
      const body = Buffer.from(JSON.stringify({ sub: 'x' })).toString('base64url');
      const signature = Buffer.from(await key.sign(Buffer.from(`${head}.${body}`))).toString('base64url');
      const { payload } = await jwtVerify(`${head}.${body}.${signature}`, createLocalJWKSet({ keys: [jwk as never] }));
      expect(payload.sub).toBe('x');
    }
  });

  it('are nowhere in clear', async () => {
    const [row] = await db.query("SELECT string_agg(k::text, '') AS all FROM signing_keys k");
    expect(row?.all).not.toMatch(/"d"|"p"|PRIVATE/);
    expect(row?.all).toContain('v1.test.');
  });

  it('do not open with another key, nor in the place of one another', async () => {
    const other = createSealedBox(parseKeyRing(`other:${Buffer.alloc(32, 2).toString('base64')}`));
    await expect(load(other)).rejects.toThrow(SealBroken);
    const rows = await db.query('SELECT kid, private_jwk FROM signing_keys ORDER BY kid');
    await db.query('UPDATE signing_keys SET private_jwk = $1 WHERE kid = $2', [rows[0]?.private_jwk, rows[1]?.kid]);
    await expect(load()).rejects.toThrow(SealBroken);
    await db.query('UPDATE signing_keys SET private_jwk = $1 WHERE kid = $2', [rows[1]?.private_jwk, rows[1]?.kid]);
    await expect(load()).resolves.toHaveLength(2);
  });

  it('that were revoked are not there, and are replaced; retired ones stay published', async () => {
    const [first] = await summary();
    await db.query("UPDATE signing_keys SET status = 'revoked' WHERE kid = $1", [first?.kid]);
    const replaced = await summary();
    expect(replaced.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    expect(replaced.map(({ kid }) => kid)).not.toContain(first?.kid);
    await db.query("UPDATE signing_keys SET status = 'retired' WHERE kid = $1", [replaced[0]?.kid]);
    const rotated = await summary();
    expect(rotated).toHaveLength(3);
    expect(rotated.at(-1)?.kid).toBe(replaced[0]?.kid);
  });
});
