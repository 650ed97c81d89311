import type { Attempt } from '../desk/diagnosis.js';

/** An attempt, and how often the same was refused in a row. */
export type FoldedAttempt = Attempt & { readonly count: number };

const isSame = (one: Attempt, other: Attempt): boolean =>
  one.step === other.step &&
  one.during === other.during &&
  one.outcome === other.outcome &&
  one.minutes === other.minutes;

/** Newest first, as they come; what was refused for the same reason several times in a row is one line, at its latest. */
export function folded(attempts: readonly Attempt[]): readonly FoldedAttempt[] {
  const lines: FoldedAttempt[] = [];
  for (const attempt of attempts) {
    const last = lines.at(-1);
    const isRefused = attempt.outcome !== 'accepted' && attempt.outcome !== 'sent';
    if (last !== undefined && isRefused && isSame(last, attempt))
      lines[lines.length - 1] = { ...last, count: last.count + 1 };
    else lines.push({ ...attempt, count: 1 });
  }
  return lines;
}
