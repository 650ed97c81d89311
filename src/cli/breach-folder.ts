import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const SUMMARY = 'summary.md';
const KNOWN_AT = /^<!-- known-at: (\S+) -->$/m;

/** The first line of a summary: when it became known, for the next run over the same folder. */
export const knownAtLine = (knownAt: Date): string => `<!-- known-at: ${knownAt.toISOString()} -->\n`;

/** What a folder holds already: no report, one with its moment, or one that does not say it any more. */
export type EarlierReport =
  { readonly kind: 'none' } | { readonly kind: 'known'; readonly at: Date } | { readonly kind: 'unreadable' };

/** The report of an earlier run: the deadlines of the law count from the moment that it was given (UU PDP Ps. 46). */
export async function earlierReportIn(folder: string): Promise<EarlierReport> {
  let summary: string;
  try {
    summary = await readFile(join(folder, SUMMARY), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' };
    throw error;
  }
  const at = new Date(KNOWN_AT.exec(summary)?.[1] ?? NaN);
  return Number.isNaN(at.getTime()) ? { kind: 'unreadable' } : { kind: 'known', at };
}
