import { ACT_ACTIONS } from '#src/helpdesk/acts/act.js';
import type { ActivityLine, HeldLine, HeldSection } from '#src/web/pages.js';
import { STORIES } from '../account/audit-samples.js';

const NOW = new Date('2026-11-23T00:31:00Z');
const earlier = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);

/** A line as long as they get, from a browser that tells what it is. */
export const activityLine = (minutes: number, line: Partial<ActivityLine> = {}): ActivityLine => ({
  event: 'signed_in_service',
  values: { service: 'MyASN' },
  at: earlier(minutes),
  firstAt: earlier(minutes),
  count: 1,
  browser: 'Chrome',
  system: 'Android',
  ...line,
});

const OFFICER = { name: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' };

/** A page as in the design: a login, a clock that is slow, an officer, somebody who guesses. */
export const ACTIVITY: readonly ActivityLine[] = [
  activityLine(0),
  activityLine(3, { event: 'code_clock_slow', values: { minutes: 7 }, refused: true }),
  activityLine(4170, { event: 'mfa_reset', officer: OFFICER, reason: 'ponsel hilang', browser: '', system: '' }),
  activityLine(4191, {
    event: 'password_wrong',
    refused: true,
    count: 3,
    firstAt: earlier(4195),
    browser: 'Firefox',
    system: 'Windows',
  }),
  activityLine(4300, { browser: '' }),
  activityLine(4310, {
    event: 'viewed_by_officer',
    officer: 'national',
    count: 12,
    firstAt: earlier(4340),
    browser: '',
  }),
];

/** Everything that is ever told, a page at a time. */
export const ALL_ACTIVITY: readonly (readonly ActivityLine[])[] = Array.from(
  { length: Math.ceil(STORIES.length / 25) },
  (_, page) =>
    STORIES.slice(page * 25, (page + 1) * 25).map((story, index) =>
      activityLine(index * 1440, { ...story, count: 12, firstAt: earlier(index * 1440 + 59) }),
    ),
);

const text = (label: string, value: string): HeldLine => ({ label, text: value });
const word = (label: string, value: string): HeldLine => ({ label, word: value });
const at = (label: string): HeldLine => ({ label, at: NOW });

const row = {
  account: [
    text('name', 'Sari Contoh Kusumawardhani'),
    text('nip', '199001012023211001'),
    text('account_name', 'sari.contoh'),
    text('email', 'sari.contoh@contoh.example'),
    word('employment', 'PPPK_PARUH_WAKTU'),
    word('status', 'active'),
    ...['activated_at', 'last_login_at', 'created_at', 'frozen_at'].map(at),
    text('agency', 'Kabupaten Contoh'),
  ],
  previous_nips: [text('nip', '199001012023211001'), at('recorded_at')],
  password: [at('changed_at'), text('failures', '0'), at('disabled_at')],
  devices: [text('name', 'Ponsel kerja'), word('kind', 'totp'), at('activated_at'), at('closed_at'), at('ended_at')],
  recovery_codes: [at('created_at'), at('ended_at'), text('codes_made', '10'), text('codes_left', '8')],
  developing: [text('client_id', 'Absensi Digital'), at('named_at')],
  roles: [word('role', 'helpdesk'), at('granted_at'), at('revoked_at'), text('agency', 'Kabupaten Contoh')],
  sessions: [
    text('user_agent', 'Chrome, Android'),
    text('address', '198.51.100.7'),
    at('started_at'),
    at('last_seen_at'),
  ],
  page_sessions: ['created_at', 'authenticated_at', 'expires_at'].map(at),
  services: [text('client_id', 'MyASN'), at('expires_at')],
  password_resets: [at('created_at'), word('state', 'done'), at('done_at')],
  waiting_resets: ['began_at', 'due_at', 'ended_at'].map(at),
  officer_acts: [
    at('created_at'),
    word('action', 'mfa_reset'),
    text('reason', 'Ponsel hilang di jalan'),
    text('officer', 'Nama Petugas'),
    text('officer_agency', 'BKPSDM Kabupaten Contoh'),
  ],
  address_changes: [],
  helpdesk_cases: [],
  audit_trail: [],
} satisfies Record<string, readonly HeldLine[]>;

/** Of somebody who has as much as the page ever shows. */
export const HELD: readonly HeldSection[] = Object.entries(row).map(([name, line]) => {
  const isOne = name === 'account' || name === 'password';
  return { name, rows: isOne ? [line] : [line, line, line], hasMore: !isOne };
});

/** Every word for a code, which no one person has. */
export const WORDS_HELD: readonly HeldSection[] = [
  {
    name: 'roles',
    rows: [
      ...[
        'PNS',
        'CPNS',
        'PPPK',
        'inactive',
        'passkey',
        'agency_admin',
        'operator',
        'auditor',
        'named',
        'mailed',
        'failed',
        ...ACT_ACTIONS,
      ],
    ].map((code) => [word('role', code)]),
    hasMore: false,
  },
];

/** Of somebody who never did anything. */
export const HARDLY_HELD: readonly HeldSection[] = HELD.map(({ name, rows }) => ({
  name,
  rows: name === 'account' ? rows.slice(0, 1) : [],
  hasMore: false,
}));
