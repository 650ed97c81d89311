import { jest } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES } from '#src/accounts/role.js';
import { saveAgencies } from '#src/accounts/agencies.js';
import { PATHS } from '#src/helpdesk/console/offers.js';
import { agencyCode } from '#src/kernel/ids.js';
import type { Employee } from '../support/employees.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { attribute, challengeOf, type Person } from '../support/person.js';
import { openConsoleHouse, type ConsoleHouse } from './console-house.js';

/**
 * Who may do what to whom, over the API and in the console: role of the officer x where the person is x what the person
 * holds x every act. What is expected is written down here by hand, apart from the code that decides.
 */
const OFFICERS = ['helpdesk', 'agency_admin', 'operator', 'auditor', 'nobody', 'rested'] as const;
type OfficerKind = (typeof OFFICERS)[number];

const PLACES = { own: 'REGENCY', child: 'OFFICE', sibling: 'SIBLING', parent: 'PROVINCE', other: 'OTHER' } as const;
type Place = keyof typeof PLACES;
const places = Object.keys(PLACES) as Place[];

const HOLDS = ['nothing', ...ROLES] as const;
type Holds = (typeof HOLDS)[number];

/** Each act, and what makes the account fit for it. */
const ACTS = {
  mfa_reset: '',
  unlock: '',
  sessions_end: '',
  freeze: '',
  unfreeze: 'frozen',
  disable: '',
  enable: 'disabled',
  contact_change: '',
  activation_slip: 'new',
  role_grant: '',
  role_revoke: '',
} as const;
type Act = keyof typeof ACTS;
const acts = Object.keys(ACTS) as Act[];
const LOOKS = ['look', 'diagnose', 'search'] as const;
type Look = (typeof LOOKS)[number];

interface Cell {
  readonly officer: OfficerKind;
  readonly place: Place;
  readonly holds: Holds;
  readonly act: Act | Look;
  readonly id: string;
  readonly nip: string;
  /** A role of the person; or one that nobody has any more. */
  readonly grantId: string;
}

type Outcome = 'done' | 'waits' | 'forbidden' | 'not_found';

// By hand.
const REACHED: Record<OfficerKind, readonly Place[]> = {
  helpdesk: ['own', 'child'],
  agency_admin: ['own', 'child'],
  operator: places,
  auditor: [],
  nobody: [],
  rested: [],
};
const ADMINISTRATORS_ONLY: readonly string[] = ['disable', 'enable', 'role_grant', 'role_revoke'];
const MAY_ACT_ON: Partial<Record<OfficerKind, readonly Holds[]>> = {
  helpdesk: ['nothing', 'helpdesk'],
  agency_admin: ['nothing', 'helpdesk', 'agency_admin'],
  operator: HOLDS,
};
const ALWAYS_BY_TWO: readonly string[] = ['mfa_reset', 'unfreeze'];

function expected({ officer, place, holds, act }: Cell): Outcome {
  // A role that does not exist has no person: it is nowhere.
  if (act === 'role_revoke' && holds === 'nothing') return 'not_found';
  // Who reaches nobody may not look for anybody, whoever it is.
  if (act === 'search' && REACHED[officer].length === 0) return 'forbidden';
  if (!REACHED[officer].includes(place)) return 'not_found';
  if ((LOOKS as readonly string[]).includes(act)) return 'done';
  if (officer === 'helpdesk' && ADMINISTRATORS_ONLY.includes(act)) return 'forbidden';
  if (MAY_ACT_ON[officer]?.includes(holds) !== true) return 'forbidden';
  if (act === 'role_revoke') {
    if (officer === 'agency_admin' && holds !== 'helpdesk') return 'forbidden';
    return holds === 'operator' ? 'waits' : 'done';
  }
  return ALWAYS_BY_TWO.includes(act) || holds !== 'nothing' ? 'waits' : 'done';
}

const SECRET = 'a-shared-secret-of-forty-characters-long';
const CALLBACK = 'http://127.0.0.1:9/callback';
const GONE = '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10';

