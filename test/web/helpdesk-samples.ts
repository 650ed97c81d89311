import type { ActName, HelpdeskPages } from '#src/web/helpdesk-pages.js';
import type { PageError, Shell } from '#src/web/pages.js';
import { ADVICE, CAUSES, OUTCOMES, PASSAGES, STEPS } from '#src/helpdesk/desk/diagnosis.js';
import { tell } from '#src/account/activity/tellings.js';
import { storyOf } from '#src/helpdesk/console/trail-words.js';
import { KIND_GROUPS } from '#src/helpdesk/console/trail-kinds.js';
import type { TrailRow } from '#src/helpdesk/trail/search-store.js';
import { DETAILS } from '../account/audit-samples.js';
import { PERSON_STATUSES } from '#src/helpdesk/desk/desk.js';

type PersonPage = HelpdeskPages['helpdesk/person'];
type Person = PersonPage['subject'];
type Diagnosis = PersonPage['diagnosis'];

const now = new Date('2026-11-23T01:15:42Z');
const before = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);

export const OFFICER: Partial<Shell> = {
  path: '/helpdesk',
  officer: {
    name: 'Nama Petugas',
    office: 'BKPSDM Kabupaten Contoh',
    tabs: [
      { name: 'search', href: '/helpdesk' },
      { name: 'approvals', href: '/helpdesk/approvals', count: 2 },
      { name: 'officers', href: '/helpdesk/officers' },
      { name: 'activation', href: '/helpdesk/aktivasi' },
      { name: 'audit', href: '/helpdesk/audit' },
    ],
  },
};

const drift = (at: number): Diagnosis['attempts'][number] => ({
  at: before(at),
  step: 'code',
  during: 'sign_in',
  outcome: 'clock_drift',
  minutes: -61,
  count: 1,
});

/** The person of the drawing. */
const SOMEBODY: Person = {
  id: '018f3c1e-7b1a-4d2e-9a55-0123456789ab',
  name: 'Nama Pegawai',
  nip: '19900101 202321 1 001',
  agency: { name: 'Dinas Pendidikan' },
  employment: 'PPPK',
  status: 'active',
  activatedAt: before(40_000),
  lastLoginAt: before(900),
  devices: [{ kind: 'totp', name: 'Ponsel kerja', lastUsedAt: before(16_000), closed: false }],
  recoveryCodes: { left: 8, count: 10 },
  sessions: [{ startedAt: before(44) }],
  sessionCount: 1,
  password: { isSet: true, isDisabled: false, waitUntil: undefined },
  codeWaitUntil: undefined,
  email: { hint: 'n•••••@c•••••', proved: true },
  lastMail: { at: before(2000), fate: 'sent' },
  cases: [],
  waitingReset: undefined,
  contactChange: undefined,
  roles: [],
};

const SLOW_CLOCK: Diagnosis = {
  main: { cause: 'clock_drift', tell: 'set_clock_automatic', resetNeeded: false, minutes: -61 },
  others: [],
  attempts: [
    drift(3),
    drift(4),
    { at: before(5), step: 'password', during: 'sign_in', outcome: 'accepted', count: 1 },
    { at: before(6), step: 'password', during: 'sign_in', outcome: 'wrong', count: 3 },
  ],
};

const finding = (cause: string, more: Partial<Diagnosis['main']> = {}): Diagnosis['main'] => ({
  cause,
  tell: 'wait',
  resetNeeded: cause === 'factors_closed',
  ...more,
});

