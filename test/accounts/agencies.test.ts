import { allAgencies, findAgency, saveAgencies } from '#src/accounts/agencies.js';
import { agencyCode } from '#src/kernel/ids.js';
import { openTestDatabase } from '../support/test-database.js';
import { addAgencies, NOW } from './people.js';

let db: Awaited<ReturnType<typeof openTestDatabase>>;

beforeAll(async () => {
  db = await openTestDatabase();
});

beforeEach(async () => {
  await db.query('TRUNCATE agencies CASCADE');
  await addAgencies(db);
});

afterAll(() => db.drop());

const ancestors = async (): Promise<unknown> =>
  Object.fromEntries((await db.query('SELECT code, ancestors FROM agencies')).map((row) => [row.code, row.ancestors]));

it('keeps with each agency itself and all above it, children first in the list or not', async () => {
  expect(await ancestors()).toEqual({
    PROVINCE: ['PROVINCE'],
    REGENCY: ['PROVINCE', 'REGENCY'],
    OFFICE: ['PROVINCE', 'REGENCY', 'OFFICE'],
    OTHER: ['OTHER'],
  });
});

it('takes all below along when an agency moves', async () => {
  const moved = { code: agencyCode('REGENCY'), name: 'Instansi REGENCY', parentCode: agencyCode('OTHER') };
  await saveAgencies(db, { agencies: [moved], now: NOW });
  expect(await ancestors()).toEqual({
    PROVINCE: ['PROVINCE'],
    REGENCY: ['OTHER', 'REGENCY'],
    OFFICE: ['OTHER', 'REGENCY', 'OFFICE'],
    OTHER: ['OTHER'],
  });
});

it('tells codes apart by case and by every character', async () => {
  const agencies = ['other', 'OTHER '].map((code) => ({ code: agencyCode(code), name: code, parentCode: undefined }));
  await saveAgencies(db, { agencies, now: NOW });
  expect((await allAgencies(db)).map(({ code }) => code)).toEqual([
    'OFFICE',
    'OTHER',
    'OTHER ',
    'PROVINCE',
    'REGENCY',
    'other',
  ]);
  expect(await findAgency(db, agencyCode('other'))).toEqual({ code: 'other', name: 'other', parentCode: undefined });
  expect(await findAgency(db, agencyCode('Other'))).toBeUndefined();
});

it('cannot have a parent that does not exist', async () => {
  const orphan = { code: agencyCode('ORPHAN'), name: 'x', parentCode: agencyCode('NOWHERE') };
  await expect(saveAgencies(db, { agencies: [orphan], now: NOW })).rejects.toThrow('foreign key');
});
