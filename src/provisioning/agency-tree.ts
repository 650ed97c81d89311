import type { Agency } from '../accounts/agency.js';

/** An agency as a file gives it. */
export interface GivenAgency extends Agency {
  readonly line: number;
}

export interface Misplaced {
  readonly line: number;
  readonly code: string;
  readonly reason: string;
}

/**
 * The given agencies that cannot join the tree: their parent does not exist, or they would be above themselves. One
 * that is refused stays where it was, which may strand or free others: so until all that are left fit.
 */
export function misplacedAgencies(
  given: ReadonlyMap<string, GivenAgency>,
  known: ReadonlyMap<string, Agency>,
): readonly Misplaced[] {
  const left = new Map(given);
  const refused: Misplaced[] = [];
  for (;;) {
    const misplaced = [...orphans(left, known), ...loops(left, known)];
    if (misplaced.length === 0) return refused;
    for (const it of misplaced) left.delete(it.code);
    refused.push(...misplaced);
  }
}

function orphans(left: ReadonlyMap<string, GivenAgency>, known: ReadonlyMap<string, Agency>): readonly Misplaced[] {
  return [...left.values()]
    .filter(({ parentCode }) => parentCode !== undefined && !left.has(parentCode) && !known.has(parentCode))
    .map(({ line, code }) => ({ line, code, reason: 'is no known agency' }));
}

function loops(left: ReadonlyMap<string, GivenAgency>, known: ReadonlyMap<string, Agency>): readonly Misplaced[] {
  const parentOf = (code: string): string | undefined => (left.get(code) ?? known.get(code))?.parentCode;
  const settled = new Set<string>();
  const found: Misplaced[] = [];
  for (const start of left.keys()) {
    const path = new Set<string>();
    let code: string | undefined = start;
    while (code !== undefined && !settled.has(code) && !path.has(code)) {
      path.add(code);
      code = parentOf(code);
    }
    if (code !== undefined && path.has(code)) {
      const loop = [...path].slice([...path].indexOf(code));
      for (const member of loop) {
        const agency = left.get(member);
        if (agency !== undefined) found.push({ line: agency.line, code: member, reason: 'would be above itself' });
      }
    }
    for (const seen of path) settled.add(seen);
  }
  return found;
}