/** Every cause and every attempt in words. */
const ALL_FINDINGS: Diagnosis = {
  main: finding('factors_closed', { tell: 'register_authenticator_anew' }),
  others: [
    ...CAUSES.filter((cause) => cause !== 'just_reset' && cause !== 'clock_drift' && cause !== 'waiting').map((cause) =>
      finding(cause),
    ),
    ...ADVICE.map((tell) => finding('code_wrong', { tell })),
    finding('just_reset', { at: before(3000) }),
    finding('just_reset', { at: before(3), officer: 'Nama Petugas' }),
    finding('clock_drift'),
    finding('clock_drift', { minutes: -1 }),
    finding('clock_drift', { minutes: 61 }),
    finding('waiting', { until: new Date('2026-11-23T02:00:00Z'), waitsFor: 'code' }),
    finding('waiting', { until: new Date('2026-11-24T02:00:00Z'), waitsFor: 'password' }),
  ],
  attempts: [
    ...STEPS.flatMap((step) => PASSAGES.map((during) => ({ at: before(9), step, during, outcome: 'wrong', count: 1 }))),
    ...OUTCOMES.map((outcome) => ({ at: before(3000), step: 'code', during: 'sign_in', outcome, count: 1 })),
    { at: before(10), step: 'sign_in', during: 'sign_in', outcome: 'accepted', count: 1 },
    { at: before(9), step: 'code', during: 'sign_in', outcome: 'clock_drift', minutes: 7, count: 1 },
    drift(9),
  ],
};

/** Every member that a person may have or lack. */
const LITTLE: Person = {
  ...SOMEBODY,
  status: 'not_activated',
  activatedAt: undefined,
  lastLoginAt: undefined,
  devices: [],
  recoveryCodes: undefined,
  sessions: [],
  sessionCount: 0,
  password: { isSet: false, isDisabled: false, waitUntil: undefined },
  email: undefined,
  lastMail: undefined,
};
const MUCH: Person = {
  ...SOMEBODY,
  devices: [
    ...SOMEBODY.devices,
    { kind: 'totp', name: 'Tablet', lastUsedAt: undefined, closed: true },
    { kind: 'passkey', name: 'Laptop', lastUsedAt: undefined, closed: false },
  ],
  password: { isSet: true, isDisabled: true, waitUntil: new Date('2026-11-23T02:00:00Z') },
  codeWaitUntil: new Date('2026-11-24T02:00:00Z'),
  email: { hint: 'n•••••@c•••••', proved: false },
  lastMail: { at: before(20), fate: 'failed' },
  cases: ['disavowed', 'frozen_by_operator', 'mfa_reset_waiting'].map((cause) => ({ cause, since: before(5000) })),
  waitingReset: { dueAt: new Date('2026-11-24T02:00:00Z') },
  contactChange: { state: 'waiting', opensAt: new Date('2026-11-24T02:00:00Z') },
  roles: [
    { role: 'helpdesk', agency: { name: 'Kabupaten Contoh' } },
    { role: 'operator', agency: undefined },
  ],
};

const WELL: Diagnosis = {
  main: { cause: 'all_well', tell: 'try_again', resetNeeded: false },
  others: [],
  attempts: [],
};

type PersonState = readonly [state: string, data: PersonPage];

const looked = { acts: [], offers: [], waiting: [], standing: 'nobody_special' } as const;

export const PERSON_STATES: readonly PersonState[] = [
  ['clock slow', { subject: SOMEBODY, diagnosis: SLOW_CLOCK, ...looked }],
  ['all well', { subject: SOMEBODY, diagnosis: WELL, ...looked }],
  ['every finding', { subject: SOMEBODY, diagnosis: { ...ALL_FINDINGS, attempts: [] }, ...looked }],
  ['every attempt', { subject: SOMEBODY, diagnosis: { ...ALL_FINDINGS, others: [] }, ...looked }],
  ['with little', { subject: LITTLE, diagnosis: WELL, ...looked }],
  ['with everything', { subject: MUCH, diagnosis: SLOW_CLOCK, ...looked }],
  ['mail waiting', { subject: { ...MUCH, lastMail: { at: before(1), fate: 'waiting' } }, diagnosis: WELL, ...looked }],
  ...(['asked', 'invited'] as const).map((state): PersonState => {
    const contactChange = { state, opensAt: now };
    return [`new address ${state}`, { subject: { ...SOMEBODY, contactChange }, diagnosis: WELL, ...looked }];
  }),
  ...PERSON_STATUSES.map((status): PersonState => [
    status,
    { subject: { ...SOMEBODY, status }, diagnosis: WELL, ...looked },
  ]),
];

