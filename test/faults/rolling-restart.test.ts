import { jest } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { openInstallation, type Installation } from '../support/installation.js';
import type { ServerProcess } from '../support/processes.js';
import { authorizationRequest, codeIn } from '../support/relying-party.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { formOn, type Answer } from '../support/visitor.js';
import { startWorkingDay } from './working-day.js';

/** R-69, F-14: both processes are restarted, one after the other, under people whose browsers keep their connections. */
jest.setTimeout(120_000);

const ROUNDS = 2;
const DRAIN_MS = 15_000;

let database: TestDatabase;
let house: Installation;
let enrolled: Employee[];

beforeAll(async () => {
  database = await createTestDatabase();
  house = await openInstallation({ databaseUrl: database.url });
  await Promise.all([house.start(), house.start()]);
  enrolled = await addEmployees(house.services, { count: 300, state: 'enrolled' });
});
afterAll(async () => {
  await house.stop();
  await database.drop();
});

it('SIGTERM by turns: no request fails, every process ends well, and sign-ins go on at the other one', async () => {
  const failed: string[] = [];
  const observe = ({ status, path, body }: Answer): void => {
    if (status === 0 || status >= 500)
      failed.push(`${path.split('?', 1)[0] ?? ''} ${status} ${status === 0 ? body : ''}`);
  };
  const day = startWorkingDay({ house, enrolled, newcomers: [], ports: [house.balancer.port], atOnce: 4 });
  // Relying parties ask all the time, over connections that never rest.
  let over = false;
  const asking = Promise.all(
    Array.from({ length: 4 }, async () => {
      const channel = house.visitor({ ports: [house.balancer.port], observe });
      while (!over) {
        await channel.ask('/oidc/jwks');
        await pause(20);
      }
      channel.close();
    }),
  );

  const drains: number[] = [];
  /** Tells one process to end; answers when it has. */
  async function restart(old: ServerProcess): Promise<void> {
    const person = enrolled.pop();
    if (person === undefined) throw new Error('too few employees');
    const visitor = house.visitor({ ports: [old.port], address: '10.7.0.1' });
    const { path } = authorizationRequest();
    const page = await visitor.submit(await visitor.follow(path), '/password', {
      username: person.nip,
      password: PASSWORD,
    });

    const told = performance.now();
    old.signal('SIGTERM');
    expect(await old.ended).toEqual({ code: 0, signal: null });
    drains.push(Math.round(performance.now() - told));
    house.remove(old);

    const elsewhere = { port: house.balancer.port };
    const { path: otpPath, form } = formOn(page, '/otp');
    const done = await visitor.follow(otpPath, { form: { ...form, otp: otpOf(person) }, ...elsewhere });
    expect(codeIn(done)).toBeDefined();
    visitor.close();
    await house.start();
  }

  await day.successAfter(0);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const old of [...house.processes]) await restart(old);
  }
  const end = performance.now();
  await day.successAfter(end);
  over = true;
  await Promise.all([asking, day.end()]);

  day.answers.forEach(observe);
  figures('rolling restart', {
    drains,
    answers: day.answers.length,
    logins: day.successes.length,
    failed: failed.length,
  });
  expect(failed).toEqual([]);
  expect(day.interruptions.map(({ message }) => message)).toEqual([]);
  expect(Math.max(...drains)).toBeLessThan(DRAIN_MS);
  expect(house.errors().slice(0, 3)).toEqual([]);
});
