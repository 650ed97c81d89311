import { EMPLOYMENTS, STATUSES } from '../../accounts/account.js';
import { ACT_ACTIONS } from '../../accounts/act-action.js';
import { ROLES } from '../../accounts/role.js';

const RESET_STATES = ['named', 'mailed', 'done', 'failed'];

/**
 * How the readable page shows a column: `word` is a code with a word for people, `service` a client's id, `agent` what
 * a browser called itself; `file` stands in the file only.
 */
export type Showing = 'text' | 'word' | 'time' | 'service' | 'agent' | 'file';

type OrderColumn = readonly [column: string, type: string];

/** What one table holds about a person, and how much of it they are given. */
export interface Holding {
  readonly table: string;
  /** The column that says whose a row is. */
  readonly owner: string;
  /** Columns as they stand, by how they are shown. */
  readonly told: Readonly<Record<string, Showing>>;
  /** What other tables add: an expression of SQL over `t`. */
  readonly added?: Readonly<Record<string, { readonly sql: string; readonly shown: Showing }>>;
  /** Columns that the person is not given, and why. Every column is told or named here. */
  readonly withheld: Readonly<Record<string, string>>;
  /** Newest first: the columns that tell rows apart, with their types. */
  readonly order: readonly [OrderColumn, ...OrderColumn[]];
}

/** Codes that have words for people; another one is shown as it is. */
const WORDS = new Set<unknown>([
  ...EMPLOYMENTS,
  ...STATUSES,
  ...ROLES,
  'totp',
  'passkey',
  ...RESET_STATES,
  ...ACT_ACTIONS,
]);

export const hasWord = (code: unknown): boolean => WORDS.has(code);

const agencyName = (code: string) => ({
  sql: `(SELECT name FROM agencies WHERE code = ${code})`,
  shown: 'text' as const,
});
const nameOf = (id: string, shown: Showing) => ({ sql: `(SELECT name FROM accounts WHERE id = ${id})`, shown });
const passkeyColumn = (column: string) => ({
  sql: `(SELECT ${column} FROM passkeys WHERE device_id = t.id)`,
  shown: 'file' as const,
});
const SOMEBODY = 'the id of somebody else; told by name';
const SECRET = 'a secret, or proof of one';
const PROTOCOL = 'the machinery of a login: names nothing about the person that is not told here';

/**
 * Everything that is held about a person, by its name in the file, in the order of the page (UU PDP, R-45). A table or
 * a column that is added to the schema must be added here or to {@link LEFT_OUT}: a test compares them.
 */
