import { getById } from '#src/accounts/accounts.js';
import type { AccountId } from '#src/kernel/ids.js';
import { enterPortal } from '../account/portal.js';
import { addEmployees, type Employee } from '../support/employees.js';
import { openHouse, type House } from '../sign-in/house.js';

/** A reset of MFA that waits is a case of the helpdesk, as long as it waits; what ends it closes the case. */

let house: House;
let people: Employee[];
const trace = { requestId: 'request', agent: { browser: 'Chrome', system: 'Android' } };

beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 8, state: 'enrolled' });
});
afterAll(() => house.close());

/** Somebody whose reset waits. */
async function waiting(): Promise<Employee> {
  const employee = people.pop();
  if (employee === undefined) throw new Error('nobody is left');
  const { db, waitingResets } = house.services;
  await db.transaction(async (tx) => {
    await waitingResets.begin(tx, { account: await getById(tx, employee.id), trace });
  });
  expect(await stateOf(employee.id)).toEqual(['waiting', 'open']);
  return employee;
}

/** Of the reset, and of its case. */
async function stateOf(id: AccountId): Promise<unknown[]> {
  const [row, ...more] = await house.services.db.query(
    `SELECT w.state, coalesce(c.closed_reason, 'open') AS case
       FROM waiting_resets w JOIN helpdesk_cases c ON c.account_id = w.account_id AND c.cause = 'mfa_reset_waiting'
      WHERE w.account_id = $1`,
    [id],
  );
  expect(more).toEqual([]);
  return [row?.state, row?.case];
}

it('ends with a freeze by an operator', async () => {
  const { id } = await waiting();
  await house.services.freezing.byOperator({ accountId: id, reason: 'Laporan' });
  expect(await stateOf(id)).toEqual(['void', 'void']);
});

it('ends with whatever ends what is under way, and only with its transaction', async () => {
  const { id } = await waiting();
  const { db, underWay } = house.services;
  const endAll = (fails: boolean) =>
    db.transaction(async (tx) => {
      for (const end of underWay) await end(tx, id);
      if (fails) throw new Error('the import failed');
    });
  await expect(endAll(true)).rejects.toThrow('the import failed');
  expect(await stateOf(id)).toEqual(['waiting', 'open']);
  await endAll(false);
  expect(await stateOf(id)).toEqual(['void', 'void']);
  // Once: a second time finds nothing to end.
  await endAll(false);
  expect(await stateOf(id)).toEqual(['void', 'void']);
});

it('is stopped by a login with a factor, and by its owner', async () => {
  const one = await waiting();
  await enterPortal(house, house.browser(), one);
  expect(await stateOf(one.id)).toEqual(['stopped', 'stopped']);
  const other = await waiting();
  await house.services.waitingResets.stop({ accountId: other.id, by: 'person', trace });
  expect(await stateOf(other.id)).toEqual(['stopped', 'stopped']);
});

it('is done once it is due', async () => {
  const { id } = await waiting();
  const { db, waitingResets } = house.services;
  house.time.pass({ seconds: 24 * 3600 + 1 });
  await waitingResets.complete({ account: await getById(db, id), trace });
  expect(await stateOf(id)).toEqual(['done', 'done']);
});

it('is forgotten with other credentials, and a week after it was due, and not before', async () => {
  const [renewed, kept] = [await waiting(), await waiting()];
  const { db, waitingResets } = house.services;
  await db.query('UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1', [renewed.id]);
  expect(await waitingResets.endForgotten()).toBe(1);
  expect(await stateOf(renewed.id)).toEqual(['void', 'void']);
  expect(await stateOf(kept.id)).toEqual(['waiting', 'open']);
  house.time.pass({ seconds: 8 * 24 * 3600 });
  expect(await waitingResets.endForgotten()).toBe(1);
  expect(await stateOf(kept.id)).toEqual(['void', 'void']);
});
