import { createHash } from 'node:crypto';
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
} from 'jose';
import { agencyCode } from '#src/kernel/ids.js';
import { feedSignatures, FeedKeysRefused, loadFeedKeys } from '#src/provisioning/feed-signature.js';
import type { FeedOrder } from '#src/provisioning/personnel-feed.js';
import { addAgencies, NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';
import { csvOf, feedOver, nip, take, type FeedRow } from './feed.js';
import { Files } from './files.js';

/** Signed files: by a known key, over these bytes and this mode, and none that is older than one taken in. */

const NOW_SECONDS = NOW.getTime() / 1000;
const ed = await generateKeyPair('Ed25519', { extractable: true });
const ec = await generateKeyPair('ES256', { extractable: true });
const strange = await generateKeyPair('Ed25519', { extractable: true });
const publicOf = async (key: CryptoKey, kid: string): Promise<JWK> => ({ ...(await exportJWK(key)), kid });
const KEYS = { keys: [await publicOf(ed.publicKey, 'siasn-1'), await publicOf(ec.publicKey, 'siasn-2')] };

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  files = new Files();
  await db.query('TRUNCATE agencies, accounts, audit_events, feed_runs CASCADE');
  await addAgencies(db);
});
afterEach(() => {
  files.remove();
});
afterAll(() => db.drop());

interface Signing {
  readonly mode?: string;
  /** Null: it does not say. */
  readonly iat?: number | null;
  readonly content?: string;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: CryptoKey;
}

function sign(rows: readonly FeedRow[], signing: Signing = {}): Promise<string> {
  const { mode = 'delta', iat = NOW_SECONDS, content = csvOf(rows), header, key = ed.privateKey } = signing;
  const sha256 = createHash('sha256').update(content).digest('base64url');
  return new SignJWT({ sha256, mode, ...(iat === null ? {} : { iat }) })
    .setProtectedHeader({ alg: 'Ed25519', kid: 'siasn-1', typ: 'personnel-feed+jwt', ...header })
    .sign(key);
}

const rows = [{ nip: nip(1) }];
const give = async (signature: string | undefined, more: Partial<FeedOrder> = {}, of: readonly FeedRow[] = rows) =>
  (await take(feedOver(db, { verify: feedSignatures(KEYS) }), files, of, { signature, ...more })).outcome;
const refused = (cause: string) => ({ kind: 'refused', refusal: { cause } });
const signedBy = (key: CryptoKey, header: Partial<JWTHeaderParameters> = {}) => sign(rows, { key, header });

it.each([
  ['Ed25519', () => sign(rows)],
  ['EdDSA, as Ed25519 was called before', () => signedBy(ed.privateKey, { alg: 'EdDSA' })],
  ['ES256', () => signedBy(ec.privateKey, { alg: 'ES256', kid: 'siasn-2' })],
  ['a line break at its end', async () => `${await sign(rows)}\n`],
])('a signature with %s is taken', async (_what, signature) => {
  expect(await give(await signature())).toMatchObject({ kind: 'done', created: 1 });
});

it.each([
  ['none', 'unsigned', () => Promise.resolve(undefined)],
  ['one of a strange key', 'bad_signature', () => signedBy(strange.privateKey)],
  ['one of a strange key under a known name', 'bad_signature', () => signedBy(strange.privateKey, { kid: 'siasn-2' })],
  ['no alg', 'bad_signature', () => Promise.resolve(new UnsecuredJWT({ mode: 'delta', iat: NOW_SECONDS }).encode())],
  ['another type of token', 'bad_signature', () => sign(rows, { header: { typ: 'at+jwt' } })],
  ['no type', 'bad_signature', () => sign(rows, { header: { typ: undefined as never } })],
  ['a mode that does not exist', 'bad_signature', () => sign(rows, { mode: 'all' })],
  ['a time that is far ahead', 'bad_signature', () => sign(rows, { iat: NOW_SECONDS + 301 })],
  ['no time at all', 'bad_signature', () => sign(rows, { iat: null })],
  ['the other mode', 'other_mode', () => sign(rows, { mode: 'full' })],
  ['other bytes', 'other_file', () => sign([{ nip: nip(2) }])],
  ['noise', 'bad_signature', () => Promise.resolve('a.b.c')],
])('a file with %s is refused: %s', async (_what, cause, signature) => {
  expect(await give(await signature())).toMatchObject(refused(cause));
  expect(await db.query('SELECT FROM accounts')).toEqual([]);
  expect(await db.query('SELECT state, cause FROM feed_runs')).toEqual([{ state: 'refused', cause }]);
  expect(await db.query(`SELECT detail->>'cause' AS cause FROM audit_events WHERE type = 'feed.refused'`)).toEqual([
    { cause },
  ]);
});

