/** A phone set to a neighbouring zone is off by whole hours; within this many minutes of one we say so. */
const WHOLE_HOUR_SLACK_MINUTES = 5;

/** How many whole hours a clock is off when its zone was set by hand; undefined when it simply runs wrong by minutes. */
export function wholeHoursOff(driftMinutes: number): number | undefined {
  const minutes = Math.abs(driftMinutes);
  const hours = Math.round(minutes / 60);
  return hours > 0 && Math.abs(minutes - hours * 60) <= WHOLE_HOUR_SLACK_MINUTES ? hours : undefined;
}
