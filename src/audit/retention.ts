import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { withBulkSession, type BulkSession } from '../storage/copy.js';
import type { Queryable } from '../storage/database.js';
import { droppableBefore, type Anchors } from './anchors.js';
import { BrokenChain, writeArchive } from './archive.js';
import type { Audit } from './audit.js';
import { readCanonically, type Head } from './chain-store.js';
import type { Checkpoints } from './checkpoints.js';
import { GENESIS } from './link.js';
import {
  deleteLinks,
  dropTakenOut,
  findAnchor,
  findCut,
  hasOldLinks,
  insertAnchor,
  isUnsealedBefore,
  lockRetention,
  monthsBefore,
  setAside,
  takeOut,
  type Month,
} from './retention-store.js';

/** What a month leaves behind at most: more says that a clock was wrong, and somebody should look. */
const MAX_KEPT = 200_000;
/** After something stood in the way. */
const REST_SECONDS = 3600;

export interface RetentionParts {
  /** As the role that owns the schema. */
  readonly databaseUrl: string;
  /** How many whole months stay besides the one that runs; 0: all. */
  readonly months: number;
  readonly archiveDir: string;
  readonly checkpoints: Checkpoints;
  readonly anchors: Anchors;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Retention {
  /**
   * Archives and drops the months that are old enough, the oldest first. Answers how many. Harmless when there is
   * nothing to do; several processes do it once.
   */
  runDue(db: Queryable): Promise<number>;
}

/**
 * Retention of the audit trail (R-45, docs/adr/0021). A month is dropped only when its chain was found whole while it
 * was written into the archive, up to a genuine checkpoint, which then becomes the chain's beginning.
 */
export function createRetention(parts: RetentionParts): Retention {
  const { databaseUrl, months, archiveDir, checkpoints, anchors, audit, clock, log } = parts;
  let restsUntil = new Date(0);

  const withhold = (month: Month, reason: string): false => {
    restsUntil = secondsAfter(clock.now(), REST_SECONDS);
    log.error('a month of the audit trail is not dropped', { month: month.name, reason });
    return false;
  };

  async function dropMonth(session: BulkSession, month: Month): Promise<boolean> {
    // The sealer comes every second: next time.
    if (await isUnsealedBefore(session, month.end)) return false;
    const anchor = await findAnchor(session);
    const begin: Head = anchor ?? { seq: 0n, hash: GENESIS };
    if (anchor !== undefined && !anchors.isGenuine(anchor))
      return withhold(month, 'the beginning of the chain is forged');
    const found = await findCut(session, month.end);
    if (found !== undefined && !checkpoints.isGenuine(found)) return withhold(month, 'a checkpoint is forged');
    const cut = found !== undefined && found.seq > begin.seq ? found : undefined;
    const archive = `audit-${month.name}-to-${cut?.seq ?? begin.seq}.jsonl.gz`;
    if (cut !== undefined) {
      await readCanonically(session);
      await writeArchive(session, { folder: archiveDir, name: archive, begin, end: cut });
    }
    return session.transaction(async (tx) => {
      const kept = await setAside(tx, month, cut?.seq ?? begin.seq);
      if (kept > MAX_KEPT) return withhold(month, 'too many of its events are sealed after later ones');
      await takeOut(tx, month, cut?.seq ?? begin.seq);
      if (cut === undefined) return true;
      const { seq, hash } = cut;
      const at = clock.now();
      await insertAnchor(tx, anchors.make({ seq, hash, at, cutoff: month.end, archive }));
      const detail = { month: month.name, through: String(seq), kept, archive };
      await audit.record(tx, { type: 'audit.pruned', detail });
      log.info('a month of the audit trail was archived and dropped', detail);
      return true;
    });
  }

  async function run(session: BulkSession): Promise<number> {
    if (!(await lockRetention(session))) return 0;
    let dropped = 0;
    for (const month of await monthsBefore(session, droppableBefore(clock.now(), months))) {
      const isDropped = await dropMonth(session, month).catch((error: unknown) => {
        if (error instanceof BrokenChain) return withhold(month, error.message);
        throw error;
      });
      if (!isDropped) break;
      dropped += 1;
    }
    await dropTakenOut(session);
    const anchor = await findAnchor(session);
    if (anchor !== undefined) await deleteLinks(session, anchor.seq);
    return dropped;
  }

  return {
    async runDue(db) {
      const now = clock.now();
      if (months === 0 || now < restsUntil) return 0;
      const due = await monthsBefore(db, droppableBefore(now, months));
      if (due.length === 0 && !(await hasOldLinks(db))) return 0;
      try {
        return await withBulkSession(databaseUrl, run);
      } catch (error) {
        restsUntil = secondsAfter(now, REST_SECONDS);
        throw error;
      }
    },
  };
}
