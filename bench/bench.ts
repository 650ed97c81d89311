/**
 * `npm run bench`: what the ceremonies cost on this machine, beside what was promised (docs/performance.md). Starts the
 * built program on real stores, loads it from this process, and stops everything it started.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMailbox } from '../test/support/mailbox.js';
import { prepareCeremonies, type Ceremony } from './ceremonies.js';
import { measureHash, median, repeat, type CpuMeter } from './measure.js';
import { enrolPeople, importPeople } from './people.js';
import { costOf, ratiosOf, written, type Report, type Round } from './report.js';
import { CLIENTS, command, startServer, type Server, type Settings } from './server.js';
import { openPostgres, openRedis, type Closers } from './stores.js';

const { values: options } = parseArgs({
  options: {
    people: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    lanes: { type: 'string', default: '4' },
    workers: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
});
const [people, rounds, lanes] = [options.people, options.rounds, options.lanes].map(Number) as [number, number, number];

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

interface Meters {
  readonly server: Server;
  readonly postgres: CpuMeter;
  readonly redis: CpuMeter;
}

async function measureRound({ times, run }: Ceremony, { server, postgres, redis }: Meters): Promise<Round> {
  const read = async () => ({ ...(await server.numbers()), postgres: await postgres(), redis: await redis() });
  const spent = (before: number | undefined, after: number | undefined): number | undefined =>
    before === undefined || after === undefined ? undefined : after - before;
  const before = await read();
  const tookMs = await repeat(times, lanes, run);
  const after = await read();
  return {
    times,
    cpu: {
      node: after.cpuSeconds - before.cpuSeconds,
      postgres: spent(before.postgres, after.postgres),
      redis: spent(before.redis, after.redis),
    },
    statements: after.statements - before.statements,
    tookMs,
  };
}

async function bench(closers: Closers): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'sso-asn-bench-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  // PostgreSQL may run as another user, who has to get to its data.
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'data');
  const clients = join(folder, 'clients.json');
  await writeFile(clients, JSON.stringify(CLIENTS));
  const mailbox = await startMailbox();
  closers.push(() => mailbox.stop());

  say('starting the stores');
  const postgres = await openPostgres({ folder, dataDir, closers });
  const redis = await openRedis({ folder, closers });
  const settings: Settings = {
    ...(postgres.url === undefined ? {} : { DATABASE_URL: postgres.url }),
    ...(redis.url === undefined ? {} : { REDIS_URL: redis.url }),
    DATA_DIR: dataDir,
    CLIENTS_FILE: clients,
    SMTP_URL: mailbox.url,
    TRUSTED_PROXIES: '127.0.0.1',
    WORKERS: options.workers,
    DEMO: 'false',
  };
  await command(settings, 'migrate');
  const imported = await importPeople(people, { folder, settings });

  const server = await startServer(settings, { closers, profileIn: options.profile });
  const idle = await server.numbers();
  say(`enrolling ${people} people`);
  await enrolPeople(imported, server, mailbox);
  const every = await prepareCeremonies(imported, { server, lanes });
  const ceremonies = every.filter(({ name }) => name.includes(options.only));

  const meters: Meters = { server, postgres: postgres.cpu, redis: redis.cpu };
  const hashes: number[] = [];
  const found = new Map<Ceremony, Round[]>(ceremonies.map((ceremony) => [ceremony, []]));
  let residentBytes = 0;
  // Round 0 warms up: the compiler, the connections, the plans of the statements.
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [ceremony, measured] of found) {
      await ceremony.prepare?.();
      const result = await measureRound(ceremony, meters);
      if (round > 0) measured.push(result);
      hashes.push(await measureHash());
      residentBytes = Math.max(residentBytes, (await server.numbers()).residentBytes);
    }
  }

  const hashSeconds = median(hashes);
  // The primary of several is a process, too.
  const processes = options.workers === '1' ? 1 : Number(options.workers) + 1;
  const megabytes = (bytes: number): number => bytes / processes / 1e6;
  const costs = [...found].map(([ceremony, measured]) => costOf(ceremony, { rounds: measured, hashSeconds }));
  const [processor] = cpus();
  return {
    at: new Date().toISOString(),
    machine: `${cpus().length} x ${processor?.model ?? 'unknown processor'}`,
    versions: [`Node ${process.versions.node}`, `WORKERS=${options.workers}`, postgres.name, redis.name],
    hashMs: hashSeconds * 1000,
    costs,
    ratios: ratiosOf(costs),
    process: [
      { name: 'start to ready, schema in place', value: server.startSeconds, target: 1.5, unit: 's' },
      { name: 'memory of a process after the start', value: megabytes(idle.residentBytes), target: 120, unit: 'MB' },
      { name: 'memory of a process under load', value: megabytes(residentBytes), target: 250, unit: 'MB' },
    ],
  };
}

const closers: Closers = [];
async function close(): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
    await closer().catch((error: unknown) => {
      say(`not stopped: ${String(error)}`);
    });
  }
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void close().then(() => process.exit(130));
  });
}

try {
  const report = await bench(closers);
  process.stdout.write(written(report));
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
} finally {
  await close();
}
