import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BreachCause, BreachFacts, BreachPerson, BreachReport } from '../helpdesk/breach/report.js';
import { secondsAfter } from '../kernel/clock.js';
import { CSV_BEGIN, csvRow } from '../kernel/safe-csv.js';
import { timesIn } from '../web/locale.js';
import { knownAtLine } from './breach-folder.js';

const HOUR_SECONDS = 3600;
/** BSSN 1/2024 Ps. 15: an incident is reported within 1 x 24 hours of being known. */
export const bssnDeadline = (knownAt: Date): Date => secondsAfter(knownAt, 24 * HOUR_SECONDS);
/** UU PDP Ps. 46: people and the authority are told within 3 x 24 hours. */
export const noticeDeadline = (knownAt: Date): Date => secondsAfter(knownAt, 72 * HOUR_SECONDS);

interface Words {
  readonly classes: Readonly<Record<string, string>>;
  readonly causes: Readonly<Record<BreachCause['kind'], string>>;
  /** Heads of the tables. */
  readonly agencies: readonly string[];
  readonly kinds: readonly string[];
  readonly none: string;
}

interface BreachFilesOrder {
  /** Of the drafts; Indonesian, as the law wants them. */
  readonly templates: string;
  readonly out: string;
  readonly cause: BreachCause;
  readonly knownAt: Date;
  readonly institution: string;
}

const DRAFTS = ['summary.md', 'notice-people.md', 'notice-authority.md', 'notice-bssn.md'] as const;
const OWN_EYES = { mode: 0o600 };
const { date, time } = timesIn('id');
const moment = (at: Date): string => `${date(at)} ${time(at)}`;
const count = (number: number): string => number.toLocaleString('id-ID');

/** A value in a cell of a table in Markdown. */
const inCell = (value: string): string => value.replaceAll('|', '\\|').replaceAll(/[\r\n]+/g, ' ');
const row = (...cells: readonly string[]): string => `| ${cells.map(inCell).join(' | ')} |`;
const table = (head: readonly string[], lines: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...lines].join('\n');

async function writePeople(path: string, people: AsyncIterable<BreachPerson>): Promise<{ withoutEmail: number }> {
  const seen = { withoutEmail: 0 };
  async function* lines(): AsyncGenerator<string> {
    yield (
      CSV_BEGIN +
      csvRow(['account', 'name', 'nip', 'email', 'agency', 'agency_name', 'data', 'events', 'first', 'last'])
    );
    for await (const person of people) {
      if (person.email === undefined) seen.withoutEmail += 1;
      const { accountId, name, nip, email, agencyCode, agencyName, classes, events, first, last } = person;
      yield csvRow([accountId, name, nip, email, agencyCode, agencyName, classes.join(' '), events, first, last]);
    }
  }
  await pipeline(lines(), createWriteStream(path, OWN_EYES));
  return seen;
}

async function writeSessions(path: string, { sessions }: BreachReport): Promise<void> {
  const lines = sessions.map(({ uid, accountId, startedAt, lastSeenAt, isOpen }) =>
    csvRow([uid, accountId, startedAt.toISOString(), lastSeenAt.toISOString(), isOpen ? 'open' : 'ended']),
  );
  const header = csvRow(['session', 'account', 'started', 'last_seen', 'state']);
  await writeFile(path, CSV_BEGIN + header + lines.join(''), OWN_EYES);
}

function valuesOf(facts: BreachFacts, words: Words, order: BreachFilesOrder): Readonly<Record<string, string>> {
  const { window, madeAt, people, agencies, kinds, classes, sessions } = facts;
  return {
    institution: order.institution,
    cause: words.causes[order.cause.kind],
    from: moment(window.from),
    to: moment(window.to),
    made_at: moment(madeAt),
    made_on: date(madeAt),
    known_at: moment(order.knownAt),
    bssn_by: moment(bssnDeadline(order.knownAt)),
    notice_by: moment(noticeDeadline(order.knownAt)),
    people: count(people),
    agency_count: count(agencies.length),
    agencies: table(
      words.agencies,
      agencies.map(({ code, name, people: concerned }) => row(name, code, count(concerned))),
    ),
    classes: (classes.length === 0 ? [words.none] : classes.map((name) => words.classes[name] ?? name))
      .map((line) => `- ${line}`)
      .join('\n'),
    kinds: table(
      words.kinds,
      kinds.map(({ type, events, nameless, first, last }) =>
        row(type, count(events), count(nameless), moment(first), moment(last)),
      ),
    ),
    sessions: count(sessions.sessions),
    open: count(sessions.open),
    tokens: count(sessions.tokens),
  };
}

/** Fills `{{name}}`; a name that nothing fills is a mistake of ours. */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a draft has no value for ${name}`);
    return value;
  });
}

/** Writes the lists and the drafts into a folder that nobody else reads. Answers the names of the files. */
export async function writeBreachFiles(report: BreachReport, order: BreachFilesOrder): Promise<readonly string[]> {
  const { templates, out } = order;
  await mkdir(out, { recursive: true, mode: 0o700 });
  const words = JSON.parse(await readFile(join(templates, 'words.json'), 'utf8')) as Words;
  const { withoutEmail } = await writePeople(join(out, 'people.csv'), report.people);
  await writeSessions(join(out, 'sessions.csv'), report);
  const values = { ...valuesOf(report.facts, words, order), without_email: count(withoutEmail) };
  for (const name of DRAFTS) {
    const template = await readFile(join(templates, name), 'utf8');
    const head = name === 'summary.md' ? knownAtLine(order.knownAt) : '';
    await writeFile(join(out, name), head + filled(template, values), OWN_EYES);
  }
  return ['people.csv', 'sessions.csv', ...DRAFTS];
}
