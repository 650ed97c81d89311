import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createAnchors, droppableBefore } from '#src/audit/anchors.js';
import { createAudit } from '#src/audit/audit.js';
import { createCheckpoints, readCheckpoints } from '#src/audit/checkpoints.js';
import { GENESIS, linkOf } from '#src/audit/link.js';
import { createRetention } from '#src/audit/retention.js';
import { createSealer } from '#src/audit/sealer.js';
import { verifyTrail, type Verdict } from '#src/audit/verify.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { withBulkSession } from '#src/storage/copy.js';
import type { Database } from '#src/storage/database.js';
import { quietLog } from '../support/quiet-log.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

/** what retention drops is told apart from what somebody deletes. */
let db: Database & TestDatabase;
let folder: string;
let log: ReturnType<typeof quietLog>;
const clock = { at: 0, now: () => new Date(clock.at) };
const at = (moment: string): void => {
  clock.at = Date.parse(moment);
};
const keyed = createKeyedDigest(Buffer.alloc(32, 9));
const checkpoints = createCheckpoints(keyed);
const anchors = createAnchors(keyed);
const audit = createAudit(clock);

const file = (): string => join(folder, 'checkpoints.jsonl');
const archives = (): string => join(folder, 'archive');

beforeEach(async () => {
  db = await openTestDatabase();
  folder = await makeTemporaryFolder('sso-asn-retention-');
  log = quietLog();
  at('2021-01-10T00:00:00Z');
  await audit.prepare(db);
});
afterEach(async () => {
  await db.close();
  await db.drop();
  await rm(folder, { recursive: true });
});

async function write(moment: string, count: number): Promise<void> {
  at(moment);
  for (let index = 0; index < count; index += 1) {
    await audit.record(db, { type: 'sign_in.otp_refused', detail: { cause: 'drift', drift_minutes: index } });
  }
}
const seal = (): Promise<number> =>
  createSealer({ db, checkpoints, checkpointFile: file(), clock, log: quietLog() }).sealDue();

const retention = (months: number, archiveDir = archives()) =>
  createRetention({ databaseUrl: db.url, months, archiveDir, checkpoints, anchors, audit, clock, log });

const verify = (months: number): Promise<Verdict> =>
  withBulkSession(db.url, async (session) =>
    verifyTrail({
      session,
      checkpoints,
      kept: await readCheckpoints(file()),
      anchors,
      droppable: months === 0 ? undefined : droppableBefore(clock.now(), months),
    }),
  );
const found = async (months = 60): Promise<unknown> => (await verify(months)).breach;
const months = async (): Promise<unknown[]> =>
  (
    await db.query(
      `SELECT relname FROM pg_class WHERE relname ~ '^audit_events_[0-9_]+(dropped)?$' AND relkind = 'r' ORDER BY 1`,
    )
  ).map(({ relname }) => String(relname).slice('audit_events_'.length));
const count = async (table: string): Promise<unknown> =>
  (await db.query(`SELECT count(*)::integer AS count FROM ${table}`))[0]?.count;

/** Eleven in January 2021, seven in February, five in November 2026, with a checkpoint behind each. */
async function trail(): Promise<void> {
  await write('2021-01-20T00:00:00Z', 11);
  await seal();
  await write('2021-02-20T00:00:00Z', 7);
  await seal();
  await write('2026-11-28T00:00:00Z', 5);
  await audit.prepare(db);
  await seal();
}

