import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Services } from '../container.js';
import { VIEWS } from '../container.js';
import type { BreachCause } from '../helpdesk/breach/report.js';
import { bssnDeadline, noticeDeadline, writeBreachFiles } from './breach-files.js';
import { earlierReportIn } from './breach-folder.js';
import { counted } from './counted.js';
import { typedRange, typedTime } from './dates.js';
import { moment } from './moment.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

interface BreachOptions {
  readonly from: string;
  readonly to: string;
  readonly officerNip?: string;
  readonly session?: string;
  readonly client?: string;
  readonly address?: readonly string[];
  readonly knownAt?: string;
  readonly fullNip?: boolean;
  readonly out: string;
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** What the options name; undefined when nobody has the NIP, which is told. */
async function causeOf({ db }: Pick<Services, 'db'>, options: BreachOptions): Promise<BreachCause | undefined> {
  const { officerNip, session, client, address } = options;
  if (session !== undefined) return { kind: 'session', uid: session };
  if (client !== undefined) return { kind: 'client', clientId: client };
  if (address !== undefined) return { kind: 'addresses', networks: address };
  if (officerNip === undefined) return { kind: 'window' };
  const account = await findByNip(db, officerNip);
  return account === undefined ? undefined : { kind: 'account', accountId: account.id };
}

/**
 * From when the deadlines count: as typed, or as an earlier report in the folder has it, or now. A second run must never
 * move them by itself. Undefined, and said, when the earlier report does not tell.
 */
async function knownMoment(folder: string, typed: Date | undefined, now: Date): Promise<Date | undefined> {
  const earlier = await earlierReportIn(folder);
  if (earlier.kind === 'none') return typed ?? now;
  if (typed === undefined && earlier.kind === 'unreadable') {
    console.error(`${folder} holds a report that does not say when it became known: give --known-at, or another --out`);
    return undefined;
  }
  const before = earlier.kind === 'known' ? earlier.at : undefined;
  const known = typed ?? before ?? now;
  console.error(`the report in ${folder} is replaced`);
  if (typed === undefined) console.error(`known since ${moment(known)}, as it says: --known-at for another time`);
  else if (before !== undefined && before.getTime() !== typed.getTime()) {
    console.error(`it counted the deadlines from ${moment(before)}`);
  }
  return known;
}

/** `breach-report`: who was concerned by an intrusion, and the drafts of the notices. */
export function addBreachReport(program: Command, run: RunWithServices): void {
  program
    .command('breach-report')
    .description('who was concerned by an intrusion, with which data and sessions, and drafts of the notices, as files')
    .requiredOption('--from <when>', 'a day (WIB) or a moment with its zone')
    .requiredOption('--to <when>', 'a day, to its end, or a moment')
    .option('--officer-nip <nip>', 'an account that was used: all that it did, and that was done in its name')
    .option('--session <id>', 'one session that was stolen, while it lasted')
    .option('--client <id>', 'a service whose secret or tokens were stolen')
    .option('--address <cidr...>', 'networks from which somebody logged in who was not the person')
    .option(
      '--known-at <when>',
      'when it became known: the deadlines count from there; as before in a folder with a report, else now',
    )
    .option('--full-nip', 'whole NIPs in the list of people instead of their last three digits')
    .option('--out <dir>', 'the folder for the files', 'breach-report')
    .addHelpText('after', '\nWithout one of the four, everything that happened in that time counts.')
    .action(async (options: BreachOptions, command: Command) => {
      const { from, to } = typedRange(options, command);
      const knownAt = options.knownAt === undefined ? undefined : typedTime('--known-at', options.knownAt, command);
      const { officerNip, session, client, address } = options;
      const named = [officerNip, session, client, address].filter((value) => value !== undefined).length;
      const problems = [
        ...(named > 1 ? ['give one of --officer-nip, --session, --client and --address'] : []),
        ...(from !== undefined && to !== undefined && from >= to ? ['--from lies behind --to'] : []),
        ...(address ?? []).filter((text) => !isNetwork(text)).map((text) => `--address: ${text} is no address or CIDR`),
      ];
      if (problems.length > 0 || from === undefined || to === undefined) {
        command.error(problems.join('\n'), { exitCode: 2 });
        return;
      }
      await run(async (services) => {
        const { breachReports, clock, config } = services;
        const cause = await causeOf(services, options);
        if (cause === undefined) return 1;
        if (!(await breachReports.knows(cause))) {
          console.error('there is no such session, or it is forgotten: 30 days after its end. Use --officer-nip');
          return 1;
        }
        const { out, fullNip = false } = options;
        const known = await knownMoment(out, knownAt, clock.now());
        if (known === undefined) return 1;
        const order = {
          templates: join(VIEWS, 'breach'),
          out,
          cause,
          knownAt: known,
          institution: config.institution,
        };
        let files: readonly string[] = [];
        const facts = await breachReports.make({ cause, window: { from, to }, fullNip }, async (report) => {
          files = await writeBreachFiles(report, order);
        });
        const { sessions, tokens, open } = facts.sessions;
        const concerned = `${counted(facts.people, 'person', 'people')} of ${counted(facts.agencies.length, 'agency', 'agencies')}`;
        console.log(`${concerned}; data: ${facts.classes.length === 0 ? 'none' : facts.classes.join(', ')}`);
        console.log(`${counted(sessions, 'session')}, ${open} still open, ${counted(tokens, 'token')} still good`);
        if (open + tokens > 0) console.log('end them: sso-asn accounts freeze --nip NIP --reason TEXT');
        console.log(`report to BSSN (1 x 24 hours) by ${moment(bssnDeadline(known))}`);
        console.log(`tell people and the authority (3 x 24 hours) by ${moment(noticeDeadline(known))}`);
        console.log(`written to ${out}: ${files.join(', ')}`);
        return 0;
      });
    });
}