const here = { name: 'Dinas Pendidikan' };
const people = ['Nama Pegawai', 'Nama Pegawai Lain'].map((name, index) => ({
  id: `018f3c1e-7b1a-4d2e-9a55-01234567890${index}`,
  name,
  nipEnding: `00${String(index)}`,
  agency: here,
  status: index === 0 ? ('active' as const) : ('frozen' as const),
}));

const reach = { agencies: [{ code: 'CONTOH', name: 'Kabupaten Contoh' }], everywhere: false };

type HomeState = readonly [state: string, data: HelpdeskPages['helpdesk/home']];

const NOTHING = { alarms: [], cases: [], toDecide: 0 } as const;

export const HOME_STATES: readonly HomeState[] = [
  [
    'with alarms',
    {
      ...NOTHING,
      reach,
      alarms: (['burst', 'off_hours', 'pattern', 'quota', 'mass', 'appointment'] as const).map((kind, index) => ({
        id: `018f3c1e-7b1a-4d2e-9a55-0123456789b${String(index)}`,
        kind,
        officer: { name: 'Petugas Lain' },
        agency: here,
        account: kind === 'pattern' ? { id: SOMEBODY.id, name: SOMEBODY.name } : undefined,
        action: kind === 'quota' ? undefined : 'mfa_reset',
        raisedAt: before(70 * (index + 1)),
      })),
    },
  ],
  [
    'with work',
    {
      ...NOTHING,
      reach,
      toDecide: 2,
      cases: (['disavowed', 'frozen_by_operator', 'mfa_reset_waiting'] as const).map((cause, index) => ({
        account: { id: SOMEBODY.id, name: SOMEBODY.name },
        cause,
        since: before(1440 * (index + 1)),
      })),
      alarms: [
        {
          id: '018f3c1e-7b1a-4d2e-9a55-0123456789b9',
          kind: 'off_hours',
          officer: { name: 'Petugas Lain' },
          agency: here,
          account: undefined,
          action: 'mfa_reset',
          raisedAt: before(700),
        },
      ],
    },
  ],
  ['plain', { ...NOTHING, reach }],
  ['national', { ...NOTHING, reach: { agencies: [], everywhere: true } }],
  [
    'of two agencies',
    { ...NOTHING, reach: { ...reach, agencies: [...reach.agencies, { code: 'LAIN', name: 'Kota Lain' }] } },
  ],
  ['for who reaches nobody', { ...NOTHING }],
  ['names found', { ...NOTHING, reach, who: 'nama', found: { people, agency: 'Kabupaten Contoh', hasMore: true } }],
  [
    'no name found',
    { ...NOTHING, reach, who: 'siapa', found: { people: [], agency: 'Kabupaten Contoh', hasMore: false } },
  ],
  [
    'nobody with this NIP',
    { ...NOTHING, reach, who: '199001012023211001', error: { code: 'not_found', field: 'who' } },
  ],
  ['half a NIP', { ...NOTHING, reach, who: '1990', error: { code: 'invalid_input', field: 'who', reason: 'nip' } }],
  [
    'too few letters',
    { ...NOTHING, reach, who: 'na', error: { code: 'invalid_input', field: 'who', reason: 'letters' } },
  ],
  [
    'more than a NIP',
    {
      ...NOTHING,
      reach,
      who: '1990010120232110011',
      error: { code: 'invalid_input', field: 'who', reason: 'nip_long' },
    },
  ],
  ['unreadable', { ...NOTHING, reach, error: { code: 'invalid_input' } }],
  ['forbidden', { ...NOTHING, error: { code: 'forbidden' } }],
  ['throttled', { ...NOTHING, reach, error: { code: 'throttled', retryAfterSeconds: 1790 } }],
  ...(['not_found', 'invalid_input'] as const).map((code): HomeState => [
    `agency ${code}`,
    {
      ...NOTHING,
      reach: { agencies: [], everywhere: true },
      who: 'nama',
      agency: 'X',
      error: { code, field: 'agency' },
    },
  ]),
];

