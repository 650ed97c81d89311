import type { AgencyCode } from '../kernel/ids.js';
import type { FeedMode, FeedReport } from './feed-report.js';
import type { Progress } from './import-file.js';
import type { RowProblem } from './table.js';

/** Who gave a file: the machine's operator, or a service over the admin API, which may be bound to an agency. */
export type FeedSource =
  | { readonly kind: 'command' }
  | { readonly kind: 'service'; readonly clientId: string; readonly agency: AgencyCode | undefined };

/** `interrupted`: its process ended. Whole rows are in; the same file given again finishes the work. */
export type FeedState = 'waiting' | 'running' | 'applied' | 'refused' | 'failed' | 'interrupted';

/** One file, given once. */
export interface FeedRun {
  readonly id: string;
  readonly state: FeedState;
  readonly mode: FeedMode;
  readonly dryRun: boolean;
  /** Undefined: the command line. */
  readonly clientId: string | undefined;
  readonly agencyCode: AgencyCode | undefined;
  /** SHA-256 of the file in hex, once it was read. */
  readonly digest: string | undefined;
  readonly signedAt: Date | undefined;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  /** Why it was refused or failed. */
  readonly cause: string | undefined;
  readonly progress: Progress | undefined;
  readonly report: FeedReport | undefined;
  /** The first of the rows that were skipped. */
  readonly problems: readonly RowProblem[];
}
