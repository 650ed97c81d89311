import { addEmployees, type Employee } from '../support/employees.js';
import { enterPortal } from './portal.js';
import { formOn, openHouse, type House, type Phone } from './house.js';

/** a login that is on its way with a factor while its owner removes that factor does not outlive it. */
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const ROUNDS = 30;

async function personWithLostPhone(): Promise<{ employee: Employee; lost: Phone }> {
  const [employee] = await addEmployees(house.services, { count: 1, state: 'enrolled' });
  if (employee === undefined) throw new Error('nobody was added');
  return { employee, lost: await house.addPhone(employee, 'Hilang') };
}

it('whoever is first, the login with the removed phone is dead, and nobody is turned away', async () => {
  const answers = new Set<number>();
  const inTime = { accepted: 0, tooLate: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const { employee, lost } = await personWithLostPhone();
    const [owner, thief] = [house.browser(), house.browser()];
    await enterPortal(house, owner, employee);
    await owner.get(`/account/devices/${lost.id}/remove`);
    const { path, csrf } = formOn(owner, `/account/devices/${lost.id}/remove`);
    await house.toOtp(thief, employee);
    const login = thief.submit('/otp', { otp: house.shows(lost.secret) });
    await new Promise((resolve) => setTimeout(resolve, round));
    const removed = await owner.post(path, { csrf });
    answers.add(removed.status);
    const shown = await login;
    if (house.codeOf(shown.url) === undefined) inTime.tooLate += 1;
    else inTime.accepted += 1;

    expect(await house.deviceNames(employee)).toEqual(['Ponsel']);
    const again = await house.begin(thief);
    expect([round, again.shown.page]).toEqual([round, 'sign-in/password']);
    expect((await owner.get('/account/devices')).page).toBe('account/devices');
  }
  expect([...answers]).toEqual([303]);
  expect(inTime.accepted).toBeGreaterThan(0);
});