const subject = { id: SOMEBODY.id, name: SOMEBODY.name, agency: SOMEBODY.agency, email: SOMEBODY.email };
const typed = { reason: 'Ponsel hilang di jalan', ticket: 'HD-2026-0113' };
const missing = (field: string): PageError => ({ code: 'invalid_input', field });

const ACTS = [
  'sessions_end',
  'unlock',
  'freeze',
  'unfreeze',
  'disable',
  'enable',
  'contact_change',
  'mfa_reset',
  'activation_slip',
] as const satisfies readonly ActName[];

type ActState = readonly [state: string, data: HelpdeskPages['helpdesk/act']];
const act = (action: ActName, more: Partial<HelpdeskPages['helpdesk/act']> = {}): ActState[1] => {
  const step = action.replace('_', '-');
  return { action, step, subject, needsSecond: action === 'unfreeze' || action === 'mfa_reset', typed: {}, ...more };
};

/** Why an act may not fit, as far as a form can come to it. */
const UNFIT = ['frozen', 'not_frozen', 'disabled', 'not_disabled', 'inactive', 'activated', 'awaited_already'];

export const ACT_STATES: readonly ActState[] = [
  ...ACTS.map((action): ActState => [action, act(action)]),
  ['a first address', act('contact_change', { subject: { ...subject, email: undefined }, needsSecond: true })],
  ['of an officer', act('sessions_end', { needsSecond: true, typed })],
  ['without a reason', act('freeze', { error: missing('reason') })],
  ['without a ticket', act('mfa_reset', { typed, error: missing('ticket') })],
  ['with a bad address', act('contact_change', { typed: { ...typed, new_email: 'x' }, error: missing('new_email') })],
  ['with the same address', act('contact_change', { typed, error: { ...missing('new_email'), reason: 'same' } })],
  ['forbidden', act('freeze', { typed, error: { code: 'forbidden' } })],
  ['throttled', act('mfa_reset', { typed, error: { code: 'throttled', retryAfterSeconds: 1790 } })],
  ...UNFIT.map((unfit): ActState => [
    `unfit: ${unfit}`,
    act('freeze', { typed, error: { code: 'invalid_input', unfit } }),
  ]),
];

type PresenceState = readonly [state: string, data: HelpdeskPages['helpdesk/mfa-reset/presence']];

export const PRESENCE_STATES: readonly PresenceState[] = [
  ['plain', { subject, typed: {} }],
  ['wrong code', { subject, typed, error: { code: 'code_invalid', field: 'presence_code' } }],
  ['no code', { subject, typed, error: missing('presence_code') }],
  ['throttled', { subject, typed, error: { code: 'throttled', retryAfterSeconds: 1790 } }],
];

export const COUNTER = { subject, counter: '317', typed: { presence_code: '12345678', ...typed } };
export const HOW_TO_RESET = { subject };

const offers = ['sessions_end', 'mfa_reset', 'freeze'] as const;
const page = { subject: SOMEBODY, diagnosis: SLOW_CLOCK, acts: [], waiting: [], standing: 'nobody_special' } as const;

