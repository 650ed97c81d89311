import { createCursors } from './cursor.js';
import { readPage } from './page.js';
import { aboutLook, checkQuestion, filtersOf, type TrailQuestion, type TrailRefusal } from './question.js';
import { admitReader, recordRefusal, TRAIL_QUOTAS, type TrailParts } from './reader.js';
import type { TrailRow } from './search-store.js';
import type { TrailRange } from './trail-range.js';

export interface TrailSearch extends TrailQuestion {
  /** As the page before gave it. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface TrailFound {
  readonly kind: 'found';
  readonly events: readonly TrailRow[];
  /** Undefined on the last page. */
  readonly next: string | undefined;
  readonly range: TrailRange;
}

export interface TrailSearches {
  /**
   * Events newest first. A first page leaves its own row in the trail, and so does every refusal; the next ones are
   * reached only by what it gave.
   */
  search(search: TrailSearch): Promise<TrailFound | TrailRefusal>;
}

/** Search of the audit trail within what the reader may see at the moment of the statement (R-10, docs/adr/0021). */
export function createTrailSearches(parts: TrailParts): TrailSearches {
  const { db, audit, keyed, clock } = parts;
  const cursors = createCursors(keyed);

  /** The same for all its pages: the dates as they were asked for, not those of the moment. */
  const nameOf = ({ scope, accountId, actorId, types, from, to }: TrailSearch): string =>
    JSON.stringify([scope, accountId ?? '', actorId ?? '', types ?? [], from ?? '', to ?? '']);

  return {
    search: (search) =>
      db.transaction(async (tx) => {
        const { cursor, limit } = search;
        const name = nameOf(search);
        if (cursor !== undefined) {
          const question = checkQuestion(search, clock.now());
          if ('kind' in question) return question;
          const before = cursors.read(name, cursor);
          if (before === undefined) {
            const refusal: TrailRefusal = { kind: 'invalid', problem: 'cursor' };
            await recordRefusal(tx, audit, { asked: search, refusal, accountId: question.accountId });
            return refusal;
          }
          return found(await readPage(tx, question, { before, limit, now: clock.now() }), question);
        }

        const admitted = await admitReader(tx, parts, { asked: search, quota: TRAIL_QUOTAS.searches });
        if (admitted.kind !== 'admitted') return admitted;
        const { question } = admitted;
        const page = await readPage(tx, question, { before: undefined, limit, now: clock.now() });
        const about = aboutLook(search, question.accountId);
        await audit.record(tx, { type: 'audit.searched', detail: filtersOf(question), ...about });
        return found(page, question);

        function found({ events, end }: Awaited<ReturnType<typeof readPage>>, { from, to }: TrailRange): TrailFound {
          const next = end === undefined ? undefined : cursors.write(name, end);
          return { kind: 'found', events, next, range: { from, to } };
        }
      }),
  };
}
