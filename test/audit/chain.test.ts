import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAnchors } from '#src/audit/anchors.js';
import { createAudit } from '#src/audit/audit.js';
import { createCheckpoints, readCheckpoints } from '#src/audit/checkpoints.js';
import { createSealer } from '#src/audit/sealer.js';
import { verifyTrail, type Verdict } from '#src/audit/verify.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { withBulkSession } from '#src/storage/copy.js';
import type { Database, Queryable } from '#src/storage/database.js';
import { figures } from '../support/figures.js';
import { quietLog } from '../support/quiet-log.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

/** whoever changes the trail, as a superuser too, is found, and the first bad row is named. */
let db: Database & TestDatabase;
let folder: string;
let file: string;
const clock = { at: new Date('2026-11-28T03:00:00Z').getTime(), now: () => new Date(clock.at) };
const checkpoints = createCheckpoints(createKeyedDigest(Buffer.alloc(32, 9)));
const anchors = createAnchors(createKeyedDigest(Buffer.alloc(32, 9)));
const audit = createAudit(clock);

beforeEach(async () => {
  db = await openTestDatabase();
  await audit.prepare(db);
  folder = await makeTemporaryFolder('sso-asn-chain-');
  file = join(folder, 'checkpoints.jsonl');
});
afterEach(async () => {
  await db.close();
  await db.drop();
  await rm(folder, { recursive: true });
});

const sealerOver = (database: Database) =>
  createSealer({ db: database, checkpoints, checkpointFile: file, clock, log: quietLog() });
const seal = (): Promise<number> => sealerOver(db).sealDue();

async function write(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await audit.record(db, { type: 'sign_in.otp_refused', detail: { cause: 'mismatch', drift_minutes: index } });
  }
}
const verify = async (since?: Date): Promise<Verdict> =>
  withBulkSession(db.url, async (session) =>
    verifyTrail({ session, checkpoints, kept: await readCheckpoints(file), anchors, droppable: undefined, since }),
  );
const found = async (): Promise<unknown> => (await verify()).breach;
const minute = (): void => {
  clock.at += 60_000;
};

/** A trail of twelve, with checkpoints at its sixth and twelfth row. */
async function trail(): Promise<void> {
  await write(6);
  await seal();
  minute();
  await write(6);
  await seal();
}

describe('an untouched trail', () => {
  it('is whole, with checkpoints in both places and nothing waiting', async () => {
    await trail();
    expect(await verify()).toEqual({ breach: undefined, links: 12n, waiting: 0, checkpoints: 4 });
    expect((await readCheckpoints(file)).map(({ seq }) => seq)).toEqual([6n, 12n]);
  });

  it('is whole while rows wait, and where nothing was ever written', async () => {
    expect(await verify()).toEqual({ breach: undefined, links: 0n, waiting: 0, checkpoints: 0 });
    await write(3);
    expect(await verify()).toEqual({ breach: undefined, links: 0n, waiting: 3, checkpoints: 0 });
  });

  it('is sealed once by four sealers at once, without gaps', async () => {
    await write(50);
    await Promise.all([seal(), seal(), seal(), seal()]);
    await seal();
    expect(await verify()).toMatchObject({ breach: undefined, links: 50n, waiting: 0 });
  });

  it('begins at the checkpoint before the day asked for', async () => {
    await trail();
    minute();
    await write(2);
    await seal();
    expect(await verify(new Date(clock.at - 30_000))).toMatchObject({ breach: undefined, links: 2n });
  });

  it('reads the same whatever the time zone of who reads', async () => {
    await trail();
    await db.query(`ALTER DATABASE "${new URL(db.url).pathname.slice(1)}" SET timezone TO 'Asia/Jayapura'`);
    expect(await found()).toBeUndefined();
  });

  it('outlives a checkpoint file that lost its last line in a power cut', async () => {
    await trail();
    await appendFile(file, '{"seq":"13","at":"2026-11');
    expect(await found()).toBeUndefined();
  });
});