describe('what is old enough', () => {
  it('is archived and dropped, and the chain goes on from there', async () => {
    await trail();
    expect(await retention(60).runDue(db)).toBe(3);
    expect(await months()).toEqual(['2026_11', '2026_12', '2027_01']);
    expect(await count('audit_seals')).toBe(5);
    await seal();
    expect(await verify(60)).toMatchObject({ breach: undefined, links: 7n, waiting: 0 });
    const told = await db.query(`SELECT detail FROM audit_events WHERE type = 'audit.pruned' ORDER BY id`);
    expect(told.map(({ detail }) => detail)).toEqual([
      { month: '2021-01', through: '11', kept: 0, archive: 'audit-2021-01-to-11.jsonl.gz' },
      { month: '2021-02', through: '18', kept: 0, archive: 'audit-2021-02-to-18.jsonl.gz' },
    ]);
    expect(await retention(60).runDue(db)).toBe(0);
  });

  it('stands in files that prove themselves, readable by nobody else', async () => {
    await trail();
    await retention(60).runDue(db);
    expect(await readdir(archives())).toEqual(['audit-2021-01-to-11.jsonl.gz', 'audit-2021-02-to-18.jsonl.gz']);
    let hash: Buffer = GENESIS;
    let seq = 0n;
    for (const name of await readdir(archives())) {
      expect((await stat(join(archives(), name))).mode & 0o777).toBe(0o600);
      const lines = gunzipSync(await readFile(join(archives(), name)))
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines[0]).toMatchObject({ after: { seq: String(seq), hash: hash.toString('hex') } });
      for (const { sealed, hash: told, event } of lines.slice(1)) {
        seq += 1n;
        hash = linkOf(hash, seq, sealed as string);
        expect(told).toBe(hash.toString('hex'));
        expect(event).toMatchObject({ type: 'sign_in.otp_refused' });
      }
    }
    expect(seq).toBe(18n);
  });

  it('is a whole month and so many more than the one that runs', async () => {
    await trail();
    at('2021-03-31T23:59:59Z');
    expect(await retention(1).runDue(db)).toBe(1);
    at('2021-04-01T00:00:00Z');
    expect(await retention(0).runDue(db)).toBe(0);
    expect(await retention(1).runDue(db)).toBe(1);
    at('2026-11-28T00:00:00Z');
    expect(await found()).toBeUndefined();
  });

  it('leaves behind what was sealed after something later, until that goes too', async () => {
    await write('2021-01-20T00:00:00Z', 3);
    await seal();
    // A clock that is behind: January comes after February.
    await write('2021-02-01T00:00:01Z', 2);
    await write('2021-01-31T23:59:59Z', 2);
    await write('2021-02-02T00:00:00Z', 2);
    await seal();
    at('2021-03-15T00:00:00Z');
    await audit.prepare(db);
    expect(await retention(1).runDue(db)).toBe(1);
    expect(await count('audit_events_default')).toBe(2);
    expect((await db.query(`SELECT detail FROM audit_events WHERE type = 'audit.pruned'`))[0]?.detail).toMatchObject({
      through: '3',
      kept: 2,
    });
    await seal();
    expect(await found(1)).toBeUndefined();
    at('2021-04-15T00:00:00Z');
    expect(await retention(1).runDue(db)).toBe(1);
    expect(await count('audit_events_default')).toBe(0);
    await seal();
    expect(await verify(1)).toMatchObject({ breach: undefined, links: 2n });
  });

  it('goes once when several processes want it, and while others write', async () => {
    await trail();
    const runs = await Promise.all([1, 2, 3].map(() => retention(60).runDue(db)));
    expect(runs.reduce((sum, dropped) => sum + dropped, 0)).toBe(3);
    await seal();
    expect(await found()).toBeUndefined();
  });

  it('also goes on where an earlier run was stopped between dropping and forgetting the links', async () => {
    await trail();
    const links = await db.query('SELECT * FROM audit_seals WHERE seq <= 18');
    await retention(60).runDue(db);
    for (const { seq, event_id: id, event_at: when, hash } of links) {
      await db.query('INSERT INTO audit_seals (seq, event_id, event_at, hash) VALUES ($1, $2, $3, $4)', [
        seq,
        id,
        when,
        hash,
      ]);
    }
    await db.query('CREATE TABLE audit_events_2020_12_dropped (x int)');
    expect(await found()).toBeUndefined();
    await retention(60).runDue(db);
    expect(await count('audit_seals')).toBe(5);
    expect(await months()).toEqual(['2026_11', '2026_12', '2027_01']);
  });
});

describe('nothing is dropped', () => {
  it.each<[string, string, number, string]>([
    [
      'of a month in which an event was changed',
      `UPDATE audit_events SET type = 'x' WHERE at < '2021-02-01'`,
      1,
      'changed',
    ],
    ['of a month that lost an event', `DELETE FROM audit_events WHERE id = 4`, 4, 'event_missing'],
    ['of a month that lost a link', `DELETE FROM audit_seals WHERE seq = 4`, 4, 'link_missing'],
    [
      'over a checkpoint that is forged',
      `UPDATE audit_checkpoints SET hash = sha256('x') WHERE seq = 11`,
      11,
      'checkpoint_forged',
    ],
  ])('%s, and it stays named', async (_, tampering, seq, kind) => {
    await trail();
    await db.query(tampering);
    expect(await retention(60).runDue(db)).toBe(0);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(await months()).toContain('2021_01');
    expect(await readdir(archives()).catch(() => [])).toEqual([]);
    expect(await found()).toMatchObject({ kind, seq: BigInt(seq) });
  });

  it('of what the program did not write: it stays, and stays named', async () => {
    await trail();
    await db.query(`INSERT INTO audit_events (at, type) VALUES ('2021-01-21T00:00:00Z', 'forged')`);
    expect(await retention(60).runDue(db)).toBe(3);
    expect(await found()).toMatchObject({ kind: 'inserted' });
  });

  it('when the archive cannot be written', async () => {
    await trail();
    await writeFile(join(folder, 'a file'), '');
    await expect(retention(60, join(folder, 'a file', 'x')).runDue(db)).rejects.toThrow(/ENOTDIR/);
    expect(await months()).toContain('2021_01');
    expect(await found()).toBeUndefined();
  });

  it('while somebody reads the trail for long, and another time all of it', async () => {
    await trail();
    await db.transaction(async (tx) => {
      await tx.query('SELECT count(*) FROM audit_events');
      await expect(retention(60).runDue(db)).rejects.toThrow(/lock timeout/);
    });
    expect(await months()).toContain('2021_01');
    expect(await found()).toBeUndefined();
    expect(await retention(60).runDue(db)).toBe(3);
    expect(await found()).toBeUndefined();
  });

  it('while something of the month waits to be sealed', async () => {
    await trail();
    await db.query(`INSERT INTO audit_unsealed VALUES (-1, '2021-01-21T00:00:00Z')`);
    expect(await retention(60).runDue(db)).toBe(0);
    expect(await months()).toContain('2021_01');
    expect(log.lines).toEqual([]);
  });
});

