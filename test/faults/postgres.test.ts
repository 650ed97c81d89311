import { jest } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { addEmployees, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { forEach } from '../support/for-each.js';
import { openInstallation, type Installation } from '../support/installation.js';
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.js';
import type { ServerProcess } from '../support/processes.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { auditBooks } from './books.js';
import { changePassword, enrol, newLedger, startWorkingDay, type WorkingDay } from './working-day.js';

/** R-62, F-02, F-03, F-05: PostgreSQL crashes, restarts and freezes under people who are logging in. */
jest.setTimeout(60_000);

/** What anybody may wait for the database in one answer, and for all the rest of it on a machine with time to spare. */
const DATABASE_MS = 3_000;
const REST_MS = 500;

let postgres: PostgresServer;
let house: Installation;
/** What stands between the other process and the database. */
let link: TcpProxy;
let server: ServerProcess;
let linked: ServerProcess;
let enrolled: Employee[];
let newcomers: Employee[];

beforeAll(async () => {
  postgres = await startPostgresServer();
  house = await openInstallation({ databaseUrl: postgres.url });
  link = await startTcpProxy(() => [postgres.port]);
  const throughLink = new URL(postgres.url);
  throughLink.port = String(link.port);
  [server, linked] = await Promise.all([house.start(), house.start({ DATABASE_URL: throughLink.href })]);
  enrolled = await addEmployees(house.services, { count: 300, state: 'enrolled' });
  newcomers = await addEmployees(house.services, { count: 60, state: 'new' });
});
afterAll(async () => {
  await house.stop();
  await link.stop();
  await postgres.remove();
});

/** What is wrong with the answers that people got when the database went away at a moment; best nothing. */
function complaints({ answers }: WorkingDay, wentAway: number): string[] {
  const usual = answers.filter(({ at }) => at < wentAway).map(({ ms }) => ms);
  const longestMs = DATABASE_MS + Math.max(REST_MS, ...usual);
  return answers.flatMap(({ status, path, ms, headers }) => {
    const where = `${path.split('?', 1)[0] ?? ''} ${status}`;
    const found: string[] = [];
    if (status === 0 || (status >= 500 && status !== 503)) found.push(where);
    if (status === 503 && !(Number(headers['retry-after']) > 0)) found.push(`${where} without Retry-After`);
    if (ms > longestMs) found.push(`${where} after ${Math.round(ms)} ms of ${Math.round(longestMs)}`);
    return found;
  });
}

describe('PostgreSQL', () => {
  const days: WorkingDay[] = [];
  /** People work, it breaks, it is mended: answers how long after that the first login succeeded. */
  async function survive(name: string, process: ServerProcess, breakAndMend: () => Promise<void>): Promise<number> {
    const day = startWorkingDay({ house, enrolled, newcomers: newcomers.splice(0, 10), ports: [process.port] });
    days.push(day);
    await day.successAfter(0);
    await pause(1_000);
    const wentAway = performance.now();
    await breakAndMend();
    const mended = performance.now();
    await day.successAfter(mended);
    const recoveredMs = performance.now() - mended;
    await pause(500);
    await day.end();
    const count = (status: number): number => day.answers.filter((answer) => answer.status === status).length;
    figures(name, {
      recoveredMs: Math.round(recoveredMs),
      answers: day.answers.length,
      unavailable: count(503),
      gone: count(410),
      longestMs: Math.round(Math.max(...day.answers.map(({ ms }) => ms))),
      successes: day.successes.length,
      interruptions: day.interruptions.length,
    });
    expect(complaints(day, wentAway)).toEqual([]);
    expect(count(503)).toBeGreaterThan(0);
    expect(process.isRunning()).toBe(true);
    return recoveredMs;
  }

  it.each(['immediate', 'fast', 'immediate', 'fast'] as const)(
    'stopped (%s) and started again: 503 meanwhile, and logins as soon as it is back',
    async (mode) => {
      const recoveredMs = await survive(mode, server, async () => {
        await postgres.stop(mode);
        await pause(1_000);
        await postgres.start();
      });
      expect(recoveredMs).toBeLessThan(10_000);
    },
  );

  it('keeping silent on every open connection for 5 seconds: 503 in time, and logins soon after', async () => {
    const recoveredMs = await survive('frozen', server, async () => {
      const thaw = await postgres.freezeBackends();
      await pause(5_000);
      thaw();
    });
    expect(recoveredMs).toBeLessThan(5_000);
  });

  it('behind a dead link for 5 seconds: 503 in time, and logins soon after', async () => {
    const recoveredMs = await survive('dead link', linked, async () => {
      link.blackhole();
      await pause(5_000);
      link.heal();
    });
    expect(recoveredMs).toBeLessThan(5_000);
  });

  it('loses nothing it said yes to, and leaves nothing half done or unaudited', async () => {
    const unfinished = days.flatMap((day) => [...day.unfinished]);
    const ledger = newLedger();
    for (const day of days) {
      for (const person of day.ledger.passwordChanged) ledger.passwordChanged.add(person);
      for (const person of day.ledger.enrolled) ledger.enrolled.add(person);
    }
    const people = [...new Set([...unfinished, ...ledger.passwordChanged, ...ledger.enrolled])];
    figures('ledger', {
      changed: ledger.passwordChanged.size,
      enrolled: ledger.enrolled.size,
      unfinished: unfinished.length,
    });
    expect(ledger.enrolled.size).toBeGreaterThan(0);
    expect(await auditBooks(house.services, { newcomers: people, ledger })).toEqual([]);
    expect(house.errors().slice(0, 3)).toEqual([]);
  });

  it('leaves nobody stuck: who was interrupted starts again and gets through', async () => {
    const rows = await house.services.db.query("SELECT account_id FROM devices WHERE status = 'active'");
    const enrolledIds = new Set(rows.map((row) => row.account_id));
    const unfinished = days
      .flatMap((day) => [...day.unfinished])
      .filter(({ id }) => !enrolledIds.has(id))
      .slice(-12);
    const ledger = newLedger();
    const finish = async (person: Employee, index: number): Promise<void> => {
      const visitor = house.visitor({ ports: [server.port], address: `10.3.0.${index}` });
      await changePassword(house, { visitor, person, ledger });
      await enrol(visitor, { person, ledger });
      visitor.close();
    };
    await forEach(unfinished, finish);
    expect(ledger.enrolled.size).toBe(unfinished.length);
  });
});
