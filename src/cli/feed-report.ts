import type { FeedOutcome, FeedRefusal, FeedReport } from '../provisioning/feed-report.js';

const format = new Intl.NumberFormat('en');
const number = (count: number): string => format.format(count);
const people = (count: number): string => (count === 1 ? '1 person' : `${number(count)} people`);
/** The rest stands in the run's report. */
const MOST_FLOWS = 20;

/** Those of the last day count, too. */
const besides = (before: number): string => (before === 0 ? '' : ` (besides ${number(before)} in the last 24 hours)`);

/** Why a whole file was refused, and what helps. */
function tellRefusal(refusal: FeedRefusal): string {
  switch (refusal.cause) {
    case 'too_many_inactive': {
      const { inactive, before, active, allowed } = refusal;
      return `${people(inactive)} of ${number(active)} would become inactive${besides(before)}, and ${number(allowed)} may at once; if that is right, add --agree-inactive ${inactive}`;
    }
    case 'agency_emptied': {
      const { agencyCode, inactive, before, active, allInactive } = refusal;
      return `${people(inactive)} of ${number(active)} in the agency ${agencyCode} would become inactive${besides(before)}, more than half; if that is right, add --agree-inactive ${allInactive}`;
    }
    case 'too_many_moved': {
      const { people: moved, before, active, allowed } = refusal;
      return `${people(moved)} of ${number(active)} would change agency${besides(before)}, and ${number(allowed)} may at once; if that is right, add --agree-moved ${moved}`;
    }
    case 'too_many_readdressed': {
      const { people: readdressed, before, active, allowed } = refusal;
      return `${people(readdressed)} of ${number(active)} would get another e-mail address${besides(before)}, and ${number(allowed)} may at once; if that is right, add --agree-emails ${readdressed}`;
    }
    case 'unsigned':
      return 'the file must be signed: give its signature with --signature';
    case 'bad_signature':
      return 'the signature is not one of a known key over a personnel file';
    case 'other_mode':
      return 'the file is signed for the other mode';
    case 'other_file':
      return 'the signature belongs to another file';
    case 'not_newer':
      return 'a file that was made later has been taken in';
  }
}

function* details(report: FeedReport): Generator<string> {
  const { created, left, missing, returned, moved, renumbered, emailChanged, flows } = report;
  if (left + returned + moved + renumbered + emailChanged > 0) {
    const named = missing === 0 ? '' : ` (${number(missing)} not in the file)`;
    yield `joined ${number(created)}, moved ${number(moved)}, left ${number(left)}${named}, returned ${number(returned)}, new NIP ${number(renumbered)}, new e-mail ${number(emailChanged)}`;
  }
  for (const { from, to, people: count } of flows.slice(0, MOST_FLOWS)) {
    yield `moved from ${from} to ${to}: ${number(count)}`;
  }
  if (flows.length > MOST_FLOWS) yield `and between ${number(flows.length - MOST_FLOWS)} more pairs of agencies`;
}

function* warnings({ unknownColumns, unlikelyAges, kept, nameless, startedOver }: FeedReport): Generator<string> {
  if (unknownColumns.length > 0) yield `passed over unknown columns: ${unknownColumns.join(', ')}`;
  if (unlikelyAges.length > 0) {
    yield `NIPs of people younger than 16 or older than 75 on lines ${unlikelyAges.join(', ')}`;
  }
  if (startedOver > 0) {
    yield `${startedOver === 1 ? '1 account is' : `${number(startedOver)} accounts are`} another person's by this file, and without password and factors`;
  }
  if (kept > 0) {
    yield `${people(kept)} not in the file stayed active: ${number(nameless)} ${nameless === 1 ? 'row' : 'rows'} could not be read and may be theirs`;
  }
}

const counts = (report: FeedReport): string =>
  (['created', 'updated', 'unchanged', 'skipped'] as const)
    .map((count) => `${count} ${number(report[count])}`)
    .join(', ');

/** Tells how a file was taken in: counts on stdout, what needs a look on stderr. Answers the exit code. */
export function reportFeed(outcome: FeedOutcome, about: { errorsPath: string; dryRun: boolean }): number {
  switch (outcome.kind) {
    case 'unusable':
      console.error(`nothing imported: ${outcome.reason}`);
      return 1;
    case 'busy':
      console.error('nothing imported: another import is running');
      return 1;
    case 'refused': {
      const { refusal, report } = outcome;
      if (report !== undefined) tell(`would have: ${counts(report)}`, report);
      console.error(`refused, nothing changed: ${tellRefusal(refusal)}`);
      return 1;
    }
    case 'done': {
      const { report } = outcome;
      const { skipped, kept } = report;
      tell(`${about.dryRun ? 'dry run, nothing changed: ' : ''}${counts(report)}`, report);
      if (skipped > 0) {
        console.error(`${number(skipped)} ${skipped === 1 ? 'row was' : 'rows were'} skipped, see ${about.errorsPath}`);
      }
      return skipped + kept === 0 ? 0 : 1;
    }
  }
}

function tell(heading: string, report: FeedReport): void {
  console.log(heading);
  for (const line of details(report)) console.log(line);
  for (const line of warnings(report)) console.error(line);
}