describe('after retention, whoever is superuser and', () => {
  const sql = (text: string) => async (): Promise<void> => {
    await db.query(text);
  };
  /** What an attacker can make of an anchor without the key. */
  const forged = (seq: number, mac: string) => async (): Promise<void> => {
    await db.query(`DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE seq <= ${seq})`);
    await db.query(`DELETE FROM audit_seals WHERE seq <= ${seq}`);
    await db.query(
      `INSERT INTO audit_prunings SELECT seq, hash, now(), '2021-01-01', 'x', ${mac} FROM audit_checkpoints WHERE seq = ${seq}`,
    );
  };

  it.each<[string, () => Promise<void>, object]>([
    [
      'deletes what comes next',
      sql(`WITH gone AS (DELETE FROM audit_seals WHERE seq = 19 RETURNING event_id)
           DELETE FROM audit_events WHERE id IN (SELECT event_id FROM gone)`),
      { kind: 'link_missing', seq: 19n },
    ],
    ['forges a later beginning', forged(23, `sha256('x')`), { kind: 'anchor_forged', seq: 23n }],
    ['makes a checkpoint the beginning', forged(23, 'mac'), { kind: 'anchor_forged', seq: 23n }],
    [
      'moves the beginning that there is',
      sql(
        `UPDATE audit_prunings p SET seq = c.seq, hash = c.hash FROM audit_checkpoints c WHERE p.seq = 18 AND c.seq = 23`,
      ),
      { kind: 'anchor_forged', seq: 23n },
    ],
    [
      'widens what it says it dropped',
      sql(`UPDATE audit_prunings SET cutoff = '2020-01-01' WHERE seq = 18`),
      { kind: 'anchor_forged', seq: 18n },
    ],
    ['takes the beginning away', sql('DELETE FROM audit_prunings'), { kind: 'link_missing', seq: 1n }],
    [
      'goes back to an earlier one',
      sql('DELETE FROM audit_prunings WHERE seq = 18'),
      { kind: 'link_missing', seq: 12n },
    ],
    [
      'takes the checkpoint away that it stands on, in both places',
      async () => {
        await db.query('DELETE FROM audit_checkpoints WHERE seq = 18');
        const lines = (await readFile(file(), 'utf8')).split('\n').filter((line) => !line.includes('"seq":"18"'));
        await writeFile(file(), lines.join('\n'));
      },
      { kind: 'anchor_forged', seq: 18n },
    ],
  ])('%s is found, and where', async (_, tamper, breach) => {
    await trail();
    await retention(60).runDue(db);
    expect(await found()).toBeUndefined();
    await tamper();
    expect(await found()).toMatchObject(breach);
  });

  it('deletes the beginning where nothing was ever dropped is found', async () => {
    await trail();
    await db.query('DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE seq <= 11)');
    await db.query('DELETE FROM audit_seals WHERE seq <= 11');
    expect(await found()).toEqual({ kind: 'link_missing', seq: 1n });
  });

  it('was dropped under a shorter retention than that of now is named', async () => {
    await trail();
    at('2022-06-15T00:00:00Z');
    expect(await retention(12).runDue(db)).toBe(3);
    expect(await found(12)).toBeUndefined();
    expect(await found(60)).toMatchObject({ kind: 'dropped_early', seq: 18n });
    expect(await found(0)).toMatchObject({ kind: 'dropped_early', seq: 18n });
  });
});
