import type { AuditDetails, AuditType } from '../../audit/events.js';
import type { TrailRow } from '../trail/search-store.js';

/** How the owner of the account is told the same, where that does for officers too. */
export type TellOwner = (event: { type: string; detail: TrailRow['detail'] }, row: TrailRow) => Told | undefined;

interface Told {
  readonly event: string;
  readonly refused?: true;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** An event in words yet to be written. */
export interface TrailStory extends Told {
  /** Whether `event` is a key of the owner's texts or of the trail's own. */
  readonly words: 'owner' | 'trail';
  /** For `{what}`: the key of an officer's act, or of an alarm. */
  readonly what?: { readonly texts: 'ask' | 'alarm'; readonly name: string };
}

type Own = Omit<TrailStory, 'words'>;
type Wording<Type extends AuditType> = (detail: AuditDetails[Type]) => Own;

const happened = (event: string) => (): Own => ({ event });
const refused = (event: string) => (): Own => ({ event, refused: true });
/** The owner's text; what that does not tell is named by its kind. */
const AS_OWNER = 'as the owner is told';

const counted = (value: unknown): number => (typeof value === 'number' ? value : 0);
const written = (value: unknown): string => (typeof value === 'string' ? value : '');

const ACTS: readonly string[] = [
  'sessions_end',
  'mfa_reset',
  'unlock',
  'freeze',
  'unfreeze',
  'disable',
  'enable',
  'contact_change',
  'activation_slip',
  'role_grant',
  'role_revoke',
];
const ALARMS: readonly string[] = ['burst', 'off_hours', 'pattern', 'quota'];

/** An act by its name; other things that officers ask for have none. */
const act =
  (event: string, more: Pick<Own, 'refused'> = {}) =>
  ({ action }: { readonly action: string }): Own =>
    ACTS.includes(action)
      ? { event, what: { texts: 'ask', name: action }, ...more }
      : { event: `${event}_other`, ...more };

/**
 * How each kind of event is told to those who read the trail. A kind that is missing here does not compile. The detail
 * may be of another version of the program: nothing in it is trusted to be there.
 */
const WORDS: { readonly [Type in AuditType]: Wording<Type> | typeof AS_OWNER } = {
  'sign_in.password_accepted': happened('password_accepted'),
  'sign_in.password_refused': AS_OWNER,
  'sign_in.password_disabled': AS_OWNER,
  'sign_in.throttled': AS_OWNER,
  'sign_in.otp_accepted': happened('otp_accepted'),
  'sign_in.otp_refused': AS_OWNER,
  'sign_in.recovery_code_accepted': AS_OWNER,
  'sign_in.recovery_code_refused': AS_OWNER,
  'sign_in.passkey_accepted': happened('passkey_accepted'),
  'sign_in.passkey_refused': AS_OWNER,
  'sign_in.mailbox_code_sent': happened('mailbox_code_sent'),
  'sign_in.mailbox_proved': happened('mailbox_proved'),
  'sign_in.mailbox_refused': AS_OWNER,
  'sign_in.completed': AS_OWNER,
  'device.enrolled': AS_OWNER,
  'device.refused': AS_OWNER,
  'device.ended': AS_OWNER,
  'device.closed': AS_OWNER,
  'device.renamed': AS_OWNER,
  'device.code_refused': AS_OWNER,
  'recovery_codes.issued': AS_OWNER,
  'recovery_codes.retired': AS_OWNER,
  'presence.shown': AS_OWNER,
  'presence.withdrawn': AS_OWNER,
  'presence.refused': AS_OWNER,
  'slip.issued': AS_OWNER,
  'slip.printed': AS_OWNER,
  'slip.voided': AS_OWNER,
  'slip.accepted': happened('slip_accepted'),
  'slip.refused': AS_OWNER,
  'reset.started': happened('reset_started'),
  'reset.email_refused': AS_OWNER,
  'reset.barred': AS_OWNER,
  'reset.code_sent': happened('reset_code_sent'),
  'reset.code_refused': AS_OWNER,
  'reset.otp_refused': AS_OWNER,
  'reset.recovery_code_accepted': AS_OWNER,
  'password.changed': AS_OWNER,
  'password.retired': AS_OWNER,
  'account.activated': happened('activated'),
  'account.imported_inactive': AS_OWNER,
  'account.imported_active': AS_OWNER,
  'account.moved': AS_OWNER,
  'account.started_over': AS_OWNER,
  'account.data_exported': AS_OWNER,
  'account.email_imported': AS_OWNER,
  'account.disavowed': AS_OWNER,
  'account.frozen': ({ by }) => ({ event: by === 'owner' ? 'frozen_by_owner' : 'frozen' }),
  'account.unfrozen': AS_OWNER,
  'contact_change.asked': AS_OWNER,
  'contact_change.code_sent': AS_OWNER,
  'contact_change.code_refused': AS_OWNER,
  'contact_change.stopped': AS_OWNER,
  'contact_change.done': AS_OWNER,
  'session.ended': AS_OWNER,
  'console.refused': AS_OWNER,
  'role.granted': AS_OWNER,
  'role.revoked': AS_OWNER,
  'mfa_reset.done': AS_OWNER,
  'desk.done': act('act_done'),
  'desk.asked': act('act_asked'),
  'desk.rejected': ({ action, by }) =>
    act(by === 'asker' ? 'act_withdrawn' : 'act_rejected', by === 'asker' ? {} : { refused: true })({ action }),
  'desk.refused': act('act_refused', { refused: true }),
  'agency.changed': ({ two_officers: two }) => ({ event: two ? 'two_officers' : 'one_officer' }),
  'alarm.raised': ({ kind }) =>
    ALARMS.includes(kind) ? { event: 'alarm', what: { texts: 'alarm', name: kind } } : { event: 'alarm_other' },
  'alarm.seen': happened('alarm_seen'),
  'desk.searched': ({ by }) => ({ event: by === 'nip' ? 'searched_nip' : 'searched_name' }),
  'desk.listed': ({ count }) => ({ event: 'listed', values: { count: counted(count) } }),
  'desk.viewed': happened('viewed'),
  'self_reset.started': happened('self_reset_started'),
  'self_reset.factor_refused': AS_OWNER,
  'self_reset.code_sent': happened('self_reset_code_sent'),
  'self_reset.code_refused': AS_OWNER,
  'self_reset.waiting': AS_OWNER,
  'self_reset.stopped': AS_OWNER,
  'self_reset.done': AS_OWNER,
  'audit.searched': happened('trail_read'),
  'audit.export_begun': happened('trail_taken'),
  'audit.exported': ({ rows, ended }) => ({
    event: ended === 'whole' ? 'trail_taken_whole' : 'trail_taken_part',
    values: { count: counted(rows) },
  }),
  'audit.pruned': ({ month }) => ({ event: 'trail_archived', values: { month: written(month) } }),
  'breach.reported': ({ people }) => ({ event: 'breach_reported', values: { count: counted(people) } }),
  'audit.refused': refused('trail_refused'),
  'device_login.approved': AS_OWNER,
  'device_login.refused': AS_OWNER,
  'grant.revoked': AS_OWNER,
  'refresh_token.reused': AS_OWNER,
  'token.exchanged': happened('token_exchanged'),
  'feed.applied': happened('feed_applied'),
  'feed.refused': refused('feed_refused'),
  'feed.failed': refused('feed_failed'),
  'client.added': happened('client_added'),
  'client.changed': happened('client_changed'),
  'client.removed': happened('client_removed'),
  'client.disabled': happened('client_disabled'),
  'client.enabled': happened('client_enabled'),
  'client.secret_rotated': happened('client_secret_rotated'),
  'client.developer_named': AS_OWNER,
  'client.developer_dismissed': AS_OWNER,
  'client.invited': happened('client_invited'),
  'client.invitation_ended': happened('client_invitation_ended'),
  'key.generated': happened('key_made'),
  'key.published': happened('key_published'),
  'key.revoked': happened('key_revoked'),
  'key.destroyed': happened('key_destroyed'),
  'key.resealed': ({ rows }) => ({ event: 'key_resealed', values: { count: counted(rows) } }),
};

/** Kinds of tomorrow, and causes of tomorrow: their name stands for them. */
const unknown = (type: string): TrailStory => ({ words: 'trail', event: 'other', values: { type } });

export function storyOf(row: TrailRow, tellOwner: TellOwner): TrailStory {
  const { type, detail } = row;
  if (!Object.hasOwn(WORDS, type)) return unknown(type);
  const wording = WORDS[type as AuditType];
  if (wording !== AS_OWNER) return { words: 'trail', ...wording(detail as never) };
  // A reset ends authenticators one by one: its owner is told once.
  if (type === 'device.ended' && ['helpdesk_reset', 'self_reset'].includes(String(detail.reason))) {
    return { words: 'trail', event: 'device_reset' };
  }
  const told = tellOwner({ type, detail }, row);
  return told === undefined ? unknown(type) : { words: 'owner', ...told };
}
