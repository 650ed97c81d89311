import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAudit } from '#src/audit/audit.js';
import { secondsAfter } from '#src/kernel/clock.js';
import { createKeyRotation, type ListedKey } from '#src/oidc/keys/key-rotation.js';
import { loadSigningKeys, signJwt } from '#src/oidc/keys/keys.js';
import type { SigningAlg } from '#src/oidc/keys/signing-key.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { BOX } from './support/house.js';

const LEAD = 86_400;
const OVERLAP = 7 * 86_400;

let db: Database & TestDatabase;
let now: Date;
const clock = { now: () => now };
const pass = (seconds: number): void => {
  now = secondsAfter(now, seconds);
};

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  now = new Date('2026-11-28T01:00:00Z');
  await db.query('DELETE FROM signing_keys');
  await db.query('DELETE FROM audit_events');
  await load();
});

const parts = () => ({ db, box: BOX, clock, audit: createAudit(clock) });
const rotation = () => createKeyRotation(parts());
const load = () => loadSigningKeys(parts());
const rotate = (algs: readonly SigningAlg[] = ['ES256']) =>
  rotation().rotate({ algs, leadSeconds: LEAD, overlapSeconds: OVERLAP });
const listed = async (alg = 'ES256'): Promise<readonly ListedKey[]> =>
  (await rotation().list()).filter((key) => key.alg === alg);
/** What each key does, newest first. */
const doing = async (alg = 'ES256'): Promise<readonly string[]> =>
  (await listed(alg)).map(({ state, hasPrivate }) => `${state.kind}${hasPrivate ? '' : ' destroyed'}`);
const kidOf = async (kind: string): Promise<string> =>
  (await listed()).find(({ state }) => state.kind === kind)?.kid ?? '';
