import { figures } from '../support/figures.js';
import type { Answer } from '../support/visitor.js';

/** How many of a kind are raced, and how often each is used at once. */
export const ITEMS = 200;
export const USES = 16;

export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** How often each value comes. */
export function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** What came of all races of one kind. */
export interface Outcome {
  /** How many items were accepted how often. */
  readonly accepted: Readonly<Record<string, number>>;
  /** The refusals: status and error code, and how often each was given. */
  readonly losers: Readonly<Record<string, number>>;
}

export interface Rules {
  readonly accepts: (answer: Answer) => boolean;
  /** The error code of a refusal. */
  readonly code: (answer: Answer) => string;
}

const isShed = ({ status }: Answer): boolean => status === 503;

/**
 * Judges the races of one kind. A machine that is too busy for its deadlines may refuse a use with 503, and then an
 * item may be left that nobody got: such an item counts as accepted when it was accepted, and else is left out.
 */
export function judge(races: readonly (readonly Answer[])[], { accepts, code }: Rules): Outcome {
  const accepted: number[] = [];
  const losers: string[] = [];
  for (const answers of races) {
    const count = answers.filter(accepts).length;
    if (count > 0 || !answers.some(isShed)) accepted.push(count);
    for (const answer of answers) {
      if (!accepts(answer) && !isShed(answer)) losers.push(`${answer.status} ${code(answer)}`);
    }
  }
  const outcome = { accepted: tally(accepted), losers: tally(losers) };
  figures(expect.getState().currentTestName ?? '', { ...outcome, shed: races.flat().filter(isShed).length });
  return outcome;
}

/** Nothing was accepted twice, nothing was lost on a machine that keeps up, and every loser heard one of these. */
export function expectOnce({ accepted, losers }: Outcome, { items = ITEMS, told }: { items?: number; told: string[] }) {
  expect(Object.keys(accepted)).toEqual(['1']);
  expect(accepted['1']).toBeGreaterThan(items / 2);
  expect(told).toEqual(expect.arrayContaining(Object.keys(losers)));
}