describe('a file that was made before one that was taken in', () => {
  const at = async (seconds: number, of: readonly FeedRow[], more: Partial<FeedOrder> = {}) =>
    give(await sign(of, { iat: NOW_SECONDS + seconds }), more, of);
  const [older, newer] = [[{ nip: nip(1), name: 'Lama' }], [{ nip: nip(1), name: 'Baru' }]];

  it('is refused, and so is another of the same second; the newest may come again', async () => {
    expect(await at(-20, newer)).toMatchObject({ created: 1 });
    expect(await at(-30, older)).toMatchObject(refused('not_newer'));
    expect(await at(-20, older)).toMatchObject(refused('not_newer'));
    expect(await at(-20, newer)).toMatchObject({ kind: 'done', unchanged: 1 });
    expect(await at(-10, older)).toMatchObject({ kind: 'done', updated: 1 });
    expect(await at(-20, newer)).toMatchObject(refused('not_newer'));
  });

  it('is refused also when that one was broken off', async () => {
    const breaking = feedOver(db, {
      verify: feedSignatures(KEYS),
      effects: () => Promise.reject(new Error('broken')),
    });
    const signature = await sign(newer, { iat: NOW_SECONDS - 20 });
    await expect(take(breaking, files, newer, { signature })).rejects.toThrow('broken');
    expect(await at(-30, older)).toMatchObject(refused('not_newer'));
    expect(await at(-20, newer)).toMatchObject({ kind: 'done' });
  });

  it('is taken when that one was only tried, or refused, or reaches other people', async () => {
    expect(await at(-20, newer, { dryRun: true })).toMatchObject({ kind: 'done' });
    const bound = { kind: 'service', clientId: 'daerah', agency: agencyCode('REGENCY') } as const;
    expect(await at(-20, newer, { source: bound })).toMatchObject({ kind: 'done' });
    expect(await at(-30, older)).toMatchObject({ kind: 'done' });
    expect(await at(-30, older, { source: bound })).toMatchObject(refused('not_newer'));
  });
});

describe('the file of keys', () => {
  it('holds public keys', async () => {
    await expect(loadFeedKeys(files.write('keys.json', JSON.stringify(KEYS)))).resolves.toBeInstanceOf(Function);
  });

  it.each([
    ['is not JSON', () => 'x'],
    ['holds no keys', () => '{"keys":[]}'],
    ['holds no keys', () => '[]'],
    ['key 1 is neither Ed25519 nor P-256', () => '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'],
    ['key 1 is no key', () => '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}'],
    ['key 1 is a private key', async () => JSON.stringify({ keys: [await exportJWK(ed.privateKey)] })],
  ])('is refused: %s', async (reason, content) => {
    const loading = loadFeedKeys(files.write('keys.json', await content()));
    await expect(loading).rejects.toThrow(new FeedKeysRefused(reason).message);
  });

  it('is refused when it is not there', async () => {
    await expect(loadFeedKeys(files.path('none.json'))).rejects.toThrow('FEED_KEYS_FILE cannot be read');
  });
});