/** What the page of a person offers, and says after an act. */
export const OFFER_STATES: readonly PersonState[] = [
  ['with offers', { ...page, offers: offers.map((action) => ({ action, path: action.replace('_', '-') })) }],
  ['with every offer', { ...page, offers: ACTS.map((action) => ({ action, path: action.replace('_', '-') })) }],
  [
    'with a wait besides',
    {
      ...page,
      diagnosis: {
        ...SLOW_CLOCK,
        others: [finding('waiting', { until: new Date('2026-11-23T02:00:12Z'), waitsFor: 'code' })],
      },
      offers: [{ action: 'unlock', path: 'unlock' }],
    },
  ],
  [
    'with nothing but a wait',
    {
      ...page,
      diagnosis: { ...WELL, main: finding('waiting', { until: now, waitsFor: 'code' }) },
      offers: [{ action: 'unlock', path: 'unlock' }],
    },
  ],
  [
    'waiting besides something else',
    {
      ...page,
      diagnosis: {
        ...WELL,
        main: finding('code_wrong'),
        others: [finding('waiting', { until: now, waitsFor: 'code' })],
      },
      offers: [{ action: 'unlock', path: 'unlock' }],
    },
  ],
  [
    'after a reset',
    {
      ...page,
      diagnosis: {
        ...WELL,
        main: finding('just_reset', { tell: 'enrol_anew', at: before(9), officer: 'Nama Petugas' }),
      },
      acts: (['awaiting', 'done', 'rejected', 'withdrawn', 'void'] as const).map((state) => ({
        action: 'mfa_reset',
        officer: state === 'done' ? undefined : 'Nama Petugas',
        createdAt: before(9),
        state,
      })),
      offers: [],
    },
  ],
  [
    'just asked for',
    {
      ...page,
      offers: [],
      waiting: [{ id: 'a1', action: 'mfa_reset' }],
      done: { action: 'awaiting', isUntold: false },
    },
  ],
  ...(['unlock', 'disable'] as const).map((action): PersonState => [
    `well after ${action}`,
    { ...page, diagnosis: WELL, offers: [], done: { action, isUntold: false } },
  ]),
  ['without an address', { ...page, subject: LITTLE, offers: [{ action: 'contact_change', path: 'contact-change' }] }],
  ['well after an act', { ...page, diagnosis: WELL, offers: [], done: { action: 'enable', isUntold: false } }],
  ['with what waits', { ...page, offers: [], waiting: [{ id: 'a1', action: 'mfa_reset' }] }],
  ['oneself', { ...page, offers: [], standing: 'self' }],
  ['an officer', { ...page, offers: [{ action: 'freeze', path: 'freeze' }], standing: 'officer' }],
  ...[...ACTS.filter((action) => action !== 'activation_slip'), 'awaiting' as const].map((action): PersonState => [
    `done: ${action}`,
    { ...page, offers: [], done: { action, isUntold: action === 'freeze' } },
  ]),
];

const waiting = (action: string, more: object = {}) => ({
  id: '018f3c1e-7b1a-4d2e-9a55-0123456789ac',
  action,
  account: { id: SOMEBODY.id, name: SOMEBODY.name, nipEnding: '001' },
  officer: { name: 'Petugas Lain', unit: 'BKPSDM Kabupaten Contoh' },
  agency: SOMEBODY.agency,
  createdAt: before(30),
  expiresAt: new Date('2026-11-24T00:45:00Z'),
  mayDecide: true,
  ...more,
});
const ALL_ASKED = [...ACTS, 'role_grant', 'role_revoke'];

type ListState = readonly [state: string, data: HelpdeskPages['helpdesk/approvals']];

export const APPROVALS_STATES: readonly ListState[] = [
  ['plain', { waiting: [waiting('mfa_reset'), waiting('unfreeze', { expiresAt: before(-120) })] }],
  ['empty', { waiting: [] }],
  ['of every kind', { waiting: ALL_ASKED.map((action) => waiting(action)) }],
  ...(['approved', 'rejected'] as const).map((done): ListState => [done, { waiting: [], done }]),
];

type ApprovalState = readonly [state: string, data: HelpdeskPages['helpdesk/approval']];
const approval = (more: Partial<HelpdeskPages['helpdesk/approval']['act']> = {}): ApprovalState[1] => ({
  act: {
    ...waiting('mfa_reset'),
    reason: typed.reason,
    ticket: typed.ticket,
    verification: 'photo_id',
    email: undefined,
    role: undefined,
    roleAgency: undefined,
    standing: 'may_decide',
    ...more,
  },
});

