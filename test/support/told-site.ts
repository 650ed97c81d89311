import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addAgencies } from '../accounts/people.js';
import { logIn } from '../faults/working-day.js';
import { addEmployees, type Employee } from './employees.js';
import { startLogoutReceiver, type LogoutReceiver } from './logout-receiver.js';
import { REGISTRATIONS, ROTATING, type Tokens } from './relying-party.js';
import { startSite, type TestSite } from './site.js';
import { stopTime, type StoppedTime } from './stopped-time.js';
import { makeTemporaryFolder } from './temporary-folder.js';
import { Visitor } from './visitor.js';

/** The relying parties of the tests, the rotating one told of logouts at this address. */
export async function writeToldClients(
  address: string,
  more: readonly object[] = [],
): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const folder = await makeTemporaryFolder('sso-asn-told-');
  const file = join(folder, 'clients.json');
  const clients = REGISTRATIONS.map((client) =>
    (client as { client_id: string }).client_id === ROTATING ? { ...client, backchannel_logout_uri: address } : client,
  );
  await writeFile(file, JSON.stringify([...clients, ...more]));
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The whole program, and a relying party that it tells of logouts. */
export interface ToldSite {
  readonly site: TestSite;
  readonly party: LogoutReceiver;
  readonly time: StoppedTime;
  readonly clientsFile: string;
  person(): Promise<Employee>;
  visitor(): Visitor;
  /** A new browser that is signed in at the relying party, with a code of its own. */
  signIn(person: Employee): Promise<{ readonly visitor: Visitor; readonly tokens: Tokens }>;
  stop(): Promise<void>;
}

/** `more`: further registrations, of the origin that the site will have. */
export async function startToldSite(more: (origin: string) => readonly object[] = () => []): Promise<ToldSite> {
  const time = stopTime();
  const party = await startLogoutReceiver();
  const written: Awaited<ReturnType<typeof writeToldClients>>[] = [];
  const site = await startSite(async (origin) => {
    const clients = await writeToldClients(party.address, more(origin));
    written.push(clients);
    return {
      CLIENTS_FILE: clients.file,
      DEMO: 'false',
      TRUSTED_PROXIES: '127.0.0.1',
      RESET_REQUIRES_OTP: 'false',
    };
  });
  const [clients] = written;
  if (clients === undefined) throw new Error('no clients were written');
  const { services, port } = site.running;
  await addAgencies(services.db);
  const visitors: Visitor[] = [];
  const visitor = (): Visitor => {
    const address = `203.0.113.${visitors.length + 1}`;
    const added = new Visitor({ issuer: site.origin, ports: [port], address });
    visitors.push(added);
    return added;
  };
  return {
    site,
    party,
    time,
    clientsFile: clients.file,
    visitor,
    async person() {
      const [added] = await addEmployees(services, { count: 1, state: 'enrolled' });
      if (added === undefined) throw new Error('nobody was added');
      return added;
    },
    async signIn(person) {
      time.pass({ seconds: 30 });
      const browser = visitor();
      return { visitor: browser, tokens: await logIn(browser, person) };
    },
    async stop() {
      for (const each of visitors) each.close();
      await site.stop();
      await party.stop();
      await clients.remove();
      time.release();
    },
  };
}