interface OnDuty {
  readonly employee: Employee;
  readonly browser: Person;
  readonly token: string;
  /** Of a page of the console: the time stands still, so it is good for every form. */
  readonly csrf: string;
}

/** Two thousand requests and more. */
jest.setTimeout(240_000);

let house: ConsoleHouse;
const onDuty = new Map<OfficerKind, OnDuty>();
let serial = 0;

beforeAll(async () => {
  const clients = join(await makeTemporaryFolder('sso-asn-matrix-'), 'clients.json');
  house = await openConsoleHouse((origin) => {
    const scopes = ['accounts:read', 'accounts:write', 'accounts:mfa-reset'];
    const desk = {
      client_id: 'desk',
      client_name: 'Meja bantuan',
      redirect_uris: [CALLBACK],
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: SECRET,
      x: { category: 'Instansi', resources: { [`${origin}/api/admin`]: scopes } },
    };
    writeFileSync(clients, JSON.stringify([desk]));
    return { CLIENTS_FILE: clients };
  });
  const { db } = house.services;
  const agency = (code: string, parentCode: string) => ({
    code: agencyCode(code),
    name: `Instansi ${code}`,
    parentCode: agencyCode(parentCode),
  });
  await db.transaction((tx) =>
    saveAgencies(tx, { agencies: [agency('SIBLING', 'PROVINCE'), agency('OFFICE-2', 'REGENCY')], now: new Date() }),
  );
  for (const kind of OFFICERS) onDuty.set(kind, await begin(kind));
});
afterAll(() => house.close());

