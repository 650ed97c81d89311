import { openConsoleHouse, type ConsoleHouse } from './console-house.js';
import { PASSWORD, otpOf, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import { registrationOf } from './relying-parties/parts.js';

/** Relying parties in the console, for operators only; and on the portal, for those who build them. */
let house: ConsoleHouse;
beforeAll(async () => {
  house = await openConsoleHouse();
});
afterAll(() => house.close());

const json = (id: string, change: object = {}): string => JSON.stringify(registrationOf(id, change));
const sourceOf = async (id: string) => (await house.services.clients.find(id))?.source;

async function operator(): Promise<{ employee: Employee; browser: Person }> {
  const employee = await house.officer('operator');
  return { employee, browser: await house.onDuty(employee) };
}
async function register(employee: Employee, browser: Person, registration: string): Promise<Shown> {
  await house.open(employee, browser, '/helpdesk/clients/new');
  return browser.submit('/helpdesk/clients/new', { registration });
}
/** Somebody at the portal. */
async function atPortal(employee: Employee): Promise<Person> {
  const browser = house.browser();
  await browser.get(`${house.site.origin}/login`);
  await browser.submit('/password', { username: employee.nip, password: PASSWORD });
  house.time.pass({ seconds: 31 });
  await browser.submit('/otp', { otp: otpOf(employee) });
  return browser;
}

it.each(['helpdesk', 'agency_admin', 'auditor'] as const)('%s: no page, no tab, and nothing is done', async (role) => {
  const { employee, browser } = await operator();
  await register(employee, browser, json(`of-${role}`));
  const officer = await house.officer(role);
  const other = await house.onDuty(officer);
  expect(other.shown.html).not.toContain('/helpdesk/clients');
  const csrf = /name="csrf" value="([^"]+)"/.exec(other.shown.html)?.[1] ?? '';
  for (const path of [
    '',
    '/new',
    `/of-${role}`,
    `/of-${role}/edit`,
    `/of-${role}/disable`,
    '/nobodys',
    '?request=4K7M2Q9RT0XW3B1C',
    `/of-${role}/rotate-secret`,
    '/nobodys/edit',
  ]) {
    const shown = await house.open(officer, other, `/helpdesk/clients${path}`);
    expect([path, shown.status, shown.page]).toEqual([path, 403, 'error']);
  }
  expect(await house.open(officer, other, '/helpdesk/client-invitations')).toMatchObject({ status: 403 });
  const posts = [
    ['/helpdesk/clients/new', { registration: json('sneaked') }],
    [`/helpdesk/clients/of-${role}/disable`, {}],
    [`/helpdesk/clients/of-${role}/rotate-secret`, { former: 'ends' }],
    ['/helpdesk/client-invitations', { uses: '1', hours: '1', note: '' }],
  ] as const;
  for (const [path, fields] of posts) {
    const { status } = await other.post(`${house.console}${path}`, { csrf, ...fields });
    expect([path, status]).toEqual([path, 403]);
  }
  expect(await sourceOf('sneaked')).toBeUndefined();
  expect((await house.services.clients.find(`of-${role}`))?.disabledAt).toBeUndefined();
  expect(await house.services.clientInvitations.list()).toEqual([]);
});

it('a secret is shown in the answer that made it, and nowhere again', async () => {
  const { employee, browser } = await operator();
  const shown = await register(employee, browser, json('rahasia'));
  expect(shown).toMatchObject({ status: 200, page: 'helpdesk/client/secret' });
  const secret = /data-client-secret>([\w-]{43})</.exec(shown.html)?.[1] ?? 'none';
  expect(house.services.registry.holdsSecret('rahasia', secret, house.time.now())).toBe(true);
  for (const path of ['/helpdesk/clients/rahasia', '/helpdesk/clients/rahasia/edit']) {
    expect((await house.open(employee, browser, path)).html).not.toContain(secret);
  }
});

it.each([
  ['ends', false],
  ['goes_on', true],
] as const)(
  'a new secret: the one before %s, and what is needed to use the new one stands beside it',
  async (former, goesOn) => {
    const { employee, browser } = await operator();
    const id = `putar-${former.replace('_', '-')}`;
    const secretIn = ({ html }: Shown): string => /data-client-secret>([\w-]{43})</.exec(html)?.[1] ?? 'none';
    const before = secretIn(await register(employee, browser, json(id)));
    const holds = (secret: string): boolean => house.services.registry.holdsSecret(id, secret, house.time.now());

    await house.open(employee, browser, `/helpdesk/clients/${id}/rotate-secret`);
    const undecided = await browser.submit('/rotate-secret', { former: 'perhaps' });
    expect(undecided.page).toBe('helpdesk/client/rotate');
    expect(holds(before)).toBe(true);
    const shown = await browser.submit('/rotate-secret', { former });
    expect(shown.page).toBe('helpdesk/client/secret');
    expect([holds(before), holds(secretIn(shown))]).toEqual([goesOn, true]);
    expect(shown.html).toContain(`data-client-id>${id}<`);
    expect(shown.html).toContain(`data-issuer>${house.site.origin}`);
    const [row] = await house.services.db.query(
      `SELECT detail FROM audit_events WHERE type = 'client.secret_rotated' AND client_id = $1`,
      [id],
    );
    expect(row?.detail).toMatchObject({ overlap_seconds: goesOn ? 86_400 : 0 });
    house.time.pass({ minutes: 24 * 60 + 1 });
    expect(holds(before)).toBe(false);
  },
);

