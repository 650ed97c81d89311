import { CSV_BEGIN, csvRow } from '../../kernel/safe-csv.js';
import type { TrailRow } from './search-store.js';

export const TRAIL_FORMATS = ['csv', 'jsonl'] as const;
export type TrailFormat = (typeof TRAIL_FORMATS)[number];

/** Why a file does not hold all that was asked for, and how to go on. */
interface CutOff {
  readonly ended: 'capped' | 'refused';
  readonly rows: number;
  /** Ask for what is before this moment: a row or two come twice, none is lost. */
  readonly continueTo: string;
}

interface Writer {
  /** What its file is called on the wire. */
  readonly mediaType: string;
  readonly begin: string;
  readonly row: (row: TrailRow) => string;
  /** The last line of a file that is not whole. */
  readonly cut: (cut: CutOff) => string;
}

const COLUMNS = [
  'at',
  'event',
  'account',
  'account_name',
  'actor',
  'actor_name',
  'agency',
  'client',
  'request',
  'detail',
] as const;

const csv: Writer = {
  mediaType: 'text/csv; charset=utf-8',
  begin: CSV_BEGIN + csvRow(COLUMNS),
  row: ({ at, type, account, actor, agencyCode, clientId, requestId, detail }) =>
    csvRow([
      at.toISOString(),
      type,
      account?.id,
      account?.name,
      actor?.id,
      actor?.name,
      agencyCode,
      clientId,
      requestId,
      JSON.stringify(detail),
    ]),
  cut: ({ ended, rows, continueTo }) => csvRow([`NOT WHOLE: ${ended} after ${rows} rows; go on with to=${continueTo}`]),
};

const jsonl: Writer = {
  mediaType: 'application/jsonl; charset=utf-8',
  begin: '',
  row: ({ at, type, account, actor, agencyCode, clientId, requestId, detail, id }) =>
    `${JSON.stringify({ id, at, event: type, account, actor, agency: agencyCode, client: clientId, request: requestId, detail })}\n`,
  cut: ({ ended, rows, continueTo }) => `${JSON.stringify({ not_whole: ended, rows, continue_to: continueTo })}\n`,
};

export const WRITERS: Readonly<Record<TrailFormat, Writer>> = { csv, jsonl };

/** What a file is saved as, by the day in Jakarta. */
export const trailFileName = (format: TrailFormat, now: Date): string =>
  `riwayat-${new Date(now.getTime() + 7 * 3600 * 1000).toISOString().slice(0, 10)}.${format}`;
