import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAudit } from '#src/audit/audit.js';
import type { LiveClientRegistry } from '#src/clients/client-registry.js';
import { parseClients } from '#src/clients/clients-file.js';
import { createClients, type Clients } from '#src/clients/clients.js';
import { epochSeconds, systemClock, type Clock } from '#src/kernel/clock.js';
import { createKeyedDigest } from '#src/security/digests.js';
import type { Database } from '#src/storage/database.js';
import { openPostgres } from '#src/storage/postgres.js';
import { keyOf } from '../oidc/support/registrations.js';
import { quietLog } from '../support/quiet-log.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { emptyRegistry } from './support/registry.js';

const RULES = {
  issuer: new URL('https://sso.asn.example'),
  adminResource: 'https://a.example/api/admin',
  production: true,
};
const keyed = createKeyedDigest(Buffer.alloc(32, 9));
const SECRET = 'a secret that stands in the clients file, in clear';
const publicKey = { ...keyOf('one'), d: undefined };
const own = (id: string, change: object = {}) => ({
  client_id: id,
  client_name: `Client ${id}`,
  redirect_uris: [`https://${id}.example/cb`],
  jwks: { keys: [JSON.parse(JSON.stringify(publicKey))] },
  ...change,
});
const legacy = (id: string, change: object = {}) => {
  const { client_id: clientId, client_name: name, redirect_uris: uris } = own(id);
  const method = 'client_secret_basic';
  return { client_id: clientId, client_name: name, redirect_uris: uris, token_endpoint_auth_method: method, ...change };
};
const written = (...entries: object[]) => {
  const loaded = parseClients(entries, { ...RULES, demoSecret: undefined });
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems));
  return loaded.written;
};

let empty: TestDatabase;
let db: Database;
let time = systemClock.now();
const clock: Clock = { now: () => time };

/** A process: its own memory over the same table. */
const processOf = (): { registry: LiveClientRegistry; clients: Clients } => {
  const registry = emptyRegistry(keyed);
  const clients = createClients({
    ...{ db, registry, rules: RULES, keyed, audit: createAudit(clock), clock, log: quietLog() },
  });
  return { registry, clients };
};
const ids = (registry: LiveClientRegistry): string[] =>
  registry.registrations().flatMap(({ client_id: id }) => (id.startsWith('asn') || id.startsWith('help') ? [] : [id]));
const events = async (): Promise<unknown[]> =>
  (await db.query(`SELECT type, client_id, detail FROM audit_events WHERE type LIKE 'client.%' ORDER BY id`)).map(
    ({ type, client_id: client, detail }) => [type, client, detail],
  );

beforeAll(async () => {
  empty = await createTestDatabase();
  db = openPostgres({ url: empty.url, maxConnections: 8, onIdleError: () => undefined });
});
afterAll(async () => {
  await db.close();
  await empty.drop();
});
beforeEach(async () => {
  await db.query('DELETE FROM clients');
  await db.query(`UPDATE live_revisions SET number = 0 WHERE name = 'clients'`);
  time = systemClock.now();
});
const revision = async (): Promise<unknown> =>
  (await db.query(`SELECT number FROM live_revisions WHERE name = 'clients'`))[0]?.number;

