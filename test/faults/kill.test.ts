import { randomInt } from 'node:crypto';
import { jest } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { openInstallation, type Installation } from '../support/installation.js';
import type { ServerProcess } from '../support/processes.js';
import { authorizationRequest, codeIn } from '../support/relying-party.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { auditBooks } from './books.js';
import { changePassword, enrol, Interrupted, newLedger } from './working-day.js';

/** F-01: the process is killed at any moment of an activation and enrolment. */
jest.setTimeout(240_000);

const ROUNDS = 30;

let database: TestDatabase;
let house: Installation;
let newcomers: Employee[];

beforeAll(async () => {
  database = await createTestDatabase();
  house = await openInstallation({ databaseUrl: database.url });
  newcomers = await addEmployees(house.services, { count: ROUNDS + 3, state: 'new' });
});
afterAll(async () => {
  await house.stop();
  await database.drop();
});

const ledger = newLedger();
let addresses = 0;

/** The main job of one person at one process, from the first page to the tokens. */
async function activateAndEnrol(process: ServerProcess, person: Employee): Promise<void> {
  addresses += 1;
  const visitor = house.visitor({ ports: [process.port], address: `10.6.0.${addresses}` });
  try {
    await changePassword(house, { visitor, person, ledger });
    await enrol(visitor, { person, ledger });
  } finally {
    visitor.close();
  }
}

async function isEnrolled({ id }: Employee): Promise<boolean> {
  const rows = await house.services.db.query("SELECT 1 FROM devices WHERE account_id = $1 AND status = 'active'", [id]);
  return rows.length === 1;
}

/** The authenticator that the books hold is the one in the person's hand, told so or not: its code is known. */
async function showTheirCode(process: ServerProcess, person: Employee): Promise<void> {
  const visitor = house.visitor({ ports: [process.port], address: '10.6.1.1' });
  const page = await visitor.follow(authorizationRequest().path);
  const otpPage = await visitor.submit(page, '/password', { username: person.nip, password: PASSWORD });
  const answer = await visitor.submit(otpPage, '/otp', { otp: otpOf(person) });
  visitor.close();
  if (codeIn(answer) === undefined) expect(answer.errors).toEqual(['otp_reused']);
}

/** Where the person was when the process was killed. */
async function killDuring(process: ServerProcess, person: Employee, afterMs: number): Promise<string> {
  const job = activateAndEnrol(process, person).then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof Interrupted) return error.answer.path.replace(/(?<=^\/sign-in)\/[^/]+|\?.*$/g, '');
      // The mail did not come before the process was killed.
      if (!process.isRunning()) return '';
      throw error;
    },
  );
  await pause(afterMs);
  await process.kill();
  house.remove(process);
  return Promise.race([job, pause(500, 'waiting for the mail')]);
}

it('killed at any moment: old or new, never half, nothing lost, and the person gets through elsewhere', async () => {
  let process = await house.start();
  // How long it takes here: the moments to choose from.
  const began = performance.now();
  for (const person of newcomers.slice(0, 3)) await activateAndEnrol(process, person);
  const usualMs = Math.ceil((performance.now() - began) / 3);

  const places: Record<string, number> = {};
  for (const person of newcomers.slice(3)) {
    const next = house.start();
    const place = await killDuring(process, person, randomInt(usualMs));
    places[place] = (places[place] ?? 0) + 1;
    expect(await auditBooks(house.services, { newcomers: [person], ledger })).toEqual([]);

    process = await next;
    if (await isEnrolled(person)) await showTheirCode(process, person);
    else await activateAndEnrol(process, person);
  }
  figures('killed at', { usualMs, places });
  expect(await auditBooks(house.services, { newcomers, ledger })).toEqual([]);
  expect(house.errors().slice(0, 3)).toEqual([]);
});