it('what is told of disabling fits who uses it, and an id that nobody registered has its own words', async () => {
  const { employee, browser } = await operator();
  const service = {
    redirect_uris: [],
    grant_types: ['client_credentials'],
    x: { resources: { 'https://api.example': ['a'] }, serves: ['https://own.example/api'] },
  };
  await register(employee, browser, json('mesin', service));
  await register(employee, browser, json('orang'));
  const ofService = await house.open(employee, browser, '/helpdesk/clients/mesin/disable');
  expect(ofService.html).toContain('Tidak ada pegawai yang masuk lewat aplikasi ini');
  expect(ofService.html).toContain('tidak diberi tahu');
  const ofPeople = await house.open(employee, browser, '/helpdesk/clients/orang/disable');
  expect(ofPeople.html).toContain('Tidak seorang pun dapat masuk lewat aplikasi ini');
  const shown = await house.open(employee, browser, '/helpdesk/clients/mesin');
  expect(shown.html).toContain('Memeriksa token untuk');
  expect(shown.html).toContain('Semua tokennya berakhir');
  expect(await house.open(employee, browser, '/helpdesk/clients/tidak-ada')).toMatchObject({
    status: 404,
    page: 'helpdesk/client/not-found',
  });
});

it('the trail names the application, and who did it where nobody did', async () => {
  const { employee, browser } = await operator();
  await register(employee, browser, json('tercatat'));
  await house.services.clients.disable('tercatat');
  house.time.pass({ minutes: 1 });
  const { html } = await house.open(employee, browser, '/helpdesk/audit?kind=upkeep');
  expect(html).toContain('<code>tercatat</code>');
  expect(html).toMatch(/Aplikasi dimatikan(?:(?!<li).)*<code>tercatat<\/code>(?:(?!<li).)*oleh perintah di server/);
});

it('what was typed is kept, and told field by field what is wrong with it', async () => {
  const { employee, browser } = await operator();
  const wrong = await register(employee, browser, json('salah', { redirect_uris: ['https://salah.example/*'] }));
  expect(wrong).toMatchObject({ status: 422, page: 'helpdesk/client/edit', errors: ['invalid_input'] });
  expect(wrong.html).toContain('<code>redirect_uris</code> https://salah.example/* must be exact, without wildcards');
  expect(wrong.html).toContain('&quot;https://salah.example/*&quot;');
  const noJson = await browser.submit('/helpdesk/clients/new', { registration: '{ </textarea><b>' });
  expect(noJson).toMatchObject({ status: 422 });
  expect(noJson.html).not.toContain('</textarea><b>');
  expect(await sourceOf('salah')).toBeUndefined();
});

it('what no database keeps is told of as everything else', async () => {
  const { employee, browser } = await operator();
  for (const client_name of ['a\0b', 'a\ud800']) {
    expect(await register(employee, browser, json('unkept', { client_name }))).toMatchObject({
      status: 422,
      page: 'helpdesk/client/edit',
    });
  }
});

it('one of the clients file is changed there', async () => {
  const { employee, browser } = await operator();
  const id = (await house.services.clients.list()).find(({ source }) => source === 'file')?.clientId ?? 'none';
  const shown = await house.open(employee, browser, `/helpdesk/clients/${id}`);
  expect(shown.page).toBe('helpdesk/client');
  expect(shown.html).not.toContain(`/${id}/edit"`);
  await house.open(employee, browser, `/helpdesk/clients/${id}/edit`);
  const refused = await browser.submit('/edit', { registration: JSON.stringify({ client_name: 'Lain' }) });
  expect(refused).toMatchObject({ status: 422, page: 'helpdesk/client/edit' });
  expect(refused.html).toContain('stands in CLIENTS_FILE');
});

it('an act asks first, wants a fresh factor, and says what was done once', async () => {
  const { employee, browser } = await operator();
  await register(employee, browser, json('padam'));
  await house.open(employee, browser, '/helpdesk/clients/padam/disable');
  const done = await browser.submit('/disable');
  expect(done.html).toContain('data-done="client_disabled"');
  expect(house.services.registry.registration('padam')).toBeUndefined();
  expect((await browser.get(`${house.console}/helpdesk/clients/padam`)).html).not.toContain('data-done');
  house.time.pass({ minutes: 6 });
  expect((await browser.get(`${house.console}/helpdesk/clients/padam/enable`)).page).toBe('sign-in/otp');
});