describe('the clients file', () => {
  it('is in the table as it stands, in its order, and a second start writes nothing', async () => {
    const { registry, clients } = processOf();
    const file = written(own('z'), legacy('a', { client_secret: SECRET }), own('m'));
    expect(await clients.loadFile(file)).toEqual({ added: ['z', 'a', 'm'], changed: [], removed: [] });
    expect(ids(registry)).toEqual(['z', 'a', 'm']);
    expect(await revision()).toBe('1');
    expect(await processOf().clients.loadFile(file)).toEqual({ added: [], changed: [], removed: [] });
    expect(await revision()).toBe('1');
  });

  it('changes what it changes and takes what has left it, with what that held', async () => {
    const { registry, clients } = processOf();
    await clients.loadFile(written(own('one'), own('two')));
    const before = (await events()).length;
    const changed = own('one', { client_name: 'Another name' });
    expect(await clients.loadFile(written(changed))).toEqual({ added: [], changed: ['one'], removed: ['two'] });
    expect(registry.registration('one')?.client_name).toBe('Another name');
    expect(registry.registration('two')).toBeUndefined();
    expect((await clients.find('two'))?.leftAt).toEqual(time);
    expect((await events()).slice(before)).toEqual([
      ['client.changed', 'one', { source: 'file' }],
      ['client.removed', 'two', { source: 'file' }],
    ]);
  });

  it('takes back who has left it, with new tokens only', async () => {
    const { registry, clients } = processOf();
    const file = written(own('one'), own('two'));
    await clients.loadFile(file);
    await clients.loadFile(written(own('one')));
    expect(await clients.loadFile(file)).toEqual({ added: [], changed: ['two'], removed: [] });
    expect(ids(registry)).toEqual(['one', 'two']);
    expect(registry.tokenLives('two', epochSeconds(time))).toBe(false);
  });

  it('leaves what came otherwise, and takes over a client that it names itself', async () => {
    const { registry, clients } = processOf();
    await clients.add(own('by-hand'), { source: 'command' });
    await clients.add(own('both'), { source: 'command' });
    await clients.loadFile(written(own('both', { client_name: 'Of the file' })));
    expect(ids(registry)).toEqual(['both', 'by-hand']);
    expect((await clients.find('both'))?.source).toBe('file');
    expect(await clients.add(own('both'), { source: 'command', replace: true })).toEqual({ kind: 'taken', of: 'file' });
  });

  it('does not enable what was disabled', async () => {
    const { registry, clients } = processOf();
    await clients.loadFile(written(own('one')));
    await clients.disable('one');
    await clients.loadFile(written(own('one', { client_name: 'Still off' })));
    expect(registry.registration('one')).toBeUndefined();
  });

  it('keeps no secret in clear, neither in a row nor in the memory of the program', async () => {
    const { registry, clients } = processOf();
    await clients.loadFile(written(legacy('old', { client_secret: SECRET })));
    expect(JSON.stringify(await db.query('SELECT * FROM clients'))).not.toContain(SECRET);
    expect(JSON.stringify(registry.registrations())).not.toContain(SECRET);
    expect(registry.holdsSecret('old', SECRET, time)).toBe(true);
    expect(registry.holdsSecret('old', `${SECRET}.`, time)).toBe(false);
  });

  it('replaces its secret, and one that was rotated away does not come back with the next start', async () => {
    const { registry, clients } = processOf();
    const file = written(legacy('old', { client_secret: SECRET }));
    await clients.loadFile(file);
    const rotated = await clients.rotateSecret('old', { overlapSeconds: 60 });
    if (rotated.kind !== 'rotated') throw new Error(rotated.kind);
    time = new Date(time.getTime() + 61_000);
    await clients.loadFile(file);
    expect(registry.holdsSecret('old', SECRET, time)).toBe(false);
    expect(registry.holdsSecret('old', rotated.secret, time)).toBe(true);
    await clients.loadFile(written(legacy('old', { client_secret: `new ${SECRET}` })));
    expect(registry.holdsSecret('old', `new ${SECRET}`, time)).toBe(true);
  });
});

describe('a client registered beside the file', () => {
  it('is there for every process that reads the table again', async () => {
    const [one, other] = [processOf(), processOf()];
    expect(await one.clients.add(own('neu'), { source: 'command' })).toMatchObject({ kind: 'added', isNew: true });
    expect(ids(one.registry)).toEqual(['neu']);
    await other.clients.reload();
    expect(ids(other.registry)).toEqual(['neu']);
    expect((await events()).at(-1)).toEqual(['client.added', 'neu', { source: 'command' }]);
  });

  it('is refused with every problem, and nothing is written', async () => {
    const { clients } = processOf();
    const added = await clients.add(own('bad', { redirect_uris: ['http://bad.example/cb'], nonsense: 1 }), {
      source: 'command',
    });
    expect(added.kind === 'refused' && added.problems.map(({ field }) => field).sort()).toEqual([
      'nonsense',
      'redirect_uris',
    ]);
    expect(await clients.list()).toEqual([]);
  });

  it('is changed only when that is asked for, and keeps its secret', async () => {
    const { registry, clients } = processOf();
    const first = await clients.add(legacy('old'), { source: 'command' });
    const secret = first.kind === 'added' ? first.secret : undefined;
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(await clients.add(legacy('old'), { source: 'command' })).toEqual({ kind: 'taken', of: 'other' });
    const changed = await clients.add(legacy('old', { client_name: 'New name' }), { source: 'command', replace: true });
    expect(changed).toMatchObject({ kind: 'added', isNew: false, secret: undefined });
    expect(registry.registration('old')?.client_name).toBe('New name');
    expect(registry.holdsSecret('old', secret ?? '', time)).toBe(true);
    await clients.add(own('old'), { source: 'command', replace: true });
    expect(registry.holdsSecret('old', secret ?? '', time)).toBe(false);
  });

  it('is added once, whichever of many processes comes first', async () => {
    const added = await Promise.all(
      Array.from({ length: 8 }, () => processOf().clients.add(legacy('race'), { source: 'command' })),
    );
    expect(added.filter(({ kind }) => kind === 'added')).toHaveLength(1);
    expect(await db.query('SELECT 1 FROM client_secrets')).toHaveLength(1);
  });
});