export const APPROVAL_STATES: readonly ApprovalState[] = [
  ['plain', approval()],
  ['by presence', approval({ verification: 'presence', createdAt: before(3000) })],
  ['one’s own', approval({ standing: 'asked_by_you', ticket: undefined, verification: undefined })],
  ['not one’s own', approval({ standing: 'not_yours' })],
  ['an address', approval({ action: 'contact_change', email: 'baru@contoh.example', verification: undefined })],
  ['a role', approval({ action: 'role_grant', role: 'helpdesk', roleAgency: 'CONTOH' })],
  ['a national role', approval({ action: 'role_grant', role: 'operator' })],
  ['forbidden', { ...approval(), error: { code: 'forbidden' } }],
];

type DecidedState = readonly [state: string, data: HelpdeskPages['helpdesk/approval/decided']];

export const DECIDED_STATES: readonly DecidedState[] = (['done', 'rejected', 'withdrawn', 'void'] as const).map(
  (state, index): DecidedState => [
    state,
    {
      act: {
        action: 'mfa_reset',
        account: { id: SOMEBODY.id, name: SOMEBODY.name },
        state,
        decidedBy: state === 'done' || state === 'rejected' ? 'Petugas Lain' : undefined,
        decidedAt: before(index * 1440 + 5),
      },
    },
  ],
);

const grant = (role: string, more: object = {}) => ({
  id: '018f3c1e-7b1a-4d2e-9a55-0123456789ad',
  accountId: SOMEBODY.id,
  name: 'Petugas Lain',
  role,
  agency: { name: 'Kabupaten Contoh' },
  grantedAt: before(40_000),
  isOwn: false,
  ...more,
});

type OfficersState = readonly [state: string, data: HelpdeskPages['helpdesk/officers']];

export const OFFICERS_STATES: readonly OfficersState[] = [
  ['plain', { grants: [grant('agency_admin', { isOwn: true, name: 'Nama Petugas' }), grant('helpdesk')] }],
  ['national', { grants: [grant('auditor', { agency: undefined })], nextHref: '/helpdesk/officers?after=x' }],
  ['empty', { grants: [] }],
  ...(['act_appointed', 'act_removed', 'act_awaiting'] as const).map((done): OfficersState => [
    done,
    { grants: [], done },
  ]),
];

const wanted = { nip: '199001012023211001', role: 'helpdesk', agency: 'CONTOH', reason: 'Surat tugas 12' };
type AppointState = readonly [state: string, data: HelpdeskPages['helpdesk/officers/appoint']];

export const APPOINT_STATES: readonly AppointState[] = [
  ['plain', { roles: ['helpdesk'], typed: { agency: 'CONTOH' } }],
  ['by an operator', { roles: ['helpdesk', 'agency_admin', 'operator', 'auditor'], typed: wanted }],
  ...['nip', 'role', 'reason'].map((field): AppointState => [
    `wrong ${field}`,
    { roles: ['helpdesk'], typed: wanted, error: missing(field) },
  ]),
  ['nobody', { roles: ['helpdesk'], typed: wanted, error: { code: 'not_found', field: 'nip' } }],
  ['no factor yet', { roles: ['helpdesk'], typed: wanted, error: { code: 'invalid_input', unfit: 'no_factor' } }],
  ['held already', { roles: ['helpdesk'], typed: wanted, error: { code: 'invalid_input', unfit: 'held_already' } }],
  ...['unknown_agency', 'role_needs_agency'].map((unfit): AppointState => [
    unfit,
    { roles: ['helpdesk'], typed: wanted, error: { ...missing('agency'), unfit } },
  ]),
];

type RemoveState = readonly [state: string, data: HelpdeskPages['helpdesk/officers/remove']];

export const REMOVE_STATES: readonly RemoveState[] = [
  ['plain', { grant: grant('helpdesk'), typed: {} }],
  ['national', { grant: grant('operator', { agency: undefined }), typed: {} }],
  ['without a reason', { grant: grant('helpdesk'), typed: {}, error: missing('reason') }],
];

