import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { getById, setPassword } from '#src/accounts/accounts.js';
import type { Environment } from '#src/config/load.js';
import { secretContext } from '#src/devices/device.js';
import { attemptId, deviceId } from '#src/kernel/ids.js';
import { newSecret } from '#src/mfa/totp.js';
import { addAgencies } from '../../accounts/people.js';
import { writeClientsFile } from '../../browser/clients-file.js';
import { codeIn } from '../../journeys/steps.js';
import { addEmployees, otpOf, PASSWORD, type Employee, type NewEmployees } from '../../support/employees.js';
import { attribute, challengeOf } from '../../support/person.js';
import { SCREEN, startDevice } from '../../support/device-client.js';
import { CAPTCHA, startSite, type TestSite } from '../../support/site.js';
import { totp } from '../../support/totp.js';
import { Visitor, type Answer } from '../../support/visitor.js';
import { Wire } from './wire.js';

export interface House {
  readonly site: TestSite;
  readonly issuer: string;
  readonly wire: Wire;
  /** A browser of its own, with an address of its own. */
  visitor(): Visitor;
  person(state: NewEmployees['state']): Promise<Employee>;
  /** The code in the next mail to this person. */
  codeTo(person: Employee, after: Date): Promise<string>;
  stop(): Promise<void>;
}

/** The whole program behind a trusted proxy, so that every visitor has limits of their own. */
export async function openHouse(settings: Environment = {}, observe?: (answer: Answer) => void): Promise<House> {
  // The tests of this folder ask for thousands of pages, and machines are busy.
  jest.setTimeout(120_000);
  const clients = await writeClientsFile(SCREEN);
  const site = await startSite({
    TRUSTED_PROXIES: '127.0.0.1',
    CONTACT_CHANGE_WAIT_SECONDS: '0',
    CLIENTS_FILE: clients.path,
    ...settings,
  });
  const { services, port } = site.running;
  const issuer = services.config.issuer.origin;
  const wire = new Wire({ port, issuer });
  const visitors: Visitor[] = [];
  await addAgencies(services.db);
  return {
    site,
    issuer,
    wire,
    visitor() {
      const address = `198.51.${visitors.length >> 8}.${visitors.length & 255}`;
      const visitor = new Visitor({ issuer, ports: [port], address, observe: (answer) => observe?.(answer) });
      visitors.push(visitor);
      return visitor;
    },
    async person(state) {
      const [person] = await addEmployees(services, { count: 1, state });
      if (person === undefined) throw new Error('nobody was added');
      return person;
    },
    codeTo: async ({ email }, after) => codeIn((await site.mailbox.next(email, after)).text),
    async stop() {
      wire.close();
      for (const visitor of visitors) visitor.close();
      await site.stop();
      await clients.remove();
    },
  };
}

/** A browser and the page it has before it. */
export interface Station {
  readonly visitor: Visitor;
  readonly page: Answer;
}

/** The sign-in that a page belongs to; `none` where it belongs to none. */
export const uidOf = ({ path }: Answer): string => /^\/sign-in\/([\w-]+)/.exec(path)?.[1] ?? 'none';

/** How to get to a page: by what a person does. */
export type Way = (house: House) => Promise<Station>;

const open =
  (path: string) =>
  async (house: House, visitor = house.visitor()): Promise<Station> => ({ visitor, page: await visitor.follow(path) });

export const atPassword = open('/login');

async function afterPassword(
  house: House,
  person: Employee,
  { password = PASSWORD, ...more }: { password?: string; visitor?: Visitor } = {},
): Promise<Station> {
  const { visitor, page } = await atPassword(house, more.visitor);
  return { visitor, page: await visitor.submit(page, '/password', { username: person.nip, password }) };
}

/** With recovery codes too: without, there is no form for them. */
const atOtp: Way = async (house) => {
  const person = await house.person('enrolled');
  const { db, recoveryCodes } = house.site.running.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, person.id, prepared));
  return afterPassword(house, person);
};

const atPresence: Way = async (house) => {
  const { visitor, page } = await afterPassword(house, await house.person('enrolled'));
  const asked = await visitor.ask(page.path.replace('/otp', '/presence'));
  return { visitor, page: await visitor.submit(asked, '/presence') };
};

async function atMailboxAs(house: House): Promise<Station & { code: string }> {
  const person = await house.person('password');
  const began = new Date();
  const station = await afterPassword(house, person);
  return { ...station, code: await house.codeTo(person, began) };
}

const atEnrol: Way = async (house) => {
  const { visitor, page, code } = await atMailboxAs(house);
  return { visitor, page: await visitor.submit(page, '/mailbox', { code }) };
};

const atRecoveryCodes: Way = async (house) => {
  const { visitor, page } = await atEnrol(house);
  const otp = totp(attribute(page.body, 'data-secret') ?? '', new Date());
  return { visitor, page: await visitor.submit(page, '/enrol', { otp, device_name: 'Ponsel' }) };
};

