import type { Command } from 'commander';
import { jakartaDay } from '../kernel/jakarta-day.js';

/** A day of Jakarta's calendar, or a moment with its zone: without one it would be the machine's. */
function momentIn(typed: string, bound: 'from' | 'to'): Date | undefined {
  const at = jakartaDay(typed)?.[bound] ?? new Date(/(?:Z|[+-]\d{2}:\d{2})$/.test(typed) ? typed : NaN);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** A bound of a range, as it was typed. Ends the program when it is none. */
function typedMoment(typed: string, command: Command, { option, bound }: { option: string; bound: 'from' | 'to' }) {
  const at = momentIn(typed, bound);
  if (at === undefined) {
    const example = 'e.g. 2026-11-01 (WIB), or a moment with its zone, e.g. 2026-11-01T07:00+07:00';
    command.error(`${option} takes a day, ${example}`, { exitCode: 2 });
  }
  return at;
}

/** A moment that is given by itself; a day is meant from its beginning. Ends the program when it is none. */
export function typedTime(option: string, typed: string, command: Command): Date {
  const at = momentIn(typed, 'from');
  if (at === undefined) command.error(`${option} takes a time, e.g. 2026-11-28T13:34+07:00`, { exitCode: 2 });
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