export const SLIP: HelpdeskPages['helpdesk/slip'] = {
  subject,
  nipEnding: '001',
  code: '7K3Q-M9XD-2RTA-V4BC',
  printHref: '/helpdesk/slip/s1',
  expiresAt: new Date('2026-12-23T01:15:42Z'),
  address: 'https://sso.asn.example/aktivasi',
};

type TrailPage = HelpdeskPages['helpdesk/audit'];
type TrailLine = NonNullable<TrailPage['list']>['lines'][number];

/** A row of the trail as it comes from the store. */
export const trailRow = (type: string, detail: object, more: Partial<TrailRow> = {}): TrailRow => ({
  id: '7',
  at: before(90),
  type,
  account: SOMEBODY,
  actor: undefined,
  agencyCode: 'CONTOH',
  agencyName: 'Dinas Pendidikan',
  clientId: undefined,
  requestId: undefined,
  detail: detail as TrailRow['detail'],
  place: { at: '', id: '7' },
  mayOpen: true,
  ...more,
});
export const tellOwner: Parameters<typeof storyOf>[1] = (event) =>
  tell(event, { service: 'MyASN', device: { kind: 'totp', name: undefined }, hasActor: true });

const trailLine = (type: string, detail: object, more: Partial<TrailLine> = {}): TrailLine => ({
  ...storyOf(trailRow(type, detail), tellOwner),
  at: before(90),
  account: { id: SOMEBODY.id, name: SOMEBODY.name, mayOpen: true },
  actor: undefined,
  agency: SOMEBODY.agency.name,
  application: undefined,
  browser: '',
  system: '',
  ...more,
});
const byOfficer = { actor: { id: '018f3c1e-7b1a-4d2e-9a55-0123456789ae', name: 'Nama Petugas' } };
const trailList = (
  lines: readonly TrailLine[],
  more: Partial<TrailPage['list']> = {},
): NonNullable<TrailPage['list']> => ({
  lines,
  from: before(43_200),
  until: now,
  olderHref: undefined,
  newestHref: undefined,
  files: (['csv', 'jsonl'] as const).map((format) => ({ format, action: `/helpdesk/audit/export/${format}` })),
  ...more,
});
const NOTHING_TYPED: TrailPage['typed'] = { nip: '', actor_nip: '', kind: '', from: '', to: '' };
const trailPage = (more: Partial<TrailPage>): TrailPage => ({
  readsAll: true,
  kinds: KIND_GROUPS.map(([group, kinds]) => ({ group, kinds })),
  typed: NOTHING_TYPED,
  ...more,
});

const LINES: readonly TrailLine[] = [
  trailLine('sign_in.completed', { acr: 'x', amr: [] }, { browser: 'Chrome', system: 'Android' }),
  trailLine('sign_in.otp_refused', { cause: 'drift', drift_minutes: -7 }, { browser: 'Chrome', system: 'Android' }),
  trailLine('desk.done', { action: 'sessions_end', act: 'a' }, { ...byOfficer, browser: 'Firefox', system: 'Windows' }),
  trailLine('desk.searched', { by: 'nip', found: 1 }, { ...byOfficer, account: undefined, at: before(3000) }),
  trailLine('desk.refused', { action: 'mfa_reset', cause: 'above' }, { ...byOfficer, at: before(3001) }),
  trailLine(
    'account.moved',
    { from: 'A', to: 'B' },
    {
      account: { id: SOMEBODY.id, name: SOMEBODY.name, mayOpen: false },
      at: before(3002),
    },
  ),
  trailLine(
    'client.secret_rotated',
    { overlap_seconds: 0 },
    {
      account: undefined,
      agency: undefined,
      application: { clientId: 'absensi', name: 'Absensi Digital', by: 'command' },
      at: before(3003),
    },
  ),
  ...(['file', 'registration'] as const).map((source) =>
    trailLine(
      'client.added',
      { source },
      {
        account: undefined,
        agency: undefined,
        application: { clientId: `dari-${source}`, name: undefined, by: source },
        at: before(3003),
      },
    ),
  ),
  trailLine('key.generated', { kid: 'k', alg: 'a' }, { account: undefined, agency: undefined, at: before(3003) }),
];

