import type { Command } from 'commander';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A moment as it was typed: a day of Jakarta's calendar, or a moment with its zone. Ends the program when it is none. */
function typedMoment(typed: string, command: Command, option: string): Date {
  const isDay = DAY.test(typed);
  const at = new Date(isDay ? `${typed}T00:00:00+07:00` : typed);
  // Without a zone it would be the machine's.
  if (Number.isNaN(at.getTime()) || !(isDay || /(?:Z|[+-]\d{2}:\d{2})$/.test(typed))) {
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
  const end = to === undefined ? undefined : typedMoment(to, command, '--to');
  if (end !== undefined && DAY.test(to ?? '')) end.setUTCDate(end.getUTCDate() + 1);
  return {
    ...(from === undefined ? {} : { from: typedMoment(from, command, '--from') }),
    ...(end === undefined ? {} : { to: end }),
  };
}