/** Shorter than any password that is accepted today. */
const WEAK = 'Lemah-1';

const atChangePassword: Way = async (house) => {
  const person = await house.person('enrolled');
  const { db, passwords } = house.site.running.services;
  const passwordHash = await passwords.hash(WEAK);
  await setPassword(db, { accountId: person.id, passwordHash, now: new Date() });
  const { visitor, page } = await afterPassword(house, person, { password: WEAK });
  return { visitor, page: await visitor.submit(page, '/otp', { otp: otpOf(person) }) };
};

export async function signedIn(house: House, visitor = house.visitor()): Promise<Station> {
  const person = await house.person('enrolled');
  const { page } = await afterPassword(house, person, { visitor });
  return { visitor, page: await visitor.submit(page, '/otp', { otp: otpOf(person) }) };
}

const signedInAt =
  (path: string): Way =>
  async (house) => {
    const { visitor } = await signedIn(house);
    return { visitor, page: await visitor.follow(path) };
  };

/** Asked for a passkey by a service, as our own pages might ask, without having one. */
const atPasskeyMissing: Way = async (house) => {
  const person = await house.person('enrolled');
  const query = new URLSearchParams({
    client_id: 'asn-digital',
    response_type: 'code',
    redirect_uri: `${house.issuer}/session/callback`,
    scope: 'openid',
    code_challenge: challengeOf('x'.repeat(43)),
    code_challenge_method: 'S256',
    acr_values: 'phr',
  });
  const { visitor, page } = await open(`/oidc/auth?${query.toString()}`)(house);
  return { visitor, page: await visitor.submit(page, '/password', { username: person.nip, password: PASSWORD }) };
};
/** From a page of who is logged in, by its one form. */
const pressedAt =
  (path: string): Way =>
  async (house) => {
    const { visitor, page } = await signedInAt(path)(house);
    return { visitor, page: await visitor.submit(page, path) };
  };

const atResetStart = open('/reset/password');

async function atResetEmailAs(house: House): Promise<Station & { person: Employee }> {
  const person = await house.person('password');
  const { visitor, page } = await atResetStart(house);
  const next = await visitor.submit(page, '/reset/password', { username: person.nip, captcha: CAPTCHA });
  return { visitor, page: next, person };
}

async function atResetCodeAs(house: House): Promise<Station & { code: string }> {
  const { visitor, page, person } = await atResetEmailAs(house);
  const began = new Date();
  const next = await visitor.submit(page, '/reset/password/email', { email: person.email });
  return { visitor, page: next, code: await house.codeTo(person, began) };
}

const atResetDone: Way = async (house) => {
  const { visitor, page, code } = await atResetCodeAs(house);
  const password = 'Perahu Layar 31 biru-biru';
  const typed = { code, new_password: password, confirm_password: password, otp: '' };
  return { visitor, page: await visitor.submit(page, '/reset/password/code', typed) };
};

/** Two authenticators: either may be the one that is lost. */
async function personWithTwoDevices(house: House): Promise<Employee> {
  const person = await house.person('enrolled');
  const { db, devices, box } = house.site.running.services;
  const id = deviceId(randomUUID());
  await db.transaction(async (tx) => {
    const sealedSecret = box.seal(newSecret(), secretContext(id));
    await devices.addPending(tx, { id, accountId: person.id, attempt: attemptId(id), sealedSecret });
    await devices.confirm(tx, { device: id, name: 'Tablet', step: 1 });
  });
  return person;
}

async function startSelfReset(house: House, way: 'now' | 'wait', person: Employee): Promise<Station> {
  const { visitor, page } = await open(`/reset/mfa/${way}`)(house);
  const typed = { username: person.nip, password: PASSWORD, captcha: CAPTCHA };
  return { visitor, page: await visitor.submit(page, '/reset/mfa/start', typed) };
}

async function atWaitingAs(house: House): Promise<Station & { stopLink: string }> {
  const person = await house.person('enrolled');
  const asked = new Date();
  const { visitor, page } = await startSelfReset(house, 'wait', person);
  const code = await house.codeTo(person, asked);
  // Later than the code came: mails are told apart by when they come.
  const proved = new Date(new Date().getTime() + 1);
  const waiting = await visitor.submit(page, '/reset/mfa/code', { code });
  const { text } = await house.site.mailbox.next(person.email, proved);
  return { visitor, page: waiting, stopLink: /\/reset\/mfa\/stop\/\w+/.exec(text)?.[0] ?? '' };
}

const atStop: Way = async (house) => {
  const { visitor, stopLink } = await atWaitingAs(house);
  return { visitor, page: await visitor.follow(stopLink) };
};