/** Every kind with every code, a page of them at a time. */
const EVERY_LINE = Object.entries(DETAILS).flatMap(([type, details]) =>
  (details as readonly object[]).map((detail) => trailLine(type, detail)),
);
const PAGES_OF_EVERYTHING = Array.from({ length: Math.ceil(EVERY_LINE.length / 20) }, (_, index) =>
  EVERY_LINE.slice(index * 20, index * 20 + 20),
);

type TrailState = readonly [state: string, data: TrailPage];
const onePerson = { id: SOMEBODY.id, name: SOMEBODY.name, mayOpen: true, withoutHref: '/helpdesk/audit' };
const anOfficer = { ...byOfficer.actor, withoutHref: '/helpdesk/audit' };
const wrongTrail = (field: string, more: Partial<PageError> = {}): TrailState => [
  `wrong ${field} ${more.reason ?? more.code ?? ''}`,
  trailPage({
    error: { code: 'invalid_input', field, ...more },
    typed: { ...NOTHING_TYPED, nip: '1990', actor_nip: '1990', from: '2026-11-02', to: '2026-11-01' },
  }),
];

export const TRAIL_STATES: readonly TrailState[] = [
  ['plain', trailPage({ list: trailList(LINES, { olderHref: '/helpdesk/audit?after=x' }) })],
  ['an older page', trailPage({ list: trailList(LINES, { newestHref: '/helpdesk/audit', until: before(9000) }) })],
  [
    'of one person',
    trailPage({
      readsAll: false,
      account: onePerson,
      list: trailList(LINES.map((line) => ({ ...line, account: undefined, agency: undefined }))),
    }),
  ],
  [
    'narrowed',
    trailPage({
      account: { ...onePerson, name: undefined, mayOpen: false },
      actor: anOfficer,
      list: trailList([]),
      typed: { ...NOTHING_TYPED, kind: 'act', from: '2026-11-01', to: '2026-11-02' },
    }),
  ],
  ['nothing so far', trailPage({ list: trailList([], { olderHref: '/helpdesk/audit?after=x' }) })],
  ['helpdesk, nobody named', trailPage({ readsAll: false })],
  [
    'kinds, acts and alarms of tomorrow, and an account that is not there',
    trailPage({
      list: trailList([
        trailLine('sign_in.by_thought', {}, { account: { ...SOMEBODY, name: undefined, mayOpen: false } }),
        ...(['desk.done', 'desk.asked', 'desk.refused'] as const).map((type) => trailLine(type, { action: 'bless' })),
        ...['freeze', 'bless'].flatMap((action) =>
          ['second', 'asker'].map((by) => trailLine('desk.rejected', { action, by })),
        ),
        trailLine('alarm.raised', { kind: 'omen' }),
        trailLine('agency.changed', { two_officers: false }),
      ]),
    }),
  ],
  [
    'a full page',
    trailPage({
      list: trailList(
        Array.from(
          { length: 20 },
          (_, index) =>
            ({
              ...EVERY_LINE[index + 10],
              ...byOfficer,
              browser: 'Samsung Internet',
              system: 'Android',
              at: before(index * 1500),
            }) as TrailLine,
        ),
        { olderHref: `/helpdesk/audit?after=${'x'.repeat(120)}` },
      ),
    }),
  ],
  ...PAGES_OF_EVERYTHING.map((lines, index): TrailState => [
    `everything ${index}`,
    trailPage({ list: trailList(lines) }),
  ]),
  wrongTrail('nip'),
  wrongTrail('actor_nip'),
  wrongTrail('from'),
  wrongTrail('to'),
  wrongTrail('kind'),
  wrongTrail('from', { reason: 'backwards' }),
  wrongTrail('from', { reason: 'too_long' }),
  wrongTrail('nip', { code: 'not_found' }),
];