/** Somebody of this kind at the console, and with a token for the API; both by a whole login. */
async function begin(kind: OfficerKind): Promise<OnDuty> {
  const role = ROLES.find((each) => each === kind) ?? 'helpdesk';
  const employee = await house.officer(role);
  const browser = await house.onDuty(employee);
  const csrf = attribute(browser.shown.html.replace(/[\s\S]*name="csrf"/, ''), 'value') ?? '';
  const verifier = randomBytes(32).toString('base64url');
  const asked = house.ask('desk', {
    scope: 'openid accounts:read accounts:write accounts:mfa-reset',
    resource: `${house.console}/api/admin`,
    code_challenge: challengeOf(verifier),
  });
  const { url } = await browser.get(`${house.site.origin}${asked.path}`);
  const answer = await fetch(new URL('/oidc/token', house.site.origin), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`desk:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`no token for ${kind}: ${answer.status} ${url.href}`);
  const { db } = house.services;
  if (kind === 'nobody') await house.take(employee, 'helpdesk');
  if (kind === 'rested') {
    await db.query(
      `INSERT INTO devices (id, account_id, kind, status, name, created_at, activated_at, ended_at, ended_reason)
       VALUES (gen_random_uuid(), $1, 'totp', 'ended', 'Lama', $2, $2, $2, 'helpdesk_reset')`,
      [employee.id, house.time.now()],
    );
  }
  return { employee, browser, token, csrf };
}

/** A person for every cell and way, in the state that the act needs. */
async function plant(): Promise<readonly Cell[]> {
  const { db } = house.services;
  const cells: Cell[] = [];
  for (const officer of OFFICERS) {
    for (const place of places) {
      for (const holds of HOLDS) {
        for (const act of [...acts, ...LOOKS]) {
          serial += 1;
          cells.push({ officer, place, holds, act, id: randomUUID(), nip: nipOf(serial), grantId: randomUUID() });
        }
      }
    }
  }
  const column = (of: (cell: Cell) => string | null): (string | null)[] => cells.map(of);
  await db.query(
    `INSERT INTO accounts (id, nip, name, email, employment, agency_code, status, frozen_at, disabled_at, status_imported,
                           activated_at, created_at, updated_at)
     SELECT id, nip, 'Nama Pegawai', 'p' || nip || '@contoh.example', 'PNS', agency,
            CASE state WHEN 'disabled' THEN 'inactive' ELSE 'active' END,
            CASE state WHEN 'frozen' THEN $5::timestamptz END,
            CASE state WHEN 'disabled' THEN $5::timestamptz END, CASE state WHEN 'disabled' THEN 'active' END,
            CASE state WHEN 'new' THEN NULL ELSE $5::timestamptz END, $5, $5
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS cell (id, nip, agency, state)`,
    [
      column(({ id }) => id),
      column(({ nip }) => nip),
      column(({ place }) => PLACES[place]),
      column(({ act }) => (act in ACTS ? ACTS[act as Act] : '')),
      house.time.now(),
    ],
  );
  // Whoever becomes an officer has a factor; whose mailbox is all that is asked for gets another by two.
  await db.query(
    `INSERT INTO devices (id, account_id, kind, status, name, secret, created_at, activated_at)
     SELECT gen_random_uuid(), id, 'totp', 'active', 'Ponsel', 'v1.k1.sealed', $2, $2 FROM unnest($1::uuid[]) AS cell (id)`,
    [cells.filter(({ act }) => act === 'role_grant' || act === 'contact_change').map(({ id }) => id), house.time.now()],
  );
  await db.query(
    `INSERT INTO role_grants (id, account_id, role, agency_code, granted_at)
     SELECT id, account_id, role, CASE WHEN role IN ('helpdesk', 'agency_admin') THEN agency END, $5
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS cell (id, account_id, role, agency)
      WHERE role <> 'nothing'`,
    [
      column(({ grantId }) => grantId),
      column(({ id }) => id),
      column(({ holds }) => holds),
      column(({ place }) => PLACES[place]),
      house.time.now(),
    ],
  );
  return cells;
}

/** Eighteen digits as the civil service writes them, no two alike. */
function nipOf(serial: number): string {
  const day = String(1 + (Math.floor(serial / 900) % 28)).padStart(2, '0');
  return `198505${day}2010011${String(1 + (serial % 900)).padStart(3, '0')}`;
}

interface Answered {
  readonly outcome: string;
  /** All that the officer can see of it, without what is random. */
  readonly look: string;
}

const OUTCOMES: Readonly<Record<number, Outcome>> = { 200: 'done', 202: 'waits', 403: 'forbidden', 404: 'not_found' };
const reason = 'Diminta pegawai di loket';

const CALLS: Record<Act | Look, (cell: Cell) => { path: string; method?: 'GET' | 'POST' | 'DELETE'; body?: object }> = {
  look: ({ id }) => ({ path: `/accounts/${id}`, method: 'GET' }),
  diagnose: ({ id }) => ({ path: `/accounts/${id}/diagnosis`, method: 'GET' }),
  search: ({ nip }) => ({ path: '/accounts/search', body: { nip } }),
  mfa_reset: ({ id }) => ({
    path: `/accounts/${id}/mfa-reset`,
    body: { reason, ticket: 'T-1', verification: { method: 'photo_id' } },
  }),
  unlock: ({ id }) => ({ path: `/accounts/${id}/unlock`, body: { reason } }),
  sessions_end: ({ id }) => ({ path: `/accounts/${id}/sessions/end`, body: { reason } }),
  freeze: ({ id }) => ({ path: `/accounts/${id}/freeze`, body: { reason } }),
  unfreeze: ({ id }) => ({ path: `/accounts/${id}/unfreeze`, body: { reason } }),
  disable: ({ id }) => ({ path: `/accounts/${id}/disable`, body: { reason } }),
  enable: ({ id }) => ({ path: `/accounts/${id}/enable`, body: { reason } }),
  contact_change: ({ id }) => ({
    path: `/accounts/${id}/contact-change`,
    body: { reason, email: 'baru@contoh.example' },
  }),
  activation_slip: ({ id }) => ({ path: `/accounts/${id}/activation-slip`, body: { reason } }),
  role_grant: ({ id }) => ({
    path: '/roles',
    body: { account_id: id, role: 'helpdesk', agency: 'OFFICE-2', reason },
  }),
  role_revoke: ({ grantId }) => ({ path: `/roles/${grantId}`, method: 'DELETE' }),
};

async function overApi({ token }: OnDuty, cell: Cell): Promise<Answered> {
  const { path, method = 'POST', body } = CALLS[cell.act](cell);
  const answer = await fetch(`${house.console}/api/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (cell.act === 'search') {
    const { accounts } = JSON.parse(text) as { accounts?: readonly { id: string }[] };
    if (accounts?.length === 0) return { outcome: 'not_found', look: `${answer.status} ${text}` };
    if (answer.status === 200 && accounts?.[0]?.id !== cell.id) return { outcome: 'somebody else', look: text };
  }
  return { outcome: OUTCOMES[answer.status] ?? `${answer.status} ${text}`, look: `${answer.status} ${text}` };
}

/** What the console has pages for, and what is typed there. */
const FORMS: Partial<Record<Act, (cell: Cell) => { path: string; fields: Record<string, string> }>> = {
  ...Object.fromEntries(
    (['unlock', 'sessions_end', 'freeze', 'unfreeze', 'disable', 'enable'] as const).map((act) => [
      act,
      ({ id }: Cell) => ({ path: `/helpdesk/pegawai/${id}/${PATHS[act]}`, fields: { reason, ticket: '' } }),
    ]),
  ),
  mfa_reset: ({ id }) => ({
    path: `/helpdesk/pegawai/${id}/${PATHS.mfa_reset}/photo-id`,
    fields: { reason, ticket: 'T-1' },
  }),
  contact_change: ({ id }) => ({
    path: `/helpdesk/pegawai/${id}/${PATHS.contact_change}`,
    fields: { reason, ticket: '', new_email: 'baru@contoh.example' },
  }),
  role_revoke: ({ grantId }) => ({ path: `/helpdesk/officers/${grantId}/remove`, fields: { reason } }),
};

const withoutChance = (html: string): string =>
  html.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID').replace(/value="[^"]*"/g, '');

async function inConsole({ browser, csrf }: OnDuty, cell: Cell): Promise<Answered | undefined> {
  if (cell.act === 'look') {
    const { status, html } = await browser.get(`${house.console}/helpdesk/pegawai/${cell.id}`);
    return { outcome: OUTCOMES[status] ?? String(status), look: withoutChance(withoutCount(html)) };
  }
  const form = FORMS[cell.act as Act]?.(cell);
  if (form === undefined) return undefined;
  const { status, html, headers } = await browser.post(`${house.console}${form.path}`, { csrf, ...form.fields });
  if (status !== 303)
    return { outcome: OUTCOMES[status] ?? `${status} ${html}`, look: withoutChance(withoutCount(html)) };
  return { outcome: headers.get('set-cookie')?.includes('act_awaiting') === true ? 'waits' : 'done', look: '303' };
}

/** How much waits for the officer grows while the cells are walked, whoever is asked for. */
const withoutCount = (html: string): string => html.replaceAll(/ <b class="badge neutral">\d+<\/b>/g, '');

/** What each cell left behind: its act, and how often it was refused. */
async function tracesOf(cells: readonly Cell[]): Promise<Map<string, { state: string | undefined; refused: number }>> {
  const { db } = house.services;
  const rows = await db.query(
    `SELECT cell.id, (SELECT o.state FROM officer_acts o WHERE o.account_id = cell.id) AS state,
            (SELECT count(*)::int FROM audit_events e WHERE e.account_id = cell.id AND e.type = 'desk.refused') AS refused
       FROM unnest($1::uuid[]) AS cell (id)`,
    [cells.map(({ id }) => id)],
  );
  return new Map(
    rows.map((row) => [
      row.id as string,
      { state: (row.state as string | null) ?? undefined, refused: row.refused as number },
    ]),
  );
}

const ACT_STATES: Partial<Record<Outcome, string>> = { done: 'done', waits: 'awaiting' };

/** Walks all cells one way; answers what was otherwise than written down here. */
async function walk(
  way: (officer: OnDuty, cell: Cell) => Promise<Answered | undefined>,
  {
    shutOut = () => false,
    outcomeOf = expected,
  }: {
    /** Who does not even get in: recorded as that, not by person. */
    readonly shutOut?: (cell: Cell) => boolean;
    readonly outcomeOf?: (cell: Cell) => Outcome;
  } = {},
) {
  const { db } = house.services;
  const cells = await plant();
  await db.query('TRUNCATE officer_acts, audit_events, quotas CASCADE');
  const wrong: string[] = [];
  const asked: (Cell & { readonly outcome: Outcome })[] = [];
  const refusals = new Map<string, Set<string>>();
  for (const [number, cell] of cells.entries()) {
    if (number % 40 === 0) await db.query('DELETE FROM quotas');
    const officer = onDuty.get(cell.officer);
    if (officer === undefined) throw new Error(`no ${cell.officer}`);
    const answered = await way(officer, cell);
    if (answered === undefined) continue;
    const outcome = shutOut(cell) ? 'forbidden' : outcomeOf(cell);
    asked.push({ ...cell, outcome });
    if (answered.outcome !== outcome) {
      wrong.push(`${cell.officer} ${cell.act} ${cell.place} ${cell.holds}: ${answered.outcome.slice(0, 300)}`);
    }
    if (outcome !== 'not_found') continue;
    const kind = `${cell.officer} ${cell.act}`;
    refusals.set(kind, (refusals.get(kind) ?? new Set()).add(answered.look));
  }
  // Out of scope and unknown look the same.
  for (const kind of OFFICERS) {
    for (const act of [...acts, ...LOOKS]) {
      const looks = refusals.get(`${kind} ${act}`);
      const officer = onDuty.get(kind);
      if (looks === undefined || officer === undefined) continue;
      await db.query('DELETE FROM quotas');
      const unknown = {
        officer: kind,
        place: 'own',
        holds: 'nothing',
        act,
        id: GONE,
        nip: nipOf(999_999),
        grantId: GONE,
      } as const;
      const answered = await way(officer, unknown);
      if (answered !== undefined) looks.add(answered.look);
      if (looks.size !== 1) wrong.push(`${kind} ${act}: unknown looks otherwise than out of scope`);
    }
  }
  const traces = await tracesOf(cells);
  for (const { outcome, ...cell } of asked) {
    const { id, officer, act, place, holds } = cell;
    const { state, refused } = traces.get(id) ?? { state: undefined, refused: 0 };
    const isAct = act in ACTS;
    const name = `${officer} ${act} ${place} ${holds}`;
    if (state !== (isAct ? ACT_STATES[outcome] : undefined)) wrong.push(`${name}: left the act ${String(state)}`);
    // A role that nobody has leads to no account.
    const leads = act !== 'search' && !(act === 'role_revoke' && holds === 'nothing');
    const isRefused = (outcome === 'forbidden' || outcome === 'not_found') && !shutOut(cell);
    if (leads && refused !== (isRefused ? 1 : 0)) wrong.push(`${name}: ${refused} refusals on record`);
  }
  return { wrong, asked };
}

it('over the API: exactly what is allowed is done, and every refusal is on record', async () => {
  const { wrong, asked } = await walk(overApi);
  expect(wrong).toEqual([]);
  expect(asked.length).toBe(OFFICERS.length * places.length * HOLDS.length * (acts.length + LOOKS.length));
  expect(asked.length).toBeGreaterThan(2_000);
});

it('in the console: the same', async () => {
  const { wrong, asked } = await walk(inConsole, {
    shutOut: ({ officer }) => officer === 'nobody' || officer === 'rested',
    // The page of a role that is not on an officer's list is not there.
    outcomeOf: (cell) => {
      const outcome = expected(cell);
      const isListed = cell.officer !== 'helpdesk' && (cell.holds === 'helpdesk' || cell.holds === 'agency_admin');
      return cell.act === 'role_revoke' && outcome === 'forbidden' && !isListed ? 'not_found' : outcome;
    },
  });
  expect(wrong).toEqual([]);
  expect(asked.length).toBeGreaterThan(1_000);
});
