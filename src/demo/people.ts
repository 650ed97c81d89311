import type { Employment, NewAccount } from '../accounts/account.js';
import { createAccount, findByName, setPassword } from '../accounts/accounts.js';
import { holdAgencies, saveAgencies } from '../accounts/agencies.js';
import type { Nip } from '../accounts/nip.js';
import type { Role } from '../accounts/role.js';
import { grantRole } from '../accounts/roles.js';
import type { Clock } from '../kernel/clock.js';
import { agencyCode } from '../kernel/ids.js';
import type { Passwords } from '../security/passwords.js';
import type { Database } from '../storage/database.js';
import { DEMO_AGENCIES } from './agencies.js';

export interface DemoPerson {
  readonly nip: string;
  readonly name: string;
  /** What logging in as this person is good for, for the start banner and the README. */
  readonly shows: string;
  /** Absent for those who have yet to activate their account. */
  readonly password?: string;
  readonly employment: Employment;
  readonly agency: string;
  readonly email?: string;
  readonly accountName?: string;
  readonly inactive?: true;
  readonly role?: { readonly role: Role; readonly agency?: string };
}

/** Meets every rule for everybody here. Published, like all of this: demo mode is refused in production. */
const PASSWORD = 'Perahu-Kertas-27';

/** One person of every kind and state. All of them are invented, and so are their numbers. */
export const DEMO_PEOPLE: readonly DemoPerson[] = [
  {
    nip: '198703142010122001',
    name: 'Wening Prasasti',
    shows: 'PNS with a password and no authenticator yet',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'BOYOLALI-DISDIK',
    email: 'wening@disdik.boyolali.example',
  },
  {
    nip: '199502282024211003',
    name: 'Bayu Lesmana',
    shows: 'PPPK who has never activated the account',
    employment: 'PPPK',
    agency: 'BOYOLALI-DISDIK',
    email: 'bayu@disdik.boyolali.example',
  },
  {
    nip: '200107092025062004',
    name: 'Laras Kinanti',
    shows: 'CPNS who has never activated the account',
    employment: 'CPNS',
    agency: 'KEMENKEU',
    email: 'laras@kemenkeu.example',
  },
  {
    nip: '199009132025242014',
    name: 'Endah Puspita',
    shows: 'part-time PPPK with a password',
    password: PASSWORD,
    employment: 'PPPK_PARUH_WAKTU',
    agency: 'SURAKARTA',
    email: 'endah@surakarta.example',
  },
  {
    nip: '198405212008011005',
    name: 'Galuh Permadi',
    shows: 'logs in by account name too: galuh.permadi',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'KEMENKEU',
    email: 'galuh@kemenkeu.example',
    accountName: 'galuh.permadi',
  },
  {
    nip: '197911302003121006',
    name: 'Tirta Wibawa',
    shows: 'password that no longer meets the rules',
    password: 'Boyolali2020!',
    employment: 'PNS',
    agency: 'BOYOLALI',
    email: 'tirta@boyolali.example',
  },
  {
    nip: '198808172012122007',
    name: 'Sekar Mayang',
    shows: 'no e-mail address on file: activation needs the helpdesk',
    employment: 'PNS',
    agency: 'SURAKARTA',
  },
  {
    nip: '196512311990031008',
    name: 'Darma Suteja',
    shows: 'inactive, retired: cannot log in',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'JATENG',
    email: 'darma@jateng.example',
    inactive: true,
  },
  {
    nip: '198601152009032009',
    name: 'Ratri Anjani',
    shows: 'helpdesk officer of Kabupaten Boyolali',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'BOYOLALI-BKPSDM',
    email: 'ratri@bkpsdm.boyolali.example',
    role: { role: 'helpdesk', agency: 'BOYOLALI' },
  },
  {
    nip: '199203082015041010',
    name: 'Panji Wirawan',
    shows: 'helpdesk officer of Kota Surakarta',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'SURAKARTA-BKPSDM',
    email: 'panji@bkpsdm.surakarta.example',
    role: { role: 'helpdesk', agency: 'SURAKARTA' },
  },
  {
    nip: '197504202000032011',
    name: 'Kirana Dewanti',
    shows: 'agency administrator of Provinsi Jawa Tengah and all below it',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'JATENG-BKD',
    email: 'kirana@bkd.jateng.example',
    role: { role: 'agency_admin', agency: 'JATENG' },
  },
  {
    nip: '198210102006041012',
    name: 'Bima Sentosa',
    shows: 'national operator',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'BKN',
    email: 'bima@bkn.example',
    role: { role: 'operator' },
  },
  {
    nip: '198006252005012013',
    name: 'Intan Maharani',
    shows: 'auditor',
    password: PASSWORD,
    employment: 'PNS',
    agency: 'BKN',
    email: 'intan@bkn.example',
    role: { role: 'auditor' },
  },
];

export interface DemoServices {
  readonly db: Database;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

/** Adds the demo agencies and those demo people who are missing; whoever is there stays as they have become. */
export async function loadDemoPeople({ db, passwords, clock }: DemoServices): Promise<void> {
  await db.transaction(async (tx) => {
    await holdAgencies(tx);
    await saveAgencies(tx, { agencies: DEMO_AGENCIES, now: clock.now() });
  });
  for (const person of DEMO_PEOPLE) {
    if ((await findByName(db, { kind: 'nip', value: person.nip as Nip })) !== undefined) continue;
    const passwordHash = person.password === undefined ? undefined : await passwords.hash(person.password);
    const now = clock.now();
    await db.transaction(async (tx) => {
      // Two that start at once on a new database add each person once.
      await holdAgencies(tx);
      const added = await createAccount(tx, { account: accountOf(person), now });
      if (added.kind === 'known') return;
      if (passwordHash !== undefined) await setPassword(tx, { accountId: added.id, passwordHash, now });
      if (person.role === undefined) return;
      const { role, agency } = person.role;
      await grantRole(tx, {
        accountId: added.id,
        role,
        agencyCode: agency === undefined ? undefined : agencyCode(agency),
        now,
      });
    });
  }
}

const accountOf = (person: DemoPerson): NewAccount => ({
  nip: person.nip as Nip,
  name: person.name,
  employment: person.employment,
  agencyCode: agencyCode(person.agency),
  status: person.inactive === true ? 'inactive' : 'active',
  ...(person.email === undefined ? {} : { email: person.email }),
  ...(person.accountName === undefined ? {} : { accountName: person.accountName }),
});
