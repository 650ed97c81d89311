import type { Command } from 'commander';
import { jakartaDay } from '../kernel/jakarta-day.js';

/** A moment as it was typed: a day of Jakarta's calendar, or a moment with its zone. Ends the program when it is none. */
function typedMoment(typed: string, command: Command, { option, bound }: { option: string; bound: 'from' | 'to' }) {
  const at = jakartaDay(typed)?.[bound] ?? new Date(/(?:Z|[+-]\d{2}:\d{2})$/.test(typed) ? typed : NaN);
  // Without a zone it would be the machine's.
  if (Number.isNaN(at.getTime())) {
    command.error(
      `${option} takes a day, e.g. 2026-11-01 (WIB), or a moment with its zone, e.g. 2026-11-01T07:00+07:00`,
      {
        exitCode: 2,
      },
    );
  }
  return at;
}

interface TypedRange {
  readonly from?: string;
  readonly to?: string;
}

/** What `--from` and `--to` say; a day given as `--to` is meant to its end. */
export function typedRange({ from, to }: TypedRange, command: Command): { from?: Date; to?: Date } {
  return {
    ...(from === undefined ? {} : { from: typedMoment(from, command, { option: '--from', bound: 'from' }) }),
    ...(to === undefined ? {} : { to: typedMoment(to, command, { option: '--to', bound: 'to' }) }),
  };
}