const published = async () => (await load()).keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
/** The kid in the head of what is signed now. */
async function signs(): Promise<string> {
  const token = await signJwt((await load()).keys, { alg: 'ES256', typ: 'JWT', claims: {} });
  return (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
}
const audited = async (): Promise<readonly string[]> =>
  (await db.query('SELECT type FROM audit_events ORDER BY id')).map(({ type }) => String(type)).slice(2);
const revision = async (): Promise<number> =>
  Number((await db.query(`SELECT number FROM live_revisions WHERE name = 'signing_keys'`))[0]?.number);

describe('a rotation (R-54)', () => {
  it('publishes, signs after the lead, retires, and leaves after the overlap, by time alone', async () => {
    const first = await signs();
    const before = await revision();
    expect((await rotate()).kind).toBe('rotated');
    expect(await revision()).toBe(before + 1);
    expect(await doing()).toEqual(['published', 'signing']);
    const next = await kidOf('published');
    expect(await published()).toEqual([first, next]);

    pass(LEAD - 1);
    expect(await signs()).toBe(first);
    pass(1);
    expect(await signs()).toBe(next);
    expect(await published()).toEqual([next, first]);
    expect(await doing()).toEqual(['signing', 'retired']);

    pass(OVERLAP - 1);
    expect(await published()).toEqual([next, first]);
    pass(1);
    expect(await published()).toEqual([next]);
    expect(await doing()).toEqual(['signing', 'dropped']);
    expect(await audited()).toEqual(['key.published']);
    // The other algorithm went on.
    expect(await doing('RS256')).toEqual(['signing']);
  });

  it('says when the set is another one, so that nobody has to ask', async () => {
    expect((await load()).changesAt).toBeUndefined();
    await rotate();
    expect((await load()).changesAt).toEqual(secondsAfter(now, LEAD));
    pass(LEAD);
    expect((await load()).changesAt).toEqual(secondsAfter(now, OVERLAP));
    pass(OVERLAP);
    expect((await load()).changesAt).toBeUndefined();
  });

  it('is refused while another is under way, whole', async () => {
    await rotate(['RS256']);
    expect(await rotate(['ES256', 'RS256'])).toEqual({ kind: 'under_way', algs: ['RS256'] });
    expect(await doing('ES256')).toEqual(['signing']);
    pass(LEAD);
    expect((await rotate(['ES256', 'RS256'])).kind).toBe('rotated');
  });

  it('of sixteen at once is one', async () => {
    const all = await Promise.all(Array.from({ length: 16 }, () => rotate()));
    expect(all.filter(({ kind }) => kind === 'rotated')).toHaveLength(1);
    expect(await doing()).toEqual(['published', 'signing']);
    expect(await audited()).toEqual(['key.published']);
  });

  it('destroys the private half when it signs no more, and what verifies stays', async () => {
    const first = await signs();
    await rotate();
    pass(LEAD);
    // The clock of another process may still say that it signs.
    expect(await rotation().destroyRetired()).toBe(0);
    pass(60);
    expect(await Promise.all([rotation().destroyRetired(), rotation().destroyRetired()])).toEqual(
      expect.arrayContaining([0, 1]),
    );
    expect(await doing()).toEqual(['signing', 'retired destroyed']);
    expect(await published()).toContain(first);
    expect(await audited()).toEqual(['key.published', 'key.destroyed']);
    const retired = (await load()).keys.find(({ kid }) => kid === first);
    expect(() => retired?.sign(Buffer.from('x'))).toThrow('signs no more');
  });

  it('goes on where the clock of a process is behind: with the next key, never without one', async () => {
    await rotate();
    const next = await kidOf('published');
    pass(LEAD + 60);
    await rotation().destroyRetired();
    pass(-120);
    expect(await signs()).toBe(next);
  });
});

describe('a revocation', () => {
  it('of the key that signs makes another, which signs at once', async () => {
    const first = await signs();
    const outcome = await rotation().revoke(first);
    const next = await signs();
    expect(outcome).toEqual({ kind: 'revoked', alg: 'ES256', substitute: { kid: next, wasPublished: false } });
    expect(next).not.toBe(first);
    expect(await published()).toEqual([next]);
    expect(await doing()).toEqual(['signing', 'revoked destroyed']);
    expect(await audited()).toEqual(['key.revoked', 'key.generated']);
  });

  it('lets the next one, published already, take over', async () => {
    const first = await signs();
    await rotate();
    const next = await kidOf('published');
    pass(3600);
    expect(await rotation().revoke(first)).toMatchObject({ substitute: { kid: next, wasPublished: true } });
    expect(await signs()).toBe(next);
    expect(await published()).toEqual([next]);
    expect(await audited()).toEqual(['key.published', 'key.revoked']);
  });

  it('of the next one leaves the present one as it is, and another can be made', async () => {
    const first = await signs();
    await rotate();
    expect(await rotation().revoke(await kidOf('published'))).toMatchObject({ substitute: undefined });
    expect(await signs()).toBe(first);
    expect((await rotate()).kind).toBe('rotated');
    pass(LEAD);
    expect(await published()).toEqual([await signs(), first]);
  });

  it('of a retired one changes nothing for the one that signs, nor of the one that signs for the retired', async () => {
    const first = await signs();
    await rotate();
    pass(LEAD);
    const second = await signs();
    await rotation().revoke(second);
    // The revoked one took over once: the first must not come back.
    const third = await signs();
    expect(await published()).toEqual([third, first]);
    expect(await rotation().revoke(first)).toMatchObject({ substitute: undefined });
    expect(await published()).toEqual([third]);
  });

  it('of what is unknown or gone is nothing', async () => {
    const first = await signs();
    await rotation().revoke(first);
    const before = await revision();
    expect(await rotation().revoke(first)).toEqual({ kind: 'unknown' });
    expect(await rotation().revoke('x')).toEqual({ kind: 'unknown' });
    expect(await revision()).toBe(before);
  });

  it.each(Array.from({ length: 8 }, (_, index) => index))(
    'and a rotation at once leave one that signs (%#)',
    async () => {
      const first = await signs();
      const [, ...revoked] = await Promise.all([rotate(), rotation().revoke(first), rotation().revoke(first)]);
      expect(revoked.filter(({ kind }) => kind === 'revoked')).toHaveLength(1);
      const states = await doing();
      expect(states.filter((state) => state === 'signing')).toHaveLength(1);
      expect(states).toContain('revoked destroyed');
      expect(await signs()).not.toBe(first);
    },
  );
});
