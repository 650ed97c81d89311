import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { decodeJwt } from 'jose';
import { addEmployees, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { openInstallation, type Installation } from '../support/installation.js';
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js';
import { eventually, type ServerProcess } from '../support/processes.js';
import { ROTATING, type Tokens } from '../support/relying-party.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { writeToldClients } from '../support/told-site.js';
import type { Visitor } from '../support/visitor.js';
import { logIn } from './working-day.js';

/** R-33, F-22: the process is killed while it tells a relying party of logouts. */
jest.setTimeout(180_000);

const ROUNDS = 6;
const AT_ONCE = 6;

let database: TestDatabase;
let party: LogoutReceiver;
let clients: Awaited<ReturnType<typeof writeToldClients>>;
let house: Installation;
beforeAll(async () => {
  database = await createTestDatabase();
  party = await startLogoutReceiver();
  clients = await writeToldClients(party.address);
  house = await openInstallation({ databaseUrl: database.url, settings: { CLIENTS_FILE: clients.file } });
});
afterAll(async () => {
  await house.stop();
  await party.stop();
  await clients.remove();
  await database.drop();
});

interface Login {
  readonly visitor: Visitor;
  readonly person: Employee;
  readonly tokens: Tokens;
}

let addresses = 0;
async function logInAt(process: ServerProcess, person: Employee): Promise<Login> {
  addresses += 1;
  const visitor = house.visitor({ ports: [process.port], address: `10.7.0.${addresses}` });
  return { visitor, person, tokens: await logIn(visitor, person) };
}

/** True when the person was told that they are logged out. */
async function logOut({ visitor }: Login): Promise<boolean> {
  const page = await visitor.follow(`/oidc/logout?client_id=${ROTATING}`);
  if (page.page !== 'sign-out/confirm') return false;
  const done = await visitor.submit(page, '/confirm');
  return done.page === 'sign-out/done';
}

const hasEnded = async ({ person }: Login): Promise<boolean> =>
  (await house.services.db.query('SELECT 1 FROM sso_sessions WHERE account_id = $1', [person.id])).length === 0;
const timesTold = ({ tokens }: Login): number =>
  party.received.filter(({ token }) => decodeJwt(token).sid === decodeJwt(tokens.id_token).sid).length;

it('killed at any moment: who ended is told, who did not is not, nothing is lost', async () => {
  const people = await addEmployees(house.services, { count: ROUNDS * AT_ONCE, state: 'enrolled' });
  const seen = { ended: 0, interrupted: 0, toldTwice: 0, waitedAtKill: 0 };
  let process = await house.start();
  for (let round = 0; round < ROUNDS; round += 1) {
    const logins = await Promise.all(
      people.slice(round * AT_ONCE, (round + 1) * AT_ONCE).map((person) => logInAt(process, person)),
    );
    // Slow enough for the kill to come between its taking a token and our hearing of it.
    party.answer = { afterMs: 300 };
    const next = house.start();
    const answers = logins.map((login) => logOut(login).catch(() => false));
    await pause(randomInt(50, 600));
    await process.kill();
    house.remove(process);
    const done = await Promise.all(answers);
    const [waiting] = await house.services.db.query('SELECT count(*)::int AS n FROM outbox');
    seen.waitedAtKill += Number(waiting?.n);

    party.answer = 204;
    process = await next;
    // What the dead process had in hand is free when its lease of 30 seconds ends.
    await house.services.db.query("UPDATE outbox SET next_attempt_at = next_attempt_at - interval '30 seconds'");
    await eventually(
      'everything to be delivered',
      async () => (await house.services.db.query('SELECT 1 FROM outbox')).length === 0,
    );
    for (const [index, login] of logins.entries()) {
      const ended = await hasEnded(login);
      const told = timesTold(login);
      // Acknowledged means ended; ended and told are one.
      expect({ acknowledged: done[index] === true && !ended, told: told > 0 }).toEqual({
        acknowledged: false,
        told: ended,
      });
      seen.ended += ended ? 1 : 0;
      seen.interrupted += ended && done[index] !== true ? 1 : 0;
      seen.toldTwice += told > 1 ? 1 : 0;
      login.visitor.close();
    }
  }
  figures('killed while telling', seen);
  expect(seen.ended).toBeGreaterThan(0);
  expect(seen.waitedAtKill).toBeGreaterThan(0);
  expect(house.errors().slice(0, 3)).toEqual([]);
});
