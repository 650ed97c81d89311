import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { logIn } from '../faults/working-day.js';
import { addAgencies } from '../accounts/people.js';
import { builtProgram } from '../support/built-program.js';
import { addEmployees } from '../support/employees.js';
import { eventually } from '../support/processes.js';
import { startSite, type TestSite } from '../support/site.js';
import { writeToldClients } from '../support/told-site.js';
import { Visitor } from '../support/visitor.js';

/** R-41, as an operator meets it: the program seals what a login writes, the command finds whoever touched it. */
let site: TestSite;
let clients: Awaited<ReturnType<typeof writeToldClients>>;
beforeAll(async () => {
  clients = await writeToldClients('https://rp.contoh.example/logout');
  site = await startSite({ CLIENTS_FILE: clients.file, DEMO: 'false' });
  const { services, port } = site.running;
  await addAgencies(services.db);
  const [employee] = await addEmployees(services, { count: 1, state: 'enrolled' });
  if (employee === undefined) throw new Error('nobody was added');
  const visitor = new Visitor({ issuer: site.origin, ports: [port] });
  await logIn(visitor, employee);
  visitor.close();
});
afterAll(async () => {
  await site.stop();
  await clients.remove();
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function verify(...more: string[]): Promise<Ran> {
  const { config, databaseUrl } = site.running.services;
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: databaseUrl,
    DATA_DIR: config.dataDir,
    ISSUER: config.issuerText,
    CLIENTS_FILE: config.clientsFile,
  };
  const run = promisify(execFile)(process.execPath, [await builtProgram(), 'audit', 'verify', ...more], { env });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    },
  );
}

it('a login is sealed within two seconds, and the trail is whole', async () => {
  const { db } = site.running.services;
  const waiting = async (): Promise<number> => (await db.query('SELECT 1 FROM audit_unsealed')).length;
  await eventually('everything to be sealed', async () => (await waiting()) === 0, 2_500);
  const { code, out, err } = await verify();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^\d+ rows, [1-9]\d* checkpoints, 0 not sealed yet, [\d,]+ rows\/s\nThe trail is whole\.\n$/);
});

it('whoever touches it as superuser is found, in one clear line', async () => {
  const { db } = site.running.services;
  await db.query(`UPDATE audit_events SET type = 'sign_in.throttled' WHERE type = 'sign_in.completed'`);
  const { code, out, err } = await verify();
  expect(code).toBe(1);
  expect(err).toMatch(/^row \d+ of the chain is not what it was when it was sealed\n$/);
  expect(out).not.toContain('whole');
});

it('says what is wrong with its own arguments', async () => {
  expect(await verify('--since', 'kemarin')).toMatchObject({ code: 2 });
});
