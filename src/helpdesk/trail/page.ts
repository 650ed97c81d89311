import type { Queryable } from '../../storage/database.js';
import type { TrailPlace } from './cursor.js';
import type { CheckedQuestion } from './question.js';
import { selectTrail, type TrailRow } from './search-store.js';

/** The first of a question's slices, when kinds are rare and nothing else narrows it; each next one is twice as long. */
const SLICE_MS = 24 * 3600 * 1000;
/** So long a search goes on to another slice. */
const PATIENCE_MS = 700;

interface Page {
  readonly events: readonly TrailRow[];
  /** Where it goes on, if it does. */
  readonly end: TrailPlace | undefined;
}

/**
 * A page of at most `limit` rows. Of chosen kinds in a large agency it may hold fewer, or none, and go on: a page never
 * takes long, however rare the kind (docs/adr/0021).
 */
export async function readPage(
  db: Queryable,
  question: CheckedQuestion,
  { before, limit, now }: { before: TrailPlace | undefined; limit: number; now: Date },
): Promise<Page> {
  const isSliced = question.types !== undefined && question.accountId === undefined && question.actorId === undefined;
  const began = performance.now();
  const events: TrailRow[] = [];
  let { to } = question;
  if (before !== undefined) to = new Date(Math.min(to.getTime(), new Date(before.at).getTime() + 1));
  for (let slice = SLICE_MS; ; slice *= 2) {
    const from = isSliced ? new Date(Math.max(question.from.getTime(), to.getTime() - slice)) : question.from;
    const wanted = limit + 1 - events.length;
    events.push(...(await selectTrail(db, { ...question, from, to, now, before, limit: wanted })));
    if (events.length > limit) return { events: events.slice(0, limit), end: events[limit - 1]?.place };
    if (from <= question.from) return { events, end: undefined };
    to = from;
    // Nothing is behind the end of the slice but what is older: its id is below all.
    if (performance.now() - began > PATIENCE_MS) return { events, end: { at: to.toISOString(), id: '0' } };
  }
}