/** Follows the first link in the next mail to the address. */
async function atMailedLink(house: House, address: string, after: Date): Promise<Station> {
  const { text } = await house.site.mailbox.next(address, after);
  const visitor = house.visitor();
  return { visitor, page: await visitor.ask(new URL(/https?:\S+/.exec(text)?.[0] ?? house.issuer).pathname) };
}

const atDisavowal: Way = async (house) => {
  const { db, accountMail } = house.site.running.services;
  const person = await house.person('password');
  const began = new Date();
  const account = await getById(db, person.id);
  await accountMail.queue(db, { account, mail: 'password-changed', data: { at: began } });
  return atMailedLink(house, person.email, began);
};

const atNewAddress: Way = async (house) => {
  const { contactChanges } = house.site.running.services;
  const person = await house.person('password');
  const began = new Date();
  const email = `baru.${person.email}`;
  await contactChanges.order({ accountId: person.id, email, reason: 'Kotak surat mati' });
  return atMailedLink(house, email, began);
};

const atNewAddressCode: Way = async (house) => {
  const { visitor, page } = await atNewAddress(house);
  return { visitor, page: await visitor.submit(page, page.path) };
};

const atSlipStart = open('/aktivasi');

const atSlipPassword: Way = async (house) => {
  const { db, activationSlips } = house.site.running.services;
  const [officer, person] = [await house.person('password'), await house.person('new')];
  const by = { officerId: officer.id };
  const made = await db.transaction((tx) => activationSlips.issue(tx, { accountId: person.id, by }));
  const slip = activationSlips.codeOf(made?.slipId ?? '');
  const { visitor, page } = await atSlipStart(house);
  return { visitor, page: await visitor.submit(page, '/aktivasi', { username: person.nip, slip, captcha: CAPTCHA }) };
};

const atDeviceQuestion: Way = async (house) => {
  const person = await house.person('enrolled');
  const visitor = house.visitor();
  const { user_code: code } = await startDevice(house.visitor());
  const login = await visitor.submit(await visitor.ask('/device'), '/device', { user_code: code });
  const otp = await visitor.submit(login, '/password', { username: person.nip, password: PASSWORD });
  return { visitor, page: await visitor.submit(otp, '/otp', { otp: otpOf(person) }) };
};

/** Every page a person can come to, by its `data-page`. */
export const STATIONS: Readonly<Record<string, Way>> = {
  front: open('/'),
  help: open('/bantuan'),
  // Of a service, where one is played here: one may go back to it.
  'sign-in/password': async (house) => {
    const stop = await open('/demo/myasn/login')(house);
    return stop.page.page === 'sign-in/password' ? stop : open('/login')(house);
  },
  'sign-in/otp': atOtp,
  'sign-in/presence': atPresence,
  'sign-in/prove-mailbox': atMailboxAs,
  'sign-in/enrol': atEnrol,
  'sign-in/recovery-codes': atRecoveryCodes,
  'sign-in/change-password': atChangePassword,
  'sign-in/passkey-missing': atPasskeyMissing,
  'account/devices/add-passkey': signedInAt('/account/devices/add/passkey'),
  launcher: signedIn,
  'account/devices': signedInAt('/account/devices'),
  'account/devices/add/app': pressedAt('/account/devices/add'),
  'account/recovery-codes/new': pressedAt('/account/recovery-codes/renew'),
  'sign-out/confirm': signedInAt('/oidc/logout'),
  'sign-out/done': open('/signed-out'),
  'reset/menu': open('/reset'),
  'reset/password/start': atResetStart,
  'reset/password/email': atResetEmailAs,
  'reset/password/code': atResetCodeAs,
  'reset/password/done': atResetDone,
  'reset/weak': open('/reset/weak'),
  'reset/weak/done': open('/reset/weak/done'),
  'reset/mfa': open('/reset/mfa'),
  'reset/mfa/start': open('/reset/mfa/wait'),
  'reset/mfa/factor': async (house) => startSelfReset(house, 'now', await personWithTwoDevices(house)),
  'reset/mfa/code': async (house) => startSelfReset(house, 'wait', await house.person('enrolled')),
  'reset/mfa/waiting': atWaitingAs,
  'reset/mfa/stop': atStop,
  'reset/mfa/stopped': open('/reset/mfa/stopped'),
  'device/code': open('/device'),
  'device/confirm': atDeviceQuestion,
  'device/done': open('/device/done'),
  'device/refused': open('/device/refused'),
  'device/over': open('/device/tidak-ada-lagi'),
  'activate/start': atSlipStart,
  'activate/password': atSlipPassword,
  'disavow/confirm': atDisavowal,
  'contact/start': atNewAddress,
  'contact/code': atNewAddressCode,
  'not-found': open('/tidak-ada'),
  expired: open('/reset/password/email'),
};

/** Goes to the page with this `data-page`. */
export function goTo(house: House, page: string): Promise<Station> {
  const way = STATIONS[page];
  if (way === undefined) throw new Error(`nobody knows the way to ${page}`);
  return way(house);
}