it('a developer sees their own client on the portal, looks up a request, and nobody else’s', async () => {
  const { employee, browser } = await operator();
  for (const id of ['punyaku', 'punya-lain']) await register(employee, browser, json(id));
  const developer = await house.somebody();
  await house.open(employee, browser, '/helpdesk/clients/punyaku/developers/add');
  expect((await browser.submit('/developers/add', { nip: developer.nip })).html).toContain(
    'data-done="developer_named"',
  );

  const portal = await atPortal(developer);
  expect((await portal.get(`${house.site.origin}/`)).html).toContain('href="/developer"');
  const wrong = new URL(
    '/oidc/auth?client_id=punyaku&response_type=code&redirect_uri=https://lain.example/',
    house.site.origin,
  );
  const refused = await fetch(wrong, { redirect: 'manual' });
  const others = await fetch(String(wrong).replace('punyaku', 'punya-lain'), { redirect: 'manual' });
  await house.services.clientUse.flush();
  const numberOf = (answer: Response): string => answer.headers.get('x-request-id') ?? '';
  const look = (request: string): Promise<Shown> =>
    portal.get(`${house.site.origin}/developer/punyaku?request=${request}`);
  const found = await look(numberOf(refused));
  expect(found).toMatchObject({ status: 200, page: 'developer/client' });
  expect(found.html).toContain('data-lookup="invalid_redirect_uri"');
  expect(found.html).toContain('Alamat kembali tidak ada di pendaftaran');
  expect(found.html.replaceAll('<wbr>', '')).toContain('/.well-known/openid-configuration');
  const number = numberOf(refused);
  const spoken = ` ${number.slice(0, 4)}-${number.slice(4, 9)} ${number.slice(9)} `.toLowerCase();
  expect((await look(encodeURIComponent(spoken))).html).toContain('data-lookup="invalid_redirect_uri"');
  expect((await look(numberOf(others))).html).toContain('data-lookup="none"');
  const searched = (request: string): Promise<Shown> =>
    house.open(employee, browser, `/helpdesk/clients?request=${encodeURIComponent(request)}`);
  expect((await searched(spoken)).html).toContain('data-lookup="punyaku"');
  expect((await searched(numberOf(others))).html).toContain('data-lookup="punya-lain"');
  expect((await searched('0000000000000000')).html).toContain('data-lookup="none"');
  for (const path of ['/developer/punya-lain', '/developer/myasn', '/developer/nobodys']) {
    expect([path, (await portal.get(`${house.site.origin}${path}`)).status]).toEqual([path, 404]);
  }

  // It ends by the operator, and with the account.
  await house.open(employee, browser, `/helpdesk/clients/punyaku/developers/${developer.id}/remove`);
  expect((await browser.submit('/remove')).html).toContain('data-done="developer_dismissed"');
  expect((await portal.get(`${house.site.origin}/developer/punyaku`)).status).toBe(404);
  expect((await portal.get(`${house.site.origin}/developer`)).status).toBe(404);
  expect((await portal.get(`${house.site.origin}/`)).html).not.toContain('href="/developer"');
  const { db, clientDevelopers } = house.services;
  const by = { actorId: employee.id };
  const named = { clientId: 'punyaku', accountId: developer.id, by };
  expect(await db.transaction((tx) => clientDevelopers.name(tx, named))).toBe(true);
  expect(await db.transaction((tx) => clientDevelopers.name(tx, named))).toBe(false);
  await db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [developer.id]);
  expect(await clientDevelopers.clientsOf(developer.id)).toEqual([]);
  expect(await clientDevelopers.ofClient('punyaku')).toEqual([]);
  const events = await db.query(
    `SELECT type, actor_id FROM audit_events WHERE account_id = $1 AND type LIKE 'client.%' ORDER BY id`,
    [developer.id],
  );
  expect(events).toEqual([
    { type: 'client.developer_named', actor_id: employee.id },
    { type: 'client.developer_dismissed', actor_id: employee.id },
    { type: 'client.developer_named', actor_id: employee.id },
  ]);
});

it('an invitation is shown once, works, and is ended', async () => {
  const { employee, browser } = await operator();
  await house.open(employee, browser, '/helpdesk/client-invitations');
  expect(await browser.submit('/client-invitations', { uses: '0', hours: '24', note: 'x' })).toMatchObject({
    status: 422,
  });
  const made = await browser.submit('/client-invitations', { uses: '2', hours: '24', note: 'Tim' });
  const token = /data-invitation>([\w-]{43})</.exec(made.html)?.[1] ?? 'none';
  expect(await house.services.clientInvitations.isGood(token)).toBe(true);
  expect((await house.open(employee, browser, '/helpdesk/client-invitations')).html).not.toContain(token);
  await browser.submit('/end');
  expect(await house.services.clientInvitations.isGood(token)).toBe(false);
});