export const HOLDINGS: Readonly<Record<string, Holding>> = {
  account: {
    table: 'accounts',
    owner: 'id',
    told: {
      name: 'text',
      nip: 'text',
      account_name: 'text',
      email: 'text',
      employment: 'word',
      status: 'word',
      activated_at: 'time',
      last_login_at: 'time',
      created_at: 'time',
      frozen_at: 'time',
      disabled_at: 'time',
      agency_code: 'file',
      person_id: 'file',
      cred_epoch: 'file',
      email_chosen: 'file',
      email_imported: 'file',
      email_unproved: 'file',
      from_feed: 'file',
      vouched_within: 'file',
      status_imported: 'file',
      updated_at: 'file',
    },
    added: { agency: agencyName('t.agency_code') },
    withheld: {},
    order: [['id', 'uuid']],
  },
  previous_nips: {
    table: 'nip_history',
    owner: 'account_id',
    told: { nip: 'text', recorded_at: 'time' },
    withheld: {},
    order: [
      ['recorded_at', 'timestamptz'],
      ['nip', 'text'],
    ],
  },
  password: {
    table: 'credentials',
    owner: 'account_id',
    told: { changed_at: 'time', failures: 'text', disabled_at: 'time' },
    withheld: { password_hash: SECRET },
    order: [['account_id', 'uuid']],
  },
  devices: {
    table: 'devices',
    owner: 'account_id',
    told: {
      name: 'text',
      kind: 'word',
      activated_at: 'time',
      closed_at: 'time',
      ended_at: 'time',
      id: 'file',
      status: 'file',
      created_at: 'file',
      last_used_at: 'file',
      ended_reason: 'file',
      drift_steps: 'file',
      drift_seen_at: 'file',
    },
    withheld: {
      secret: SECRET,
      last_step: 'which codes were spent: what they say of the person, last_used_at does',
      burned_steps: 'which codes were spent',
      drift_step: 'which codes were spent',
      answered_digest: 'a digest of the last code typed',
      answered_at: 'when that was: a double tap gets the same answer',
      answer: 'what that was answered',
      attempt_uid: PROTOCOL,
      session_uid: SECRET,
      replaces: 'the device that this one takes the place of, while it is pending',
    },
    added: {
      passkey_uses_counted: passkeyColumn('counter'),
      passkey_transports: passkeyColumn('transports'),
      passkey_may_be_copied: passkeyColumn('backup_eligible'),
      passkey_was_copied: passkeyColumn('backed_up'),
    },
    order: [
      ['created_at', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  recovery_codes: {
    table: 'recovery_code_sets',
    owner: 'account_id',
    told: { created_at: 'time', ended_at: 'time', id: 'file' },
    added: {
      codes_made: { sql: '(SELECT count(*)::integer FROM recovery_codes WHERE set_id = t.id)', shown: 'text' },
      codes_left: {
        sql: '(SELECT count(*)::integer FROM recovery_codes WHERE set_id = t.id AND spent_at IS NULL)',
        shown: 'text',
      },
      codes_spent_at: {
        sql: '(SELECT array_agg(spent_at ORDER BY spent_at) FROM recovery_codes WHERE set_id = t.id AND spent_at IS NOT NULL)',
        shown: 'file',
      },
    },
    withheld: { salt: SECRET, pepper_kid: SECRET },
    order: [
      ['created_at', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  roles: {
    table: 'role_grants',
    owner: 'account_id',
    told: { role: 'word', granted_at: 'time', revoked_at: 'time', id: 'file', agency_code: 'file' },
    added: {
      agency: agencyName('t.agency_code'),
      granted_by_name: nameOf('t.granted_by', 'file'),
      revoked_by_name: nameOf('t.revoked_by', 'file'),
    },
    withheld: { granted_by: SOMEBODY, revoked_by: SOMEBODY },
    order: [
      ['granted_at', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  developing: {
    table: 'client_developers',
    owner: 'account_id',
    told: { client_id: 'service', named_at: 'time' },
    withheld: {},
    order: [
      ['named_at', 'timestamptz'],
      ['client_id', 'text'],
    ],
  },
  sessions: {
    table: 'sso_sessions',
    owner: 'account_id',
    told: {
      user_agent: 'agent',
      address: 'text',
      started_at: 'time',
      last_seen_at: 'time',
      expires_at: 'file',
      cred_epoch: 'file',
    },
    added: {
      services: {
        sql: '(SELECT array_agg(client ORDER BY client) FROM jsonb_object_keys(t.authorizations) AS client)',
        shown: 'file',
      },
    },
    withheld: {
      uid: SECRET,
      id: SECRET,
      payload: PROTOCOL,
      authorizations: `${PROTOCOL}: its clients are the services`,
    },
    order: [
      ['started_at', 'timestamptz'],
      ['uid', 'text'],
    ],
  },
  page_sessions: {
    table: 'page_sessions',
    owner: 'account_id',
    told: { created_at: 'time', authenticated_at: 'time', expires_at: 'time', acr: 'file', pages: 'file' },
    withheld: { id: SECRET, session_uid: SECRET },
    order: [
      ['created_at', 'timestamptz'],
      ['id', 'bytea'],
    ],
  },
  services: {
    table: 'oidc_grants',
    owner: 'account_id',
    told: { client_id: 'service', expires_at: 'time', cred_epoch: 'file' },
    added: { scope: { sql: `(t.payload->'openid'->>'scope')`, shown: 'file' } },
    withheld: { id: SECRET, session_uid: SECRET, payload: `${PROTOCOL}, but for the scope` },
    order: [
      ['expires_at', 'timestamptz'],
      ['id', 'bytea'],
    ],
  },
  password_resets: {
    table: 'password_resets',
    owner: 'account_id',
    told: {
      created_at: 'time',
      state: 'word',
      done_at: 'time',
      email_tries: 'file',
      mailed_at: 'file',
      expires_at: 'file',
    },
    withheld: {
      id: SECRET,
      browser: 'a keyed digest',
      name_key: 'a keyed digest',
      mail_key: 'a keyed digest',
      address_key: 'a keyed digest',
      attempt_uid: PROTOCOL,
    },
    order: [
      ['created_at', 'timestamptz'],
      ['id', 'bytea'],
    ],
  },
  waiting_resets: {
    table: 'waiting_resets',
    owner: 'account_id',
    told: {
      began_at: 'time',
      due_at: 'time',
      ended_at: 'time',
      id: 'file',
      state: 'file',
      half_told_at: 'file',
      lapses_at: 'file',
      cred_epoch: 'file',
    },
    withheld: { email_key: 'a keyed digest', stop_token: SECRET, stopped_by: 'a code; the audit trail tells it' },
    order: [
      ['began_at', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  officer_acts: {
    table: 'officer_acts',
    owner: 'account_id',
    told: {
      created_at: 'time',
      action: 'word',
      reason: 'text',
      id: 'file',
      state: 'file',
      client_id: 'file',
      agency_code: 'file',
      ticket: 'file',
      verification: 'file',
      expires_at: 'file',
      decided_at: 'file',
    },
    added: {
      officer: nameOf('t.officer_id', 'text'),
      officer_agency: agencyName('(SELECT agency_code FROM accounts WHERE id = t.officer_id)'),
      second_officer: nameOf('t.decided_by', 'file'),
    },
    withheld: {
      officer_id: SOMEBODY,
      decided_by: SOMEBODY,
      particulars: 'sealed until two officers have agreed; what came of it is told by what it changed',
    },
    order: [
      ['created_at', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  address_changes: {
    table: 'contact_changes',
    owner: 'account_id',
    told: {
      id: 'file',
      state: 'file',
      reason: 'file',
      requested_at: 'file',
      opens_at: 'file',
      mailed_at: 'file',
      expires_at: 'file',
      ended_at: 'file',
    },
    withheld: {
      address: 'sealed until it proves itself; then it is the address of the account',
      token: SECRET,
      source_key: 'a keyed digest',
    },
    order: [
      ['requested_at', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  helpdesk_cases: {
    table: 'helpdesk_cases',
    owner: 'account_id',
    told: {
      id: 'file',
      cause: 'file',
      events: 'file',
      reason: 'file',
      since: 'file',
      closed_at: 'file',
      closed_reason: 'file',
    },
    withheld: {},
    order: [
      ['since', 'timestamptz'],
      ['id', 'uuid'],
    ],
  },
  audit_trail: {
    table: 'audit_events',
    owner: 'account_id',
    told: {
      at: 'file',
      type: 'file',
      detail: 'file',
      client_id: 'file',
      agency_code: 'file',
      request_id: 'file',
      id: 'file',
    },
    added: { actor: nameOf('nullif(t.actor_id, t.account_id)', 'file') },
    // What the person did to others stands in the trail of those: it is theirs to see.
    withheld: { actor_id: SOMEBODY },
    order: [
      ['at', 'timestamptz'],
      ['id', 'bigint'],
    ],
  },
};

/** Why a table is not in the file, as the person is told: `account.data.leftOut.<kind>`. */
export type LeftOutKind = 'nobody' | 'secret' | 'underway' | 'letters' | 'counted';

interface LeftOut {
  readonly kind: LeftOutKind;
  /** More closely. */
  readonly why: string;
}

const MINUTES: LeftOut = { kind: 'underway', why: 'a form under way: gone within the hour' };
const NOBODY: LeftOut = { kind: 'nobody', why: 'names no person' };
const COUNTED: LeftOut = { kind: 'counted', why: 'counted by keyed digest: no row says whose it is' };
const secret = (why: string): LeftOut => ({ kind: 'secret', why });
const letter = (why: string): LeftOut => ({ kind: 'letters', why });

/** Tables that are not in the file, and why. */
export const LEFT_OUT: Readonly<Record<string, LeftOut>> = {
  account_name_words: secret('the name once more, word by word, for officers to find it; it is told with the account'),
  agencies: { kind: 'nobody', why: 'the name of the person’s own agency is told with the account' },
  passkeys: secret('public keys and credential ids, of no use elsewhere; what they say of a device is told with it'),
  passkey_challenges: { kind: 'underway', why: 'random numbers of logins under way; gone within minutes' },
  recovery_codes: secret('digests; how many there are, and when they were spent, is told with their set'),
  oidc_tokens: secret('codes and tokens; each hangs on a service that is told'),
  sign_in_attempts: MINUTES,
  device_codes: { kind: 'underway', why: 'a device that waits to be let in: gone within the hour' },
  mailed_codes: MINUTES,
  presence_codes: MINUTES,
  activation_slips: { kind: 'underway', why: 'good for 30 days; what came of it stands in the audit trail' },
  self_resets: { kind: 'underway', why: 'gone within days; what came of it stands in the audit trail' },
  enrolment_tickets: MINUTES,
  last_mails: letter('when the last of them left: neither what it said nor where it went'),
  outbox: letter('sealed letters on their way; gone when they are sent'),
  account_notices: letter('sealed notices on their way; gone soon after they were sent'),
  unsaved_recovery_codes: secret('sealed codes that were just shown; gone within the hour'),
  disavowals: secret('of links in mails that the person has'),
  failure_counters: COUNTED,
  quotas: COUNTED,
  idempotency_keys: { kind: 'counted', why: 'keyed digests of what officers asked for; gone within a day' },
  officer_alarms: { kind: 'counted', why: 'ids of officers and of their acts, for those who watch officers' },
  audit_seals: NOBODY,
  audit_unsealed: NOBODY,
  audit_checkpoints: NOBODY,
  audit_prunings: NOBODY,
  live_revisions: NOBODY,
  clients: NOBODY,
  client_secrets: NOBODY,
  client_errors: NOBODY,
  client_invitations: NOBODY,
  oidc_replays: NOBODY,
  feed_runs: NOBODY,
  feed_run_counts: NOBODY,
  signing_keys: NOBODY,
  digest_keys: NOBODY,
  schema_migrations: NOBODY,
};
