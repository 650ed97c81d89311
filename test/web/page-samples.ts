import type { PageError, PageName, Pages, SessionLine, Shell } from '#src/web/pages.js';
import {
  ACT_STATES,
  APPOINT_STATES,
  APPROVAL_STATES,
  APPROVALS_STATES,
  COUNTER,
  HOME_STATES,
  HOW_TO_RESET,
  OFFER_STATES,
  OFFICERS_STATES,
  OFFICER,
  PERSON_STATES,
  PRESENCE_STATES,
  REMOVE_STATES,
  SLIP,
} from './helpdesk-samples.js';
import { ACTIVITY, ALL_ACTIVITY, HARDLY_HELD, HELD, WORDS_HELD } from './account-samples.js';

/** One page in one state: `[page, what is special about it, data, shell?]`. */
export type Sample = {
  [Name in PageName]: readonly [page: Name, state: string, data: Pages[Name], shell?: Partial<Shell>];
}[PageName];

export const SAMPLE_SHELL: Shell = {
  locale: 'id',
  csrf: 'contoh-csrf',
  path: '/contoh',
  now: new Date('2026-11-23T01:15:42Z'),
  brand: { name: 'SSO ASN', portal: 'ASN Digital', institution: '[Nama lembaga]', host: 'sso.asn.example' },
  requestId: '01JDC7Q8ZK2V5N3T',
};

const uid = 'uid0123456789';
const service = 'MyASN';
const back = { service, href: '/demo/myasn' };
const wait: PageError = { code: 'throttled', retryAfterSeconds: 1790 };
const missing = (field: string): PageError => ({ code: 'invalid_input', field });
const policy: PageError = {
  code: 'password_policy',
  rules: [
    { rule: 'length', state: 'met' },
    { rule: 'case', state: 'met' },
    { rule: 'digit', state: 'unmet' },
    { rule: 'symbol', state: 'met' },
    { rule: 'common', state: 'unmet' },
  ],
};

const signIn = { uid, service };
const app1 = { name: 'Ponsel kerja', kind: 'totp' } as const;
const passkey1 = { name: 'Laptop kantor', kind: 'passkey' } as const;
const otp = { ...signIn, devices: [app1], hasRecoveryCodes: true };
const passkeyOnly = { ...signIn, devices: [passkey1], hasRecoveryCodes: true };
const mailbox = { ...signIn, hasMailbox: true, emailHint: 's•••••@c•••••' };
// Drawn from a 32-character secret and a long label, like the real ones.
const qrPath = `M4 4.5h7m1 0h1m1 0h1m2 0h1m2 0h2m1 0h1${'m2 0h2m2 0h3m1 0h7M4 5.5h1m5 0h1m1 0h2m1 0h2'.repeat(48)}`;
const offer = {
  secret: 'CONTOHKUNCIRAHASIAJANGANDIPAKAI2',
  otpauthUri: 'otpauth://totp/SSO%20ASN:199001012023211001?secret=CONTOHKUNCIRAHASIAJANGANDIPAKAI2&issuer=SSO%20ASN',
  qr: { path: qrPath, size: 45 },
};
const presence = { kind: 'live', code: '48207316', counterCode: '042', expiresAt: SAMPLE_SHELL.now } as const;
const enrol = { ...signIn, ...offer };
const device = { id: 'd1', name: 'Ponsel kerja' };
const removed = { ...device, kind: 'totp' } as const;
const taken: PageError = { ...missing('device_name'), reason: 'taken' };
const devices = { devices: [], former: [], fewCodes: true, mayAdd: true };
const codes = {
  ...signIn,
  createdAt: SAMPLE_SHELL.now,
  codes: [
    ['7K3QM-9XD2R-TAV4B', 'C8WHN-5ZP6E-JQ1YG', 'XR94T-M0DKV-83BSC', '2NFGA-7EWQZ-H5R6P', 'V1JXB-YT9M3-K4CD8'],
    ['QS60H-PN2GZ-EA7WF', '9D5RK-B8XV1-MTJ3Y', 'GZ4CE-6QHS0-WNP2A', 'FT7YM-3KR9D-51BXV', 'HW2AQ-J8NGC-ZE6T4'],
  ].flat(),
};
const app = { name: 'MyASN', path: '/demo/myasn' };
const others = [
  { name: 'SIASN', path: '/demo/siasn' },
  { name: 'SSCASN', path: '/demo/sscasn' },
  { name: 'DMS', path: '/demo/dms' },
];
const mail = {
  id: '018f3c1e-7b1a-7d2e-9a55-0123456789ab',
  to: 'sari@contoh.example',
  subject: 'Kode reset password SSO ASN',
  at: SAMPLE_SHELL.now,
  text: 'Kode reset password\n\nKetik kode ini di halaman yang sedang Anda buka:\n\n7K3QM-9XD2R\n\nBerlaku sampai 08.30 WIB.',
};

