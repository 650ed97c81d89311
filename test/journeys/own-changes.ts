import { randomUUID } from 'node:crypto';
import { getById } from '#src/accounts/accounts.js';
import { secretContext } from '#src/devices/device.js';
import { attemptId, deviceId } from '#src/kernel/ids.js';
import { newSecret } from '#src/mfa/totp.js';
import { PASSWORD, type Employee } from '../support/employees.js';
import { attribute } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import type { ToldSite } from '../support/told-site.js';
import { totp } from '../support/totp.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';

const TRACE = { requestId: 'journey', agent: { browser: '', system: '' } };

/** What people change about their own factors, each from its first page to its last, in a browser of its own. */
export type OwnChange = (house: ToldSite, person: Employee) => Promise<void>;

function arrived(answer: Answer, page: string): Answer {
  if (answer.page !== page) throw new Error(`${answer.path}: ${answer.status} ${answer.page ?? ''} instead of ${page}`);
  return answer;
}

/** A browser that has just shown a second factor. */
const fresh = async (house: ToldSite, person: Employee): Promise<Visitor> => (await house.signIn(person)).visitor;

const setUpApp =
  (journey: 'add' | 'move'): OwnChange =>
  async (house, person) => {
    const visitor = await fresh(house, person);
    const path = `/account/devices/${journey}`;
    const shown = await visitor.submit(await visitor.follow(path), path);
    const typed = { otp: totp(attribute(shown.body, 'data-secret') ?? '', house.time.now()), device_name: 'HP baru' };
    arrived(await visitor.submit(shown, `${path}/app`, typed), 'account/devices');
  };

/** One more authenticator, as the program would have written it; answers its secret and id. */
async function giveApp({ site }: ToldSite, { id: accountId }: Employee) {
  const { db, devices, box } = site.running.services;
  const [secret, device] = [newSecret(), deviceId(randomUUID())];
  await db.transaction(async (tx) => {
    const sealedSecret = box.seal(secret, secretContext(device));
    await devices.addPending(tx, { id: device, accountId, attempt: attemptId(randomUUID()), sealedSecret });
    await devices.confirm(tx, { device, name: 'Tablet', step: 1 });
  });
  return { secret, device };
}

/** Name, password and captcha, up to the page that asks for a factor. */
async function startReset(house: ToldSite, { nip }: Employee, way: 'now' | 'wait'): Promise<[Visitor, Answer]> {
  const visitor = house.visitor();
  const start = await visitor.follow(`/reset/mfa/${way}`);
  const typed = { username: nip, password: PASSWORD, captcha: CAPTCHA };
  return [visitor, await visitor.submit(start, '/reset/mfa/start', typed)];
}

export const OWN_CHANGES: Readonly<Record<string, OwnChange>> = {
  'an authenticator added': setUpApp('add'),
  'a new phone': setUpApp('move'),
  'an authenticator removed': async (house, person) => {
    const { device } = await giveApp(house, person);
    const visitor = await fresh(house, person);
    const path = `/account/devices/${device}/remove`;
    arrived(await visitor.submit(await visitor.follow(path), path), 'account/devices');
  },
  'new recovery codes': async (house, person) => {
    const visitor = await fresh(house, person);
    const path = '/account/recovery-codes/renew';
    arrived(await visitor.submit(await visitor.follow(path), path), 'account/recovery-codes/new');
  },
  'a new password': async (house, person) => {
    const visitor = await fresh(house, person);
    const wanted = 'Gajah Merah 8 tidur-pulas';
    const typed = { password: PASSWORD, new_password: wanted, confirm_password: wanted };
    arrived(
      await visitor.submit(await visitor.follow('/account/password'), '/account/password', typed),
      'account/activity',
    );
  },
  'a frozen account': async (house, person) => {
    const visitor = await fresh(house, person);
    arrived(await visitor.submit(await visitor.follow('/account/freeze'), '/account/freeze'), 'disavow/done');
  },
  'a reset of the second factors with another device': async (house, person) => {
    const { secret } = await giveApp(house, person);
    const [visitor, page] = await startReset(house, person, 'now');
    house.time.pass({ seconds: 30 });
    arrived(
      await visitor.submit(page, '/reset/mfa/factor', { otp: totp(secret, house.time.now()), lost: 'others' }),
      'reset/mfa/done',
    );
  },
  'a reset of the second factors with a recovery code': async (house, person) => {
    const { db, recoveryCodes } = house.site.running.services;
    const prepared = await recoveryCodes.prepare();
    await db.transaction((tx) => recoveryCodes.issue(tx, person.id, prepared));
    const [visitor, page] = await startReset(house, person, 'now');
    const typed = { recovery_code: prepared.codes[0] ?? '' };
    arrived(await visitor.submit(page, '/reset/mfa/recovery-code', typed), 'reset/mfa/done');
  },
  'a waiting reset that is due': async (house, person) => {
    const { db, waitingResets } = house.site.running.services;
    const account = await getById(db, person.id);
    await db.transaction((tx) => waitingResets.begin(tx, { account, trace: TRACE }));
    await db.query(
      `UPDATE waiting_resets SET began_at = began_at - interval '2 days', due_at = due_at - interval '2 days'
        WHERE account_id = $1`,
      [person.id],
    );
    const visitor = house.visitor();
    const login = await visitor.follow('/login');
    const { path, form } = formOn(login, '/password');
    await visitor.follow(path, { form: { ...form, username: person.nip, password: PASSWORD } });
  },
};
