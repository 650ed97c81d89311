import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { weaknesses } from '../clients/client-weaknesses.js';
import type { ClientRegistration } from '../clients/client-schema.js';
import type { ClientProblem } from '../clients/clients-file.js';
import type { ClientRecord, Clients } from '../clients/clients.js';
import { addInvitationCommands } from './client-invitations.js';
import { isWaiting } from '../clients/client-view.js';
import { moment } from './moment.js';
import { printable } from './printable.js';
import type { RunWithServices } from './run.js';

const HOUR = 3600;
const DEFAULT_OVERLAP_HOURS = 24;
const MAX_OVERLAP_HOURS = 30 * 24;

const warn = (line: string): void => void process.stderr.write(`${printable(line)}\n`);

const tellProblems = (problems: readonly ClientProblem[]): void => {
  for (const { client, field, problem } of problems)
    warn([client, field, problem].filter((part) => part !== '').join(' '));
};

const tellWeaknesses = (client: ClientRegistration): void => {
  for (const { field, warning } of weaknesses(client)) warn(`warning: ${client.client_id}: ${field} ${warning}`);
};

/** The registrations of a file: one object, or an array of them. Undefined, and said so, when it holds neither. */
async function readEntries(path: string): Promise<readonly unknown[] | undefined> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    warn(error instanceof SyntaxError ? `${path} is not JSON` : `${path} cannot be read`);
    return undefined;
  }
  if (Array.isArray(content)) return content as readonly unknown[];
  if (typeof content === 'object' && content !== null) return [content];
  warn(`${path} must hold a registration, or an array of them`);
  return undefined;
}

async function addFrom(path: string, { clients, replace }: { clients: Clients; replace: boolean }): Promise<number> {
  const entries = await readEntries(path);
  if (entries === undefined) return 1;
  let code = 0;
  for (const [index, entry] of entries.entries()) {
    const added = await clients.add(entry, { source: 'command', replace });
    if (added.kind === 'added') {
      const { client, secret } = added;
      console.log(`${client.client_id}: ${added.isNew ? 'added' : 'replaced'}`);
      if (secret !== undefined) console.log(`client_secret, told this once: ${secret}`);
      tellWeaknesses(client);
      continue;
    }
    code = 1;
    if (added.kind === 'refused') {
      tellProblems(
        added.problems.map((each) =>
          entries.length === 1 ? each : { ...each, client: each.client.replace('#1', `#${index + 1}`) },
        ),
      );
    } else {
      const id = (entry as { client_id: string }).client_id;
      warn(
        added.of === 'file'
          ? `${id} stands in CLIENTS_FILE: change it there`
          : `${id} is registered already; --replace changes it`,
      );
    }
  }
  return code;
}

const stateOf = (record: ClientRecord): string => {
  const { registration, disabledAt, leftAt } = record;
  if (leftAt !== undefined) return 'left the file';
  if (isWaiting(record)) return 'waits for clients enable';
  if (disabledAt !== undefined) return 'disabled';
  return registration === undefined ? 'refused' : 'in use';
};

const day = (at: Date | undefined): string => (at === undefined ? 'never' : moment(at).slice(0, 10));