const session: SessionLine = {
  uid,
  agent: { known: 'both', browser: 'Firefox', system: 'Windows' },
  network: '203.0.113.x',
  startedAt: SAMPLE_SHELL.now,
  lastSeenAt: SAMPLE_SHELL.now,
  services: ['ASN Digital', 'MyASN'],
};
const phone: SessionLine = {
  ...session,
  uid: 'uid9876543210',
  agent: { known: 'both', browser: 'Chrome', system: 'Android' },
  network: '2001:db8:17::/48',
  services: ['DMS', 'SIASN', 'SSCASN'],
};
const stayingApp = { id: 'a1b2c3', service: 'MyASN', since: SAMPLE_SHELL.now, until: SAMPLE_SHELL.now };
const unknownBrowser: SessionLine = {
  ...phone,
  uid: 'uid5555555555',
  agent: { known: 'nothing', browser: '', system: '' },
  network: '',
  services: [],
};

/** Of pages of who is logged in. */
const PERSON = { person: { name: 'Sari Contoh' } };

const TOMORROW = new Date('2026-11-24T01:15:42Z');
const LEFT_OUT = ['nobody', 'secret', 'underway', 'letters', 'counted'];
const registered = { registered: 'sari@contoh.example' };
const token = '0123456789ABCDEFGHJKMNPQRS';
const lostOrNot = [
  { id: 'd1', name: 'Ponsel kerja' },
  { id: 'd2', name: 'Tablet' },
];