describe('a client that is disabled', () => {
  it('is unknown until it is enabled, and what it held has ended', async () => {
    const { registry, clients } = processOf();
    await clients.add(own('one'), { source: 'command' });
    expect(await clients.disable('one')).toBe('done');
    expect(registry.registration('one')).toBeUndefined();
    expect(registry.switchedOff('one')).toMatchObject({ clientId: 'one', since: time });
    expect(registry.tokenLives('one', epochSeconds(time) + 1)).toBe(false);
    expect(await clients.disable('one')).toBe('already');
    expect(await clients.enable('one')).toBe('done');
    expect(registry.switchedOff('one')).toBeUndefined();
    expect(ids(registry)).toEqual(['one']);
    // What was issued up to the second in which it was disabled stays dead.
    expect(registry.tokenLives('one', epochSeconds(time))).toBe(false);
    expect(registry.tokenLives('one', epochSeconds(time) + 1)).toBe(true);
    expect(await clients.enable('nobody')).toBe('unknown');
    expect((await events()).slice(-2)).toEqual([
      ['client.disabled', 'one', {}],
      ['client.enabled', 'one', {}],
    ]);
  });
});

describe('a shared secret', () => {
  it('is rotated with an overlap, or at once', async () => {
    const { registry, clients } = processOf();
    await clients.add(legacy('old', { client_secret: SECRET }), { source: 'command' });
    const first = await clients.rotateSecret('old', { overlapSeconds: 3600 });
    if (first.kind !== 'rotated') throw new Error(first.kind);
    expect(registry.holdsSecret('old', SECRET, time)).toBe(true);
    const second = await clients.rotateSecret('old', { overlapSeconds: 0 });
    if (second.kind !== 'rotated') throw new Error(second.kind);
    expect([SECRET, first.secret, second.secret].map((secret) => registry.holdsSecret('old', secret, time))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('that two clients share is two digests: one moved to the other in the table proves nothing', async () => {
    const { registry, clients } = processOf();
    await clients.add(legacy('one', { client_secret: SECRET }), { source: 'command' });
    await clients.add(legacy('two'), { source: 'command' });
    await db.query(`UPDATE client_secrets SET digest = (SELECT digest FROM client_secrets WHERE client_id = 'one')
                     WHERE client_id = 'two'`);
    await clients.reload();
    expect(registry.holdsSecret('one', SECRET, time)).toBe(true);
    expect(registry.holdsSecret('two', SECRET, time)).toBe(false);
  });

  it('is none for a client with a key of its own, or for nobody', async () => {
    const { clients } = processOf();
    await clients.add(own('one'), { source: 'command' });
    expect(await clients.rotateSecret('one', { overlapSeconds: 0 })).toEqual({ kind: 'has_none' });
    expect(await clients.rotateSecret('nobody', { overlapSeconds: 0 })).toEqual({ kind: 'unknown' });
  });
});

describe('a registration that the rules of today refuse', () => {
  it('stands in the table and serves nobody', async () => {
    const { registry, clients } = processOf();
    await clients.add(own('one'), { source: 'command' });
    await db.query(`UPDATE clients SET metadata = metadata || '{"yesterday": true}'`);
    await clients.reload();
    expect(ids(registry)).toEqual([]);
    expect(await clients.find('one')).toMatchObject({ registration: undefined, problems: [{ field: 'yesterday' }] });
  });
});
