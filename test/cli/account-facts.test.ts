import { getById, setPassword } from '#src/accounts/accounts.js';
import { accountFacts } from '#src/cli/account-facts.js';
import { openHouse, type House } from '../account/house.js';
import type { Employee } from '../support/employees.js';

/** What `accounts show` prints of an account. */

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

/** The values under each label, as printed. */
async function facts({ id }: Employee): Promise<Readonly<Record<string, readonly string[]>>> {
  const { services } = house;
  const told: Record<string, string[]> = {};
  let under = '';
  for (const [label, value] of await accountFacts(services, await getById(services.db, id))) {
    under = label === '' ? under : label;
    (told[under] ??= []).push(value);
  }
  return told;
}

const MOMENT = /^(.*)\d{4}-\d\d-\d\d \d\d:\d\d WIB \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/;
const without = (values: readonly string[] = []): string[] => values.map((value) => MOMENT.exec(value)?.[1] ?? value);

describe('the facts of an account', () => {
  it('are its devices by kind and name, and what of it waits; never a secret', async () => {
    const one = await house.somebody();
    await house.addPhone(one, 'Tablet');
    await setPassword(house.services.db, { accountId: one.id, passwordHash: '$secret', now: house.time.now() });
    const told = await facts(one);
    expect(told.id).toEqual([one.id]);
    expect(told.password).toEqual(['set']);
    expect(without(told.MFA)).toEqual(['app Ponsel, since ', 'app Tablet, since ']);
    expect(told['one-time code']).toEqual(['may be typed']);
    expect(told['MFA reset']).toEqual(['none waits']);
    expect(told['new e-mail']).toEqual(['none waits']);
    expect(told.cases).toEqual(['none open']);
    expect(JSON.stringify(told)).not.toContain('$secret');
  });

  it('say so where no code may be typed, and what is open', async () => {
    const { contactChanges, freezing, db } = house.services;
    const one = await house.somebody();
    await contactChanges.order({ accountId: one.id, email: 'baru@surat.test', reason: 'Diperiksa di loket' });
    expect(without((await facts(one))['new e-mail'])).toEqual(['entered by an operator, may be used from ']);
    await db.query("UPDATE devices SET kind = 'passkey', secret = NULL WHERE account_id = $1", [one.id]);
    const passkeyOnly = await facts(one);
    expect(without(passkeyOnly.MFA)).toEqual(['passkey Ponsel, since ']);
    expect(passkeyOnly['one-time code']).toEqual(['none: no app whose codes are accepted']);
    await freezing.byOperator({ accountId: one.id, reason: 'Diperiksa di loket' });
    const frozen = await facts(one);
    expect(frozen.status).toEqual(['active, frozen']);
    expect(frozen['one-time code']).toEqual(['refused: the account is frozen']);
    expect(frozen['new e-mail']).toEqual(['none waits']);
    expect(without(frozen.cases)).toEqual(['frozen by an operator, since ']);
  });

  it('count the recovery codes that are left', async () => {
    const one = await house.somebody();
    const { db, recoveryCodeSets } = house.services;
    await db.transaction((tx) =>
      recoveryCodeSets.replace(tx, {
        accountId: one.id,
        salt: Buffer.alloc(16),
        pepperKid: 'p1',
        hashes: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
      }),
    );
    expect(without((await facts(one))['recovery codes'])).toEqual(['2 of 2 left, made ']);
  });
});