/** Every page in every state people meet. */
export const SAMPLES: readonly Sample[] = [
  ['front', 'plain', {}, { path: '/' }],
  ['front', 'a session is over', { sessionOver: true }, { path: '/' }],
  [
    'launcher',
    'plain',
    {
      groups: [
        { category: 'Seleksi CASN', services: [{ name: 'SSCASN', href: '#', description: 'Pendaftaran dan seleksi' }] },
        {
          category: 'Individu',
          services: [
            { name: 'MyASN', href: '#', description: 'Data kepegawaian Anda sendiri' },
            { name: 'DMS', href: '#', description: 'Lemari Digital, arsip dokumen Anda', asksAgain: true },
          ],
        },
        { category: 'Instansi', services: [{ name: 'SIASN', href: '#' }] },
      ],
    },
    { path: '/', ...PERSON },
  ],
  ['launcher', 'nothing found', { groups: [], query: 'gaji' }, { path: '/', ...PERSON }],
  ['launcher', 'of an officer', { groups: [], helpdeskHref: '/helpdesk' }, { path: '/', ...PERSON }],
  ['launcher', 'no services', { groups: [] }, { path: '/', ...PERSON }],
  ['launcher', 'after a recovery code', { groups: [], codesLeft: 7 }, { path: '/', ...PERSON }],
  ['launcher', 'after the last recovery code', { groups: [], codesLeft: 0 }, { path: '/', ...PERSON }],
  ['launcher', 'after a reset of the lost device', { groups: [], isDeviceLost: true }, { path: '/', ...PERSON }],
  [
    'launcher',
    'a reset of MFA waits',
    { groups: [] },
    { path: '/', person: { ...PERSON.person, waitingResetDueAt: TOMORROW } },
  ],

  ['sign-in/password', 'plain', signIn],
  ['sign-in/password', 'a session is over', { ...signIn, sessionOver: true }],
  [
    'sign-in/password',
    'wrong',
    { ...signIn, username: '19900101 202321 1 001', error: { code: 'invalid_credentials' } },
  ],
  ['sign-in/password', 'nothing but a passkey will do', { ...signIn, onlyPasskey: true }],
  ['sign-in/password', 'passkey refused', { ...signIn, error: { code: 'passkey_invalid' } }],
  ['sign-in/password', 'passkey unknown', { ...signIn, error: { code: 'passkey_invalid', isUnknown: true } }],
  ['sign-in/password', 'throttled', { ...signIn, error: wait }],
  ['sign-in/password', 'throttled by mails', { ...signIn, error: { ...wait, limit: 'mails' } }],
  ['sign-in/password', 'throttled shortly', { ...signIn, error: { code: 'throttled', retryAfterSeconds: 30 } }],
  ['sign-in/password', 'username missing', { ...signIn, error: missing('username') }],
  ['sign-in/password', 'password missing', { ...signIn, error: missing('password') }],

  ['sign-in/otp', 'plain', otp],
  ['sign-in/otp', 'two devices', { ...otp, devices: [app1, { name: 'Tablet', kind: 'totp' }] }],
  ['sign-in/otp', 'app first, then passkey', { ...otp, devices: [app1, passkey1] }],
  ['sign-in/otp', 'passkey first, then app', { ...otp, devices: [passkey1, app1] }],
  ['sign-in/otp', 'passkey first, wrong code', { ...otp, devices: [passkey1, app1], error: { code: 'otp_invalid' } }],
  ['sign-in/otp', 'passkeys only', { ...passkeyOnly, devices: [passkey1, { name: 'Kunci', kind: 'passkey' }] }],
  ['sign-in/otp', 'passkey refused', { ...passkeyOnly, error: { code: 'passkey_invalid' } }],
  ['sign-in/otp', 'passkey asked again', { ...passkeyOnly, service: 'DMS', again: true }],
  ['sign-in/otp', 'nothing but a passkey will do', { ...otp, devices: [app1, passkey1], onlyPasskey: true }],
  ['sign-in/passkey-missing', 'plain', { ...signIn, error: { code: 'passkey_required' } }],
  ['sign-in/factors-closed', 'plain', { ...signIn, waitSeconds: 86_400, resetHref: '/reset/mfa/wait?from=u1' }],
  [
    'sign-in/factors-closed',
    'a reset waits',
    { ...signIn, waitSeconds: 86_400, resetHref: '/reset/mfa/wait?from=u1', dueAt: SAMPLE_SHELL.now },
  ],
  ['sign-in/presence', 'none', { ...signIn, view: { kind: 'none' } }],
  ['sign-in/presence', 'live', { ...signIn, view: presence }],
  ['sign-in/presence', 'lapsed', { ...signIn, view: { kind: 'lapsed' } }],
  ['sign-in/presence', 'mistyped', { ...signIn, view: { kind: 'mistyped' } }],
  ['sign-in/presence', 'too many made', { ...signIn, view: { kind: 'lapsed' }, error: { ...wait, limit: 'requests' } }],
  ['sign-in/presence', 'used', { ...signIn, view: { kind: 'used', isDone: false } }],
  ['sign-in/presence', 'used, reset done', { ...signIn, view: { kind: 'used', isDone: true } }],
  ['sign-in/otp', 'at a desk', { ...otp, mayShowPresence: true }],
  ['sign-in/otp', 'asked again', { ...otp, service: 'DMS', again: true }],
  ['sign-in/otp', 'asked again by the account pages', { ...otp, again: true, ownAccount: true }, PERSON],
  [
    'sign-in/otp',
    'passkey asked again by the account pages',
    { ...passkeyOnly, again: true, ownAccount: true },
    PERSON,
  ],
  ['sign-in/otp', 'no recovery code left', { ...otp, hasRecoveryCodes: false }],
  ['sign-in/otp', 'passkeys only, no recovery code left', { ...passkeyOnly, hasRecoveryCodes: false }],
  ['sign-in/otp', 'a reset of MFA waits', { ...otp, waitingResetDueAt: TOMORROW }],
  ['sign-in/otp', 'codes wait', { ...otp, devices: [app1, passkey1], mayUsePasskey: true, error: wait }],
  ['sign-in/otp', 'codes wait, no passkey', { ...otp, mayUsePasskey: true, error: wait }],
  ['sign-in/otp', 'passkey unknown', { ...passkeyOnly, error: { code: 'passkey_invalid', isUnknown: true } }],
  ['sign-in/otp', 'wrong', { ...otp, error: { code: 'otp_invalid' } }],
  ['sign-in/otp', 'wrong again', { ...otp, error: { code: 'otp_invalid', again: true } }],
  ['sign-in/otp', 'incomplete', { ...otp, error: missing('otp') }],
  ['sign-in/otp', 'reused', { ...otp, error: { code: 'otp_reused' } }],
  ['sign-in/otp', 'clock slow', { ...otp, error: { code: 'clock_drift', driftMinutes: -7 } }],
  ['sign-in/otp', 'clock fast', { ...otp, error: { code: 'clock_drift', driftMinutes: 1 } }],
  ['sign-in/otp', 'whole hours', { ...otp, error: { code: 'clock_drift', driftMinutes: -61 } }],
  ['sign-in/otp', 'whole hours ahead', { ...otp, error: { code: 'clock_drift', driftMinutes: 121 } }],
  ['sign-in/otp', 'throttled', { ...otp, error: wait }],
  ['sign-in/otp', 'wrong recovery code', { ...otp, error: { code: 'code_invalid', field: 'recovery_code' } }],
  ['sign-in/otp', 'wrong recovery code, as otp', { ...otp, error: { code: 'otp_invalid', field: 'recovery_code' } }],
  ['sign-in/otp', 'recovery code incomplete', { ...otp, error: missing('recovery_code') }],

  ['sign-in/prove-mailbox', 'plain', mailbox],
  ['sign-in/prove-mailbox', 'without hint', { ...signIn, hasMailbox: true }],
  ['sign-in/prove-mailbox', 'resent', { ...mailbox, told: 'resent' }],
  ['sign-in/prove-mailbox', 'with the code mailed before', { ...mailbox, told: 'code_kept' }],
  ['sign-in/prove-mailbox', 'wrong', { ...mailbox, error: { code: 'code_invalid' } }],
  ['sign-in/prove-mailbox', 'incomplete', { ...mailbox, error: missing('code') }],
  ['sign-in/prove-mailbox', 'throttled', { ...mailbox, error: { code: 'throttled', retryAfterSeconds: 80_000 } }],
  ['sign-in/prove-mailbox', 'no mailbox', { ...signIn, hasMailbox: false }],

  ['sign-in/enrol', 'plain', enrol],
  ['sign-in/enrol', 'wrong', { ...enrol, deviceName: 'Ponsel kerja', error: { code: 'otp_invalid' } }],
  [
    'sign-in/enrol',
    'wrong again',
    { ...enrol, deviceName: 'Ponsel kerja', error: { code: 'otp_invalid', again: true } },
  ],
  ['sign-in/enrol', 'throttled', { ...enrol, error: wait }],
  ['sign-in/enrol', 'clock slow', { ...enrol, error: { code: 'clock_drift', driftMinutes: -7 } }],
  ['sign-in/enrol', 'name missing', { ...enrol, error: missing('device_name') }],
  ['sign-in/recovery-codes', 'plain', codes],
  ['sign-in/recovery-codes', 'not saved', { ...codes, error: missing('saved') }],
  ['sign-in/change-password', 'plain', signIn],
  ['sign-in/change-password', 'weak', { ...signIn, error: policy }],
  ['sign-in/change-password', 'differs', { ...signIn, error: { code: 'confirmation_mismatch' } }],
  ['sign-in/change-password', 'missing', { ...signIn, error: missing('new_password') }],
  ['sign-in/change-password', 'second missing', { ...signIn, error: missing('confirm_password') }],

  [
    'account/devices',
    'two',
    {
      devices: [
        { id: 'd1', name: 'Ponsel kerja', kind: 'totp', addedAt: SAMPLE_SHELL.now, lastUsedAt: SAMPLE_SHELL.now },
        { id: 'd2', name: 'Laptop kantor', kind: 'passkey', addedAt: SAMPLE_SHELL.now },
        { id: 'd3', name: 'Ponsel tua', kind: 'totp', addedAt: SAMPLE_SHELL.now, isClosed: true },
      ],
      former: (['removed', 'moved', 'too_many_codes', 'helpdesk_reset', 'self_reset'] as const).map((reason) => ({
        name: 'Ponsel lama',
        kind: 'totp',
        addedAt: SAMPLE_SHELL.now,
        endedAt: reason === 'removed' ? SAMPLE_SHELL.now : new Date('2026-11-24T01:15:42Z'),
        reason,
      })),
      codes: { left: 8, count: 10, createdAt: SAMPLE_SHELL.now },
      fewCodes: false,
      mayAdd: true,
      done: 'device_added',
    },
    PERSON,
  ],
  [
    'account/devices',
    'no codes',
    { devices: [], former: [], fewCodes: false, mayAdd: true, done: 'device_removed' },
    PERSON,
  ],
  [
    'account/devices',
    'renamed',
    { devices: [], former: [], fewCodes: false, mayAdd: true, done: 'device_renamed' },
    PERSON,
  ],
  [
    'account/devices',
    'moved',
    { devices: [], former: [], fewCodes: false, mayAdd: true, done: 'device_moved' },
    PERSON,
  ],
  ['account/activity', 'plain', { lines: ACTIVITY, isFirst: true, olderHref: '/account/activity?before=1-1' }, PERSON],
  ['account/activity', 'password changed', { lines: ACTIVITY, isFirst: true, done: 'password_changed' }, PERSON],
  ['account/activity', 'nothing', { lines: [], isFirst: true }, PERSON],
  ...ALL_ACTIVITY.map((lines, page): Sample => [
    'account/activity',
    `everything, ${page}`,
    { lines, isFirst: false, olderHref: '/account/activity?before=1795392000000-123456789012' },
    PERSON,
  ]),
  ['account/freeze', 'plain', {}, PERSON],
  ['account/password', 'plain', {}, PERSON],
  ['account/password', 'old one wrong', { error: { code: 'invalid_credentials', field: 'password' } }, PERSON],
  ['account/password', 'old one missing', { error: missing('password') }, PERSON],
  ['account/password', 'weak', { error: policy }, PERSON],
  ['account/password', 'differs', { error: { code: 'confirmation_mismatch' } }, PERSON],
  ['account/password', 'throttled', { error: wait }, PERSON],
  ['account/data', 'plain', { leftOut: LEFT_OUT, sections: HELD }, PERSON],
  ['account/data', 'hardly anything', { leftOut: LEFT_OUT, sections: HARDLY_HELD }, PERSON],
  ['account/data', 'every word', { leftOut: LEFT_OUT, sections: WORDS_HELD }, PERSON],
  ['account/data', 'throttled', { leftOut: LEFT_OUT, sections: HARDLY_HELD, error: wait }, PERSON],

  ['account/contact', 'plain', { ...registered, done: 'contact_changed' }, PERSON],
  ['account/contact', 'no address', { done: 'contact_stopped' }, PERSON],
  ['account/contact', 'closed', { ...registered, closedUntil: SAMPLE_SHELL.now }, PERSON],
  ['account/contact', 'no address that mail could go to', { email: 'sari', error: missing('new_email') }, PERSON],
  [
    'account/contact',
    'the registered address',
    { ...registered, email: registered.registered, error: { ...missing('new_email'), reason: 'same' } },
    PERSON,
  ],
  ['account/contact', 'throttled', { ...registered, email: 'sari@baru.example', error: wait }, PERSON],
  ...(['asked', 'waiting', 'invited'] as const).map((state): Sample => [
    'account/contact',
    state,
    { ...registered, change: { state, address: 's•••••@b•••••', opensAt: SAMPLE_SHELL.now } },
    PERSON,
  ]),
  ['account/contact/code', 'plain', { email: 'sari@baru.example' }, PERSON],
  ['account/contact/code', 'resent', { email: 'sari@baru.example', resent: true }, PERSON],
  ['account/contact/code', 'wrong', { email: 'sari@baru.example', error: { code: 'code_invalid' } }, PERSON],
  ['account/contact/code', 'incomplete', { email: 'sari@baru.example', error: missing('code') }, PERSON],
  ['contact/start', 'plain', { base: '/alamat-baru/x', emailHint: 's•••••@b•••••', nipEnding: '001' }],
  ['contact/start', 'throttled', { base: '/alamat-baru/x', emailHint: 's•••••@b•••••', nipEnding: '001', error: wait }],
  ['contact/code', 'plain', { base: '/alamat-baru/x', emailHint: 's•••••@b•••••' }],
  ['contact/code', 'resent', { base: '/alamat-baru/x', emailHint: 's•••••@b•••••', resent: true }],
  ['contact/code', 'wrong', { base: '/alamat-baru/x', emailHint: 's•••••@b•••••', error: { code: 'code_invalid' } }],
  ['contact/code', 'incomplete', { base: '/alamat-baru/x', emailHint: 's•••••@b•••••', error: missing('code') }],
  ['contact/done', 'plain', {}],
  [
    'disavow/confirm',
    'two',
    {
      token: 'x',
      nipEnding: '001',
      events: [
        { kind: 'new-browser', at: SAMPLE_SHELL.now },
        { kind: 'contact-changed', at: SAMPLE_SHELL.now },
      ],
    },
  ],
  ['disavow/confirm', 'in a newer process', { token: 'x', nipEnding: '001', events: [] }],
  ['disavow/done', 'plain', {}],
  ['link-gone', 'disavow', { what: 'disavow' }],
  ['link-gone', 'contact', { what: 'contact' }],
  ['account/sessions', 'three', { current: session, others: [phone, unknownBrowser], more: false, apps: [] }, PERSON],
  [
    'account/sessions',
    'one ended',
    { current: session, others: [], more: false, apps: [], done: 'session_ended' },
    PERSON,
  ],
  [
    'account/sessions',
    'all others ended',
    { current: session, others: [], more: false, apps: [], done: 'sessions_ended' },
    PERSON,
  ],
  [
    'account/sessions',
    'very many',
    { others: Array.from({ length: 12 }, (_, index) => ({ ...phone, uid: `${uid}${index}` })), more: true, apps: [] },
    PERSON,
  ],
  [
    'account/sessions',
    'an app stays',
    { current: session, others: [], more: false, apps: [stayingApp], done: 'app_ended' },
    PERSON,
  ],
  ['account/sessions/end-app', 'plain', { app: stayingApp }, PERSON],
  ['account/sessions/end', 'plain', { session: phone }, PERSON],
  [
    'account/sessions/end',
    'system unknown',
    { session: { ...phone, agent: { ...phone.agent, known: 'browser' } } },
    PERSON,
  ],
  [
    'account/sessions/end',
    'browser unknown',
    { session: { ...phone, agent: { ...phone.agent, known: 'system' } } },
    PERSON,
  ],
  ['account/sessions/end-others', 'plain', {}, PERSON],
  ['account/sessions/end-all', 'plain', {}, PERSON],
  ['account/devices', 'no codes', { ...devices, done: 'device_removed' }, PERSON],
  ...([{ name: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' }, undefined] as const).map((officer): Sample => [
    'account/devices',
    officer === undefined ? 'after a reset by the operator' : 'after a reset by an officer',
    devices,
    { ...PERSON, person: { ...PERSON.person, officerReset: { at: TOMORROW, officer } } },
  ]),
  ['account/devices', 'passkey added', { ...devices, mayAdd: false, done: 'passkey_added' }, PERSON],
  ['account/devices', 'few codes', { ...devices, codes: { left: 3, count: 10, createdAt: SAMPLE_SHELL.now } }, PERSON],
  [
    'account/devices',
    'no codes left',
    { ...devices, codes: { left: 0, count: 10, createdAt: SAMPLE_SHELL.now } },
    PERSON,
  ],
  ['account/devices', 'renamed', { ...devices, done: 'device_renamed' }, PERSON],
  ['account/devices', 'moved', { ...devices, mayAdd: false, done: 'device_moved' }, PERSON],
  ['account/devices/add', 'plain', { mayAdd: true }, PERSON],
  ['account/devices/add', 'five already', { mayAdd: false }, PERSON],
  ['account/devices/add-passkey', 'plain', { mayAdd: true }, PERSON],
  ['account/devices/add-passkey', 'five already', { mayAdd: false }, PERSON],
  [
    'account/devices/add-passkey',
    'refused',
    { mayAdd: true, deviceName: 'Laptop kantor', error: { code: 'passkey_invalid' } },
    PERSON,
  ],
  ['account/devices/add-passkey', 'name missing', { mayAdd: true, error: missing('device_name') }, PERSON],
  ['account/devices/add/app', 'plain', offer, PERSON],
  ['account/devices/add/app', 'name taken', { ...offer, deviceName: 'tablet', error: taken }, PERSON],
  ['account/devices/add/app', 'wrong', { ...offer, error: { code: 'otp_invalid' } }, PERSON],
  ['account/devices/add/app', 'clock slow', { ...offer, error: { code: 'clock_drift', driftMinutes: -7 } }, PERSON],
  ['account/devices/add/app', 'throttled', { ...offer, error: wait }, PERSON],
  ['account/devices/add/app', 'name missing', { ...offer, error: missing('device_name') }, PERSON],
  [
    'account/devices/move',
    'two',
    {
      devices: [
        { id: 'd1', name: 'Ponsel kerja', kind: 'totp', addedAt: SAMPLE_SHELL.now, lastUsedAt: SAMPLE_SHELL.now },
        { id: 'd2', name: 'Laptop kantor', kind: 'passkey', addedAt: SAMPLE_SHELL.now },
      ],
    },
    PERSON,
  ],
  ['account/devices/move/app', 'plain', { ...offer, replaces: 'Ponsel lama' }, PERSON],
  ['account/devices/move/app', 'reused', { ...offer, replaces: 'Ponsel lama', error: { code: 'otp_reused' } }, PERSON],
  ['account/devices/rename', 'plain', device, PERSON],
  ['account/devices/rename', 'unusable', { ...device, deviceName: '', error: missing('device_name') }, PERSON],
  ['account/devices/rename', 'taken', { ...device, deviceName: 'tablet', error: taken }, PERSON],
  ['account/devices/remove', 'plain', { ...removed, isLast: false }, PERSON],
  ['account/devices/remove', 'a passkey', { ...removed, kind: 'passkey', isLast: false }, PERSON],
  ['account/devices/remove', 'the last', { ...removed, isLast: true }, PERSON],
  ['account/devices/remove', 'the last, refused', { ...removed, isLast: true, error: missing('device') }, PERSON],
  [
    'account/recovery-codes',
    'plain',
    { left: { left: 8, count: 10, createdAt: SAMPLE_SHELL.now }, few: false, unsaved: false, done: 'codes_renewed' },
    PERSON,
  ],
  [
    'account/recovery-codes',
    'few',
    { left: { left: 2, count: 10, createdAt: SAMPLE_SHELL.now }, few: true, unsaved: false },
    PERSON,
  ],
  [
    'account/recovery-codes',
    'all used',
    { left: { left: 0, count: 10, createdAt: SAMPLE_SHELL.now }, few: true, unsaved: false },
    PERSON,
  ],
  ['account/recovery-codes', 'none', { few: true, unsaved: false }, PERSON],
  [
    'account/recovery-codes',
    'not saved',
    { left: { left: 10, count: 10, createdAt: SAMPLE_SHELL.now }, few: false, unsaved: true },
    PERSON,
  ],
  ['account/recovery-codes/renew', 'plain', { hasCodes: true }, PERSON],
  ['account/recovery-codes/renew', 'the first', { hasCodes: false }, PERSON],
  ['account/recovery-codes/new', 'plain', { codes: codes.codes, createdAt: codes.createdAt }, PERSON],
  [
    'account/recovery-codes/new',
    'not saved',
    { codes: codes.codes, createdAt: codes.createdAt, error: missing('saved') },
    PERSON,
  ],

  ['activate/start', 'plain', { captchaId: 'c1' }],
  [
    'activate/start',
    'wrong',
    {
      captchaId: 'c1',
      username: '199001012023211001',
      slip: '7K3Q-M9XD-2RTA-V4BC',
      error: { code: 'code_invalid', field: 'slip' },
    },
  ],
  ['activate/start', 'slip missing', { captchaId: 'c1', error: missing('slip') }],
  ['activate/start', 'throttled', { captchaId: 'c1', error: { ...wait, limit: 'requests' } }],
  ['activate/password', 'plain', {}],
  ['activate/password', 'weak', { error: policy }],
  ['activate/password', 'different', { error: { code: 'confirmation_mismatch' } }],
  ['activate/done', 'plain', { hasEmail: true }],
  ['activate/done', 'no address on file', { hasEmail: false }],
  ['reset/menu', 'plain', {}],
  ['reset/menu', 'from a service', { back }],
  ['reset/password/start', 'plain', { captchaId: 'c1' }],
  [
    'reset/password/start',
    'wrong',
    { captchaId: 'c2', username: '199001012023211001', error: { code: 'captcha_wrong' } },
  ],
  ['reset/password/start', 'captcha missing', { captchaId: 'c2', error: missing('captcha') }],
  ['reset/password/start', 'throttled', { captchaId: 'c2', error: wait }],
  ['reset/password/email', 'plain', { emailHint: 's•••••@c•••••' }],
  ['reset/password/email', 'without hint', {}],
  ['reset/password/email', 'incomplete', { emailHint: 's•••••@c•••••', email: 'sari', error: missing('email') }],
  ['reset/password/email', 'throttled', { emailHint: 's•••••@c•••••', error: wait }],
  ['reset/password/code', 'plain', {}],
  ['reset/password/code', 'resent', { resent: true }],
  ['reset/password/code', 'wrong', { error: { code: 'code_invalid' } }],
  ['reset/password/code', 'weak', { codeAccepted: true, error: policy }],
  [
    'reset/password/code',
    'guessable',
    {
      error: {
        code: 'password_policy',
        rules: [
          { rule: 'length', state: 'met' },
          { rule: 'common', state: 'unmet', reason: 'birth_date' },
        ],
      },
    },
  ],
  [
    'reset/password/code',
    'too long',
    { error: { code: 'password_policy', rules: [{ rule: 'length', state: 'unmet', reason: 'too_long' }] } },
  ],
  ['reset/password/code', 'wrong code of the phone', { codeAccepted: true, error: { code: 'otp_invalid' } }],
  ['reset/password/code', 'otp required', { codeAccepted: true, error: { code: 'otp_required' } }],
  ['reset/password/done', 'plain', {}],
  ['reset/password/done', 'from a service', { back, loginHref: '/demo/myasn/login' }],
  ['reset/weak', 'plain', {}],
  ['reset/weak', 'wrong', { username: '199001012023211001', error: { code: 'invalid_credentials' } }],
  ['reset/weak', 'throttled by codes', { error: { ...wait, limit: 'codes' } }],
  ['reset/weak', 'otp required', { error: { code: 'otp_required' } }],
  ['reset/weak', 'wrong code', { error: { code: 'otp_invalid' } }],
  [
    'reset/weak',
    'weak',
    {
      error: {
        code: 'password_policy',
        rules: [
          { rule: 'length', state: 'unmet' },
          { rule: 'case', state: 'unmet' },
          { rule: 'digit', state: 'unmet' },
          { rule: 'symbol', state: 'unmet' },
          { rule: 'common', state: 'unmet' },
          { rule: 'same', state: 'unmet' },
        ],
      },
    },
  ],
  ...(['nip', 'name', 'email', 'agency', 'service', 'pattern'] as const).map((reason): Sample => [
    'reset/weak',
    `guessable: ${reason}`,
    { error: { code: 'password_policy', rules: [{ rule: 'common', state: 'unmet', reason }] } },
  ]),
  ['reset/weak/done', 'plain', { back }],
  ['reset/weak', 'clock slow', { error: { code: 'clock_drift', driftMinutes: -7 } }],
  ['reset/password/code', 'whole hours', { codeAccepted: true, error: { code: 'clock_drift', driftMinutes: 60 } }],
  ['reset/mfa', 'plain', { waitSeconds: 86_400 }],
  ['reset/mfa', 'from a service, a short wait', { back, waitSeconds: 120 }],
  ['reset/mfa/start', 'at once', { way: 'now', captchaId: 'c1' }],
  ['reset/mfa/start', 'with a wait', { way: 'wait', captchaId: 'c1' }],
  [
    'reset/mfa/start',
    'wrong',
    { way: 'now', captchaId: 'c2', username: '199001012023211001', error: { code: 'invalid_credentials' } },
  ],
  ['reset/mfa/start', 'wrong letters', { way: 'wait', captchaId: 'c2', error: { code: 'captcha_wrong' } }],
  ['reset/mfa/start', 'throttled', { way: 'wait', captchaId: 'c2', error: { ...wait, limit: 'mails' } }],
  ['reset/mfa/factor', 'one device', { devices: [] }],
  ['reset/mfa/factor', 'two devices', { devices: lostOrNot }],
  ['reset/mfa/factor', 'wrong', { devices: lostOrNot, lost: 'd1', error: { code: 'otp_invalid', field: 'otp' } }],
  [
    'reset/mfa/factor',
    'wrong recovery code',
    { devices: lostOrNot, error: { code: 'otp_invalid', field: 'recovery_code' } },
  ],
  ['reset/mfa/factor', 'three devices', { devices: [...lostOrNot, { id: 'd3', name: 'Laptop' }], lost: 'others' }],
  ['reset/mfa/factor', 'none chosen', { devices: lostOrNot, error: missing('lost') }],
  [
    'reset/mfa/factor',
    'of the lost one',
    { devices: lostOrNot, lost: 'd1', error: { ...missing('lost'), isInHand: true } },
  ],
  [
    'reset/mfa/factor',
    'wrong again',
    { devices: lostOrNot, lost: 'd1', error: { code: 'otp_invalid', field: 'otp', again: true } },
  ],
  ['reset/mfa/factor', 'recovery code incomplete', { devices: lostOrNot, error: missing('recovery_code') }],
  ['reset/mfa/factor', 'clock slow', { devices: lostOrNot, error: { code: 'clock_drift', driftMinutes: -7 } }],
  ['reset/mfa/factor', 'whole hours', { devices: lostOrNot, error: { code: 'clock_drift', driftMinutes: 61 } }],
  ['reset/mfa/factor', 'throttled', { devices: [], error: wait }],
  ['reset/mfa/code', 'plain', { hasMailbox: true, emailHint: 's•••••@c•••••' }],
  ['reset/mfa/code', 'without hint, resent', { hasMailbox: true, resent: true }],
  ['reset/mfa/code', 'wrong', { hasMailbox: true, error: { code: 'code_invalid' } }],
  ['reset/mfa/code', 'no mailbox', { hasMailbox: false }],
  ['reset/mfa/waiting', 'plain', { dueAt: TOMORROW }],
  ['reset/mfa/waiting', 'from a service', { dueAt: TOMORROW, back }],
  ['reset/mfa/done', 'all', { outcome: 'all' }],
  ['reset/mfa/done', 'some, from a service', { outcome: 'some', back, loginHref: back.href }],
  ['reset/mfa/done', 'nothing', { outcome: 'nothing' }],
  ['reset/mfa/stop', 'plain', { token, dueAt: TOMORROW }],
  ['reset/mfa/stop', 'over', { token }],
  ['reset/mfa/stopped', 'plain', {}],

  ['sign-out/confirm', 'plain', { action: '/oidc/logout/confirm', xsrf: 'x1' }],
  [
    'sign-out/confirm',
    'by a service',
    { action: '/oidc/logout/confirm', xsrf: 'x1', service, stayHref: '/demo/myasn' },
  ],
  ['sign-out/done', 'everywhere', { everywhere: true }],
  ['sign-out/done', 'plain', {}],
  ['sign-out/done', 'from a service', { back }],
  ['help', 'plain', {}],

  ...(
    [
      ['csrf_mismatch', 403],
      ['forbidden', 403],
      ['invalid_input', 400],
      ['unknown_host', 421],
      ['no_access', 403],
      ['flow_expired', 410],
      ['not_found', 404],
    ] as const
  ).map(([code, status]): Sample => ['error', code, { status, error: { code } }, { path: `/sign-in/${uid}/password` }]),
  ['error', 'bug', { status: 500, error: { code: 'unavailable' } }],
  ['error', 'throttled', { status: 429, error: wait }],
  [
    'error',
    'for developers',
    {
      status: 400,
      error: { code: 'invalid_input' },
      oauth: {
        error: 'invalid_redirect_uri',
        description: "redirect_uri did not match any of the client's registered",
      },
    },
  ],
  ['not-found', 'plain', {}],
  ['expired', 'waited', { cause: 'waited', kept: 'nothing' }],
  ['expired', 'a reset of MFA', { cause: 'waited', kept: 'mfa_reset', restartHref: '/reset/mfa' }],
  ['expired', 'waited, MFA on', { cause: 'waited', kept: 'mfa_active', back }],
  ['expired', 'five wrong codes', { cause: 'too_many_codes', kept: 'password_unchanged', restartHref: '/reset', back }],
  ['expired', 'finished', { cause: 'finished', kept: 'password_changed' }],
  ...HOME_STATES.map(([state, data]): Sample => ['helpdesk/home', state, data, OFFICER]),
  [
    'helpdesk/home',
    'of a national officer',
    { alarms: [] },
    { ...OFFICER, officer: { name: 'Nama Petugas', tabs: [] } },
  ],
  ['helpdesk/not-found', 'plain', {}, OFFICER],
  ...[...PERSON_STATES, ...OFFER_STATES].map(([state, data]): Sample => ['helpdesk/person', state, data, OFFICER]),
  ...ACT_STATES.map(([state, data]): Sample => ['helpdesk/act', state, data, OFFICER]),
  ['helpdesk/slip', 'plain', SLIP, OFFICER],
  ['helpdesk/mfa-reset', 'plain', HOW_TO_RESET, OFFICER],
  ...PRESENCE_STATES.map(([state, data]): Sample => ['helpdesk/mfa-reset/presence', state, data, OFFICER]),
  ['helpdesk/mfa-reset/counter', 'plain', COUNTER, OFFICER],
  ...APPROVALS_STATES.map(([state, data]): Sample => ['helpdesk/approvals', state, data, OFFICER]),
  ...OFFICERS_STATES.map(([state, data]): Sample => ['helpdesk/officers', state, data, OFFICER]),
  ...APPOINT_STATES.map(([state, data]): Sample => ['helpdesk/officers/appoint', state, data, OFFICER]),
  ...REMOVE_STATES.map(([state, data]): Sample => ['helpdesk/officers/remove', state, data, OFFICER]),
  ...APPROVAL_STATES.map(([state, data]): Sample => ['helpdesk/approval', state, data, OFFICER]),
  ['helpdesk/no-role', 'plain', {}, { path: '/helpdesk' }],
  ['helpdesk/no-role', 'on an origin of its own', {}, { path: '/helpdesk', portalOrigin: 'https://sso.asn.example' }],
  ['sign-out/done', 'on the console', { loginHref: '/helpdesk' }],
  ['no-access', 'plain', { service: 'SIASN' }],
  ['no-access', 'with a way back', { service: 'SIASN', back }],
  ['busy', 'plain', { error: { code: 'busy', retryAfterSeconds: 20 } }],
  ['busy', 'unavailable', { error: { code: 'unavailable', retryAfterSeconds: 12 }, retryHref: '/login' }],

  ['dev/mail', 'plain', { mails: [mail, { ...mail, id: '018f3c1e-7b1a-7d2e-9a55-0123456789ac' }] }],
  ['dev/mail', 'empty', { mails: [] }],
  ['dev/mail/message', 'plain', { mail }],
  ['dev/components', 'plain', {}],
  ['demo/home', 'plain', { app, others }],
  [
    'demo/signed-in',
    'plain',
    {
      app,
      others,
      claims: [
        { name: 'sub', value: '0d9f6c1e-0c7e-4f53-9a39-5f0f5c2f6a11' },
        { name: 'name', value: 'Sari Contoh' },
        { name: 'preferred_username', value: '199001012023211001' },
        { name: 'acr', value: 'urn:asn:aal2' },
        { name: 'amr', value: '["pwd","otp","mfa"]' },
        { name: 'agency', value: '{"code":"7301","name":"Kabupaten Contoh"}' },
      ],
    },
  ],
  ['demo/signed-out', 'plain', { app, others }],
  ['demo/signed-out', 'told', { app, others, told: true }],
];
