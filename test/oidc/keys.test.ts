import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
import { createAudit } from '#src/audit/audit.js';
import { systemClock } from '#src/kernel/clock.js';
import { loadSigningKeys, signJwt } from '#src/oidc/keys/keys.js';
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

const load = async (box = BOX) =>
  (await loadSigningKeys({ db, box, clock: systemClock, audit: createAudit(systemClock) })).keys;
const summary = async () => (await load()).map(({ kid, alg }) => ({ kid, alg }));
const jwkOf = async (key: Awaited<ReturnType<typeof load>>[0]) => (await key.keyObject()).export({ format: 'jwk' });

describe('signing keys', () => {
  it('are made once, whoever of several processes comes first, with an audit row', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, summary));
    for (const each of all) expect(each).toEqual(all[0]);
    expect(all[0]?.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    const [row] = await db.query("SELECT count(*)::int AS n FROM audit_events WHERE type = 'key.generated'");
    expect(row).toEqual({ n: 2 });
  });

  it('are named by their thumbprint', async () => {
    for (const key of await load()) expect(key.kid).toBe(await calculateJwkThumbprint(await jwkOf(key)));
  });

  it('sign what their published half verifies', async () => {
    const keys = await load();
    for (const alg of ['ES256', 'RS256'] as const) {
      const token = await signJwt(keys, { alg, typ: 'JWT', claims: { sub: 'x' } });
      const published = await Promise.all(keys.map(async (key) => ({ ...(await jwkOf(key)), kid: key.kid })));
      const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: published as never }), {
        algorithms: [alg],
      });
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

  it('are made again, once, when somebody has taken one away', async () => {
    const [first] = await summary();
    await db.query('UPDATE signing_keys SET revoked_at = now(), private_jwk = NULL WHERE kid = $1', [first?.kid]);
    const all = await Promise.all(Array.from({ length: 4 }, summary));
    for (const each of all) expect(each).toEqual(all[0]);
    expect(all[0]?.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    expect(all[0]?.map(({ kid }) => kid)).not.toContain(first?.kid);
  });

  it('of an algorithm of tomorrow are left to those who know it', async () => {
    await db.query(
      `INSERT INTO signing_keys (kid, alg, public_jwk, private_jwk, created_at, signing_from, overlap_seconds)
       VALUES ('k', 'ML-DSA-65', '{}', 'v9', now(), now(), 60)`,
    );
    expect((await summary()).map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
  });
});