/** Columns as wide as what stands in them. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function listed(records: readonly ClientRecord[]): string {
  const heads = ['CLIENT', 'NAME', 'FROM', 'AUTHENTICATION', 'STATE', 'WEAKNESSES', 'LAST USED'];
  const rows = records.map((record) => {
    const { client_name: name, token_endpoint_auth_method: method } = (record.registration ?? record.written) as {
      client_name?: string;
      token_endpoint_auth_method?: string;
    };
    // Of one that is refused nothing is judged.
    const weak = record.registration === undefined ? '-' : `${weaknesses(record.registration).length}`;
    const state = stateOf(record);
    return [record.clientId, name ?? '', record.source, method ?? '', state, weak, day(record.lastUsedAt)].map(
      printable,
    );
  });
  return table([heads, ...rows]);
}

function shown(record: ClientRecord): string {
  const secrets = record.secrets.map(
    ({ createdAt, expiresAt }) =>
      `secret of ${moment(createdAt)}${expiresAt === undefined ? '' : `, ends ${moment(expiresAt)}`}`,
  );
  return [
    ...JSON.stringify(record.registration ?? record.written, null, 2)
      .split('\n')
      .map(printable),
    `from:        ${record.source}, ${moment(record.createdAt)}`,
    `changed:     ${moment(record.changedAt)}`,
    `state:       ${stateOf(record)}${record.disabledAt === undefined ? '' : ` since ${moment(record.disabledAt)}`}`,
    `last used:   ${record.lastUsedAt === undefined ? 'never' : moment(record.lastUsedAt)}`,
    ...secrets,
  ].join('\n');
}

const overlap = (text: string): number => {
  const hours = Number(text);
  if (!Number.isFinite(hours) || hours < 0 || hours > MAX_OVERLAP_HOURS) {
    throw new InvalidArgumentError(`a number of hours from 0 to ${MAX_OVERLAP_HOURS}`);
  }
  return hours;
};

/** `clients add|list|show|disable|enable|rotate-secret` */
export function addClientsCommands(program: Command, run: RunWithServices): void {
  const clients = program.command('clients').description('relying parties; running programs follow within ten seconds');
  const unknown = (id: string): number => {
    warn(`no client has the id ${id}`);
    return 1;
  };

  clients
    .command('add')
    .description('register the client, or the clients, of a JSON file: the names of CLIENTS_FILE')
    .argument('<file>', 'a registration, or an array of them')
    .option('--replace', 'change those that were registered by a command, the console or dynamic registration')
    .action((path: string, { replace = false }: { replace?: boolean }) =>
      run((services) => addFrom(path, { clients: services.clients, replace })),
    );

  clients
    .command('list')
    .description('all clients with their state, and in how many ways each is weaker than need be')
    .action(() =>
      run(async (services) => {
        const records = await services.clients.list();
        if (records.length === 0) {
          console.log('no clients yet: those of CLIENTS_FILE are loaded when the program is served');
        } else console.log(listed(records));
        return 0;
      }),
    );

  clients
    .command('show')
    .description('the registration of a client, what it is weak in, and when it was used')
    .argument('<id>', 'client_id')
    .action((id: string) =>
      run(async (services) => {
        const record = await services.clients.find(id);
        if (record === undefined) return unknown(id);
        console.log(shown(record));
        tellProblems(record.problems);
        if (record.registration !== undefined) tellWeaknesses(record.registration);
        return 0;
      }),
    );

  const switching = (name: 'disable' | 'enable', description: string, already: string): void => {
    clients
      .command(name)
      .description(description)
      .argument('<id>', 'client_id')
      .action((id: string) =>
        run(async (services) => {
          const switched = await services.clients[name](id);
          if (switched === 'unknown') return unknown(id);
          console.log(switched === 'done' ? `${id}: ${name}d` : `${id} ${already}`);
          return 0;
        }),
      );
  };
  switching('disable', 'nobody logs in by it any more; its tokens end for good', 'is disabled already');
  switching('enable', 'let people log in by it again', 'is not disabled');

  clients
    .command('rotate-secret')
    .description('make a new client_secret; the one before goes on for a while')
    .argument('<id>', 'client_id')
    .option('--overlap <hours>', 'how long the secret before goes on; 0 ends it now', overlap, DEFAULT_OVERLAP_HOURS)
    .action((id: string, options: { overlap: number }) =>
      run(async (services) => {
        const rotated = await services.clients.rotateSecret(id, { overlapSeconds: Math.round(options.overlap * HOUR) });
        if (rotated.kind === 'unknown') return unknown(id);
        if (rotated.kind === 'has_none') {
          warn(`${id} proves itself without a shared secret`);
          return 1;
        }
        console.log(`client_secret, told this once: ${rotated.secret}`);
        console.log(
          options.overlap === 0
            ? 'the one before has ended'
            : `the one before goes on until ${moment(rotated.formerUntil)}`,
        );
        return 0;
      }),
    );

  addInvitationCommands(clients, run);
}
