import type { AuditDetails } from '../../audit/events.js';
import type { TrailPlace } from './cursor.js';
import { WRITERS, type TrailFormat } from './export-format.js';
import { readPage } from './page.js';
import { aboutLook, filtersOf, type CheckedQuestion, type TrailQuestion, type TrailRefusal } from './question.js';
import { admitReader, mayRead, TRAIL_QUOTAS, type TrailParts } from './reader.js';

/** More is asked for in pieces: the last line says where to go on. */
export const MAX_EXPORT_ROWS = 100_000;
const PAGE = 1_000;

export interface TrailExport extends TrailQuestion {
  readonly format: TrailFormat;
}

export interface TrailFile {
  readonly kind: 'begun';
  /** The file, in pieces, read while they are taken. To be iterated to its end, or broken off. */
  readonly pieces: AsyncIterable<string>;
  /** How many events it holds so far. */
  readonly rows: () => number;
}

export interface TrailExports {
  /**
   * A file of all that a question finds, newest first, up to {@link MAX_EXPORT_ROWS}. That it was begun stands in the
   * trail before the first row leaves, and with how many rows it ended afterwards. Rights are asked for page by page.
   */
  begin(wanted: TrailExport): Promise<TrailFile | TrailRefusal>;
}

type Ended = AuditDetails['audit.exported']['ended'];

export function createTrailExports(parts: TrailParts & { readonly maxRows?: number }): TrailExports {
  const { db, audit, clock, maxRows = MAX_EXPORT_ROWS } = parts;

  async function* piecesOf(
    question: CheckedQuestion,
    wanted: TrailExport,
    onRows: (rows: number) => void,
  ): AsyncGenerator<string> {
    const { format } = wanted;
    const writer = WRITERS[format];
    let rows = 0;
    let ended: Ended = 'broken_off';
    try {
      yield writer.begin;
      let before: TrailPlace | undefined;
      for (;;) {
        const page = await readPage(db, question, {
          before,
          limit: Math.min(PAGE, maxRows - rows),
          now: clock.now(),
        });
        rows += page.events.length;
        onRows(rows);
        const isCapped = rows >= maxRows && page.end !== undefined;
        const isRefused = !(await mayRead(db, question, clock.now()));
        yield page.events.map(writer.row).join('');
        if (isCapped || isRefused) {
          const last = page.events.at(-1)?.at ?? question.to;
          const continueTo = new Date(last.getTime() + 1).toISOString();
          yield writer.cut({ ended: isRefused ? 'refused' : 'capped', rows, continueTo });
          ended = isRefused ? 'refused' : 'capped';
          return;
        }
        if (page.end === undefined) break;
        before = page.end;
      }
      ended = 'whole';
    } finally {
      const about = aboutLook(wanted, question.accountId);
      await audit.record(db, { type: 'audit.exported', detail: { format, rows, ended }, ...about });
    }
  }

  return {
    begin: (wanted) =>
      db.transaction(async (tx) => {
        const admitted = await admitReader(tx, parts, { asked: wanted, quota: TRAIL_QUOTAS.exports });
        if (admitted.kind !== 'admitted') return admitted;
        const { question } = admitted;
        const about = aboutLook(wanted, question.accountId);
        const detail = { ...filtersOf(question), format: wanted.format };
        await audit.record(tx, { type: 'audit.export_begun', detail, ...about });
        let written = 0;
        const pieces = piecesOf(question, wanted, (rows) => {
          written = rows;
        });
        return { kind: 'begun', pieces, rows: () => written };
      }),
  };
}