describe('whoever is superuser and', () => {
  const sql = (text: string) => async (): Promise<void> => {
    await db.query(text);
  };
  const EVENT = (seq: number): string => `(SELECT event_id FROM audit_seals WHERE seq = ${seq})`;

  it.each<[string, () => Promise<unknown>, object]>([
    [
      'changes one byte',
      sql(`UPDATE audit_events SET detail = '{"cause":"mismatch","drift_minutes":9}' WHERE id = ${EVENT(4)}`),
      { kind: 'changed', seq: 4n },
    ],
    [
      'changes when it was, by a microsecond',
      sql(`UPDATE audit_events SET at = at + interval '1 microsecond' WHERE id = ${EVENT(2)}`),
      { kind: 'event_missing', seq: 2n },
    ],
    [
      'changes whose it was',
      sql(`UPDATE audit_events SET account_id = gen_random_uuid() WHERE id = ${EVENT(7)}`),
      { kind: 'changed', seq: 7n },
    ],
    ['deletes an event', sql(`DELETE FROM audit_events WHERE id = ${EVENT(5)}`), { kind: 'event_missing', seq: 5n }],
    ['deletes a link', sql('DELETE FROM audit_seals WHERE seq = 5'), { kind: 'link_missing', seq: 5n }],
    [
      'deletes both',
      sql(`WITH gone AS (DELETE FROM audit_seals WHERE seq = 3 RETURNING event_id)
           DELETE FROM audit_events WHERE id IN (SELECT event_id FROM gone)`),
      { kind: 'link_missing', seq: 3n },
    ],
    [
      'swaps two events',
      sql(`UPDATE audit_events e SET detail = o.detail FROM audit_events o
            WHERE (e.id, o.id) IN ((${EVENT(8)}, ${EVENT(9)}), (${EVENT(9)}, ${EVENT(8)}))`),
      { kind: 'changed', seq: 8n },
    ],
    [
      'swaps two links',
      sql(`UPDATE audit_seals s SET event_id = -o.event_id FROM audit_seals o
            WHERE (s.seq, o.seq) IN ((8, 9), (9, 8));`),
      { kind: 'event_missing', seq: 8n },
    ],
    [
      'inserts an event',
      sql(`INSERT INTO audit_events (at, type) VALUES ('2026-11-28T03:00:00Z', 'x')`),
      { kind: 'inserted' },
    ],
    [
      'cuts the end off, of every table',
      async () => {
        await db.query('DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE seq > 8)');
        await db.query('DELETE FROM audit_seals WHERE seq > 8');
        await db.query('DELETE FROM audit_checkpoints WHERE seq > 8');
      },
      { kind: 'truncated', seq: 9n },
    ],
    [
      'empties everything',
      async () => {
        await db.query('DELETE FROM audit_events');
        await db.query('DELETE FROM audit_seals');
        await db.query('DELETE FROM audit_checkpoints');
      },
      { kind: 'truncated', seq: 1n },
    ],
    [
      'changes an event and has the whole chain sealed anew',
      async () => {
        await db.query(`UPDATE audit_events SET type = 'x' WHERE id = ${EVENT(2)}`);
        await db.query('INSERT INTO audit_unsealed SELECT event_id, event_at FROM audit_seals');
        await db.query('DELETE FROM audit_seals');
        await db.query('DELETE FROM audit_checkpoints');
        await createSealer({
          db,
          checkpoints,
          checkpointFile: join(folder, 'elsewhere'),
          clock,
          log: quietLog(),
        }).sealDue();
      },
      { kind: 'rewritten', seq: 6n },
    ],
    [
      'makes a checkpoint of their own',
      sql(`UPDATE audit_checkpoints SET hash = sha256('x') WHERE seq = 6`),
      { kind: 'checkpoint_forged', seq: 6n },
    ],
    [
      'writes one into the second place',
      () =>
        appendFile(file, `${JSON.stringify({ seq: '3', at: '2026-11-28T03:00:00.000Z', hash: '00', mac: '00' })}\n`),
      { kind: 'checkpoint_forged', seq: 3n },
    ],
  ])('%s is found, and where', async (_, tamper, breach) => {
    await trail();
    await tamper();
    expect(await found()).toMatchObject(breach);
  });

  it('deletes an event before the sealer comes is found too', async () => {
    await write(3);
    await db.query('DELETE FROM audit_events WHERE id = (SELECT min(id) FROM audit_events)');
    await seal();
    expect(await found()).toEqual({ kind: 'event_missing', seq: 1n });
  });
});

describe('a sealer', () => {
  /** Fails at the nth statement, as one that is killed there. */
  function dyingAt(step: number): { database: Database; reached: () => boolean } {
    let left = step;
    const guard = (inner: Queryable): Queryable => ({
      query: (text, values) => {
        left -= 1;
        if (left === 0) throw new Error('killed');
        return inner.query(text, values);
      },
    });
    return {
      database: { ...db, ...guard(db), transaction: (work) => db.transaction((tx) => work(guard(tx))) },
      reached: () => left <= 0,
    };
  }

  it('killed at each of its statements raises no false alarm, and the next one goes on', async () => {
    let steps = 0;
    for (let step = 1; ; step += 1) {
      await write(2);
      minute();
      const { database, reached } = dyingAt(step);
      await sealerOver(database)
        .sealDue()
        .catch(() => undefined);
      expect(await found()).toBeUndefined();
      await seal();
      expect(await verify()).toMatchObject({ breach: undefined, waiting: 0 });
      steps = step;
      if (!reached()) break;
    }
    expect(steps).toBeGreaterThan(8);
  });

  it('whose second place cannot be written says so, and goes on', async () => {
    await writeFile(join(folder, 'a file'), '');
    const log = quietLog();
    const sealer = createSealer({ db, checkpoints, checkpointFile: join(folder, 'a file', 'x'), clock, log });
    await write(2);
    await sealer.sealDue();
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(log.lines.filter(({ level }) => level === 'info')).toMatchObject([{ fields: { seq: '2' } }]);
    expect(await verify()).toMatchObject({ breach: undefined, links: 2n, waiting: 0 });
  });
});

it('verifies 100,000 rows a second or more on a machine with nothing else to do, half of it beside other tests', async () => {
  const ROWS = 200_000;
  await withBulkSession(db.url, (session) =>
    session.query(
      `WITH written AS (
       INSERT INTO audit_events (at, type, account_id, client_id, request_id, detail)
       SELECT '2026-11-28T03:00:00Z'::timestamptz + n * interval '1 millisecond', 'sign_in.otp_accepted',
              gen_random_uuid(), 'myasn', gen_random_uuid()::text,
              jsonb_build_object('device', gen_random_uuid(), 'browser', 'Chrome', 'system', 'Android')
         FROM generate_series(1, $1::integer) n RETURNING id, at)
     INSERT INTO audit_unsealed SELECT id, at FROM written`,
      [ROWS],
    ),
  );
  await seal();
  await db.query('ANALYZE audit_events');
  await db.query('ANALYZE audit_seals');
  const began = performance.now();
  expect(await verify()).toMatchObject({ breach: undefined, links: BigInt(ROWS) });
  const perSecond = (ROWS * 1000) / (performance.now() - began);
  figures('audit verify', { rows: ROWS, perSecond });
  expect(perSecond).toBeGreaterThan(50_000);
}, 120_000);
