import type { AuditDetails, AuditType } from '../../audit/events.js';

/** One thing that happened, in words yet to be written: `event` is a key below `account.activity.event`. */
export interface Story {
  readonly event: string;
  /** Somebody tried and was not let. */
  readonly refused?: true;
  /** Several of one officer in a row say no more than one does, and how often. */
  readonly repeats?: true;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** What an event names by its id only, looked up. */
export interface Named {
  /** The service it was about. */
  readonly service: string | undefined;
  /** The authenticator. Without a name where it had another one at the time: history is told as it was, or not. */
  readonly device: NamedDevice | undefined;
  /** Whether somebody else did it who is known by name. */
  readonly hasActor: boolean;
}

export interface NamedDevice {
  readonly kind: 'totp' | 'passkey';
  readonly name: string | undefined;
}

type Tell<Type extends AuditType> = (detail: AuditDetails[Type], named: Named) => Story | undefined;

/** Not for people: why. */
interface Untold {
  readonly untold: string;
}

const untold = (reason: string): Untold => ({ untold: reason });
const happened = (event: string) => (): Story => ({ event });
const refused = (event: string) => (): Story => ({ event, refused: true });

/** The event for a code; none for one that this version of the program does not know: then it is not shown. */
const by =
  <Code extends string>(events: Readonly<Record<Code, string>>) =>
  (code: Code): string | undefined =>
    Object.hasOwn(events, code) ? events[code] : undefined;

const refusedBy = <Code extends string>(events: Readonly<Record<Code, string>>) => {
  const find = by(events);
  return ({ cause }: { readonly cause: Code }): Story | undefined => {
    const event = find(cause);
    return event === undefined ? undefined : { event, refused: true };
  };
};

const aboutService =
  (event: string, more: Pick<Story, 'refused'> = {}) =>
  (_: object, { service }: Named): Story =>
    service === undefined ? { event, ...more } : { event: `${event}_service`, values: { service }, ...more };

/** What became of an authenticator; a passkey is called one. */
function aboutDevice(event: `device_${string}`, device: NamedDevice | undefined): Story {
  const told = device?.kind === 'passkey' ? event.replace(/^device_(?!moved)/, 'passkey_') : event;
  const { name } = device ?? {};
  return name === undefined ? { event: told } : { event: `${told}_named`, values: { device: name } };
}

const CODE_CAUSES = {
  mismatch: 'code_wrong',
  reused: 'code_reused',
  drift: 'code_clock',
  throttled: 'code_throttled',
};
const wrongCode = refusedBy(CODE_CAUSES);

/** How far a phone's clock was off, where two codes have told it. */
function refusedCode(detail: AuditDetails['sign_in.otp_refused' | 'device.code_refused']): Story | undefined {
  const { cause, drift_minutes: minutes } = detail;
  if (cause !== 'drift' || typeof minutes !== 'number' || minutes === 0) return wrongCode(detail);
  const event = minutes < 0 ? 'code_clock_slow' : 'code_clock_fast';
  return { event, refused: true, values: { minutes: Math.abs(minutes) } };
}

/** A reset is told as the reset that it was. */
const DEVICE_ENDS = { removed: 'device_removed', moved: 'device_moved', too_many_codes: 'device_disabled' } as const;
const passwordChange = by<AuditDetails['password.changed']['by']>({
  reset: 'password_reset',
  activation: 'password_first',
  weak: 'password_weak',
  sign_in: 'password_weak',
  person: 'password_changed',
});
const ownReset = by<AuditDetails['self_reset.done']['by']>({
  recovery_code: 'self_reset_recovery',
  device: 'self_reset_device',
  waited: 'self_reset_waited',
});
const ownResetStop = by<AuditDetails['self_reset.stopped']['by']>({
  link: 'self_reset_stopped',
  person: 'self_reset_stopped',
  login: 'self_reset_stopped_login',
});
const sessionEnd = by<AuditDetails['session.ended']['by']>({ person: 'signed_out', client: 'signed_out_by' });
const frozen = by<AuditDetails['account.frozen']['by']>({
  owner: 'frozen_by_you',
  operator: 'frozen_by_operator',
  officer: 'frozen_by_officer',
});
/** What of an officer's acts has no event of its own. */
const deskAct = by({
  unlock: 'unlocked_by_officer',
  sessions_end: 'sessions_ended_by_officer',
  disable: 'disabled_by_officer',
  enable: 'enabled_by_officer',
});
const contactAsked = by<AuditDetails['contact_change.asked']['by']>({
  person: 'contact_asked',
  operator: 'contact_asked_operator',
  officer: 'contact_asked_operator',
});
const ROLES = ['helpdesk', 'agency_admin', 'operator', 'auditor'];
const aboutRole =
  (event: string) =>
  ({ role }: { readonly role: string }): Story | undefined =>
    ROLES.includes(role) ? { event: `${event}_${role}` } : undefined;

const deviceLoginRefusal = by<AuditDetails['device_login.refused']['cause']>({
  person: 'device_login_refused',
  no_access: 'device_login_no_access',
  unmet: 'device_login_no_access',
});
function deviceLoginRefused({ cause }: AuditDetails['device_login.refused'], named: Named): Story | undefined {
  const event = deviceLoginRefusal(cause);
  return event === undefined ? undefined : aboutService(event, { refused: true })({}, named);
}

/**
 * How each kind of security event is told to the person whose account it is, or why it is not. A kind that is missing
 * here does not compile. Captchas are not here: a wrong one says nothing of the account.
 */
export const TELLINGS: { readonly [Type in AuditType]: Tell<Type> | Untold } = {
  'sign_in.password_accepted': untold('half a login: what came of it is told'),
  'sign_in.password_refused': refusedBy({
    unknown: 'password_wrong',
    mismatch: 'password_wrong',
    inactive: 'refused_inactive',
    frozen: 'refused_frozen',
    disabled: 'refused_disabled',
  }),
  'sign_in.password_disabled': refused('password_disabled'),
  'sign_in.throttled': refused('throttled'),
  'sign_in.otp_accepted': untold('half a login: what came of it is told'),
  'sign_in.otp_refused': refusedCode,
  'sign_in.recovery_code_accepted': ({ left }) => ({ event: 'recovery_code_used', values: { left } }),
  'sign_in.recovery_code_refused': refused('recovery_code_wrong'),
  'sign_in.passkey_accepted': untold('half a login, or all of it: what came of it is told'),
  'sign_in.passkey_refused': refusedBy({
    challenge: 'passkey_late',
    unknown: 'passkey_unknown',
    person: 'passkey_other',
    invalid: 'passkey_invalid',
    copied: 'passkey_copied',
    barred: 'passkey_barred',
  }),
  'sign_in.mailbox_code_sent': happened('mailbox_code_sent'),
  'sign_in.mailbox_proved': untold('a step of setting up an authenticator, which is told'),
  'sign_in.mailbox_refused': refusedBy({ wrong: 'mailbox_code_wrong', exhausted: 'mailbox_code_exhausted' }),
  'sign_in.completed': aboutService('signed_in'),
  'device.enrolled': (_, { device }) => aboutDevice('device_added', device),
  'device.refused': refusedBy({
    challenge: 'new_passkey_late',
    invalid: 'new_passkey_invalid',
    too_many: 'new_passkey_too_many',
    none_left: 'new_passkey_barred',
  }),
  'device.ended': ({ reason }, { device }) =>
    Object.hasOwn(DEVICE_ENDS, reason)
      ? aboutDevice(DEVICE_ENDS[reason as keyof typeof DEVICE_ENDS], device)
      : undefined,
  'device.closed': (_, { device }) => aboutDevice('device_disabled', device),
  'device.renamed': (_, { device }) => aboutDevice('device_renamed', device),
  'device.code_refused': refusedCode,
  'recovery_codes.issued': ({ count }) => ({ event: 'recovery_codes_made', values: { count } }),
  'recovery_codes.retired': happened('recovery_codes_retired'),
  'presence.shown': happened('presence_shown'),
  'presence.withdrawn': happened('presence_withdrawn'),
  'presence.refused': refusedBy({ wrong: 'presence_wrong', throttled: 'presence_throttled' }),
  'slip.issued': happened('slip_issued'),
  'slip.printed': happened('slip_printed'),
  'slip.voided': happened('slip_voided'),
  'slip.accepted': untold('half an activation: the first password is told'),
  'slip.refused': refused('slip_refused'),
  'reset.started': untold('whoever knows a NIP may open this page; nothing has happened yet'),
  'reset.email_refused': refused('reset_email_wrong'),
  'reset.barred': refusedBy({ frozen: 'reset_frozen', inactive: 'reset_inactive' }),
  'reset.code_sent': happened('reset_code_sent'),
  'reset.code_refused': refusedBy({ wrong: 'reset_code_wrong', exhausted: 'reset_code_exhausted' }),
  'reset.otp_refused': refusedBy({
    mismatch: 'reset_otp_wrong',
    reused: 'reset_otp_reused',
    drift: 'reset_otp_clock',
    throttled: 'reset_otp_throttled',
    recovery_code: 'reset_recovery_wrong',
  }),
  'reset.recovery_code_accepted': ({ left }) => ({ event: 'recovery_code_used', values: { left } }),
  'password.changed': (detail) => {
    const event = passwordChange(detail.by);
    return event === undefined ? undefined : { event };
  },
  'password.retired': happened('password_retired'),
  'account.activated': untold('told as the first password'),
  'account.imported_inactive': happened('closed_by_personnel'),
  'account.imported_active': happened('opened_by_personnel'),
  'account.moved': happened('moved_by_personnel'),
  'account.started_over': happened('started_over'),
  'account.data_exported': happened('data_exported'),
  'account.email_imported': happened('email_imported'),
  'account.disavowed': happened('disavowed'),
  'account.frozen': (detail) => {
    const event = frozen(detail.by);
    return event === undefined ? undefined : { event };
  },
  'account.unfrozen': ({ password }) => ({
    event: password === 'disabled' ? 'unfrozen_password_disabled' : 'unfrozen',
  }),
  'contact_change.asked': (detail) => {
    const event = contactAsked(detail.by);
    return event === undefined ? undefined : { event };
  },
  'contact_change.code_sent': happened('contact_code_sent'),
  'contact_change.code_refused': refusedBy({ wrong: 'contact_code_wrong', exhausted: 'contact_code_exhausted' }),
  'contact_change.stopped': happened('contact_stopped'),
  'contact_change.done': happened('contact_done'),
  'session.ended': (detail, { service }) => {
    if (detail.elsewhere === true) return { event: detail.app === true ? 'app_ended' : 'session_ended_elsewhere' };
    const event = sessionEnd(detail.by);
    if (event !== 'signed_out_by') return event === undefined ? undefined : { event };
    return service === undefined ? { event: 'signed_out' } : { event, values: { service } };
  },
  'console.refused': refusedBy({ no_role: 'console_refused', resting: 'console_refused' }),
  'role.granted': aboutRole('role_granted'),
  'role.revoked': aboutRole('role_revoked'),
  'mfa_reset.done': (_, { hasActor }) => ({ event: hasActor ? 'mfa_reset' : 'mfa_reset_operator' }),
  'desk.done': ({ action }) => {
    const event = deskAct(action as Parameters<typeof deskAct>[0]);
    return event === undefined ? undefined : { event };
  },
  'desk.asked': happened('desk_asked'),
  'desk.rejected': refused('desk_rejected'),
  // Of other acts nothing has come; who watches officers sees it.
  // A wrong code of presence is told as that.
  'desk.refused': ({ action, cause }) =>
    action === 'mfa_reset' && cause !== 'presence' ? { event: 'mfa_reset_refused', refused: true } : undefined,
  'agency.changed': untold('of an agency, of no account'),
  'alarm.raised': untold('of the officer, for those who watch officers'),
  'alarm.seen': untold('of the officer, for those who watch officers'),
  'desk.searched': untold('about nobody yet; what was opened of it is told'),
  'desk.listed': untold('about nobody yet; what was opened of it is told'),
  'desk.viewed': () => ({ event: 'viewed_by_officer', repeats: true }),
  'self_reset.started': happened('self_reset_password'),
  'self_reset.factor_refused': refusedBy({
    mismatch: 'self_reset_wrong',
    reused: 'self_reset_reused',
    drift: 'self_reset_clock',
    throttled: 'self_reset_throttled',
    recovery_code: 'self_reset_recovery_wrong',
    in_hand: 'self_reset_in_hand',
  }),
  'self_reset.code_sent': happened('self_reset_code_sent'),
  'self_reset.code_refused': refusedBy({ wrong: 'self_reset_code_wrong', exhausted: 'self_reset_code_exhausted' }),
  'self_reset.waiting': happened('self_reset_waiting'),
  'self_reset.stopped': (detail) => {
    const event = ownResetStop(detail.by);
    return event === undefined ? undefined : { event };
  },
  'self_reset.done': (detail) => {
    const event = ownReset(detail.by);
    return event === undefined ? undefined : { event };
  },
  'audit.searched': happened('trail_read'),
  'audit.export_begun': happened('trail_exported'),
  'audit.exported': untold('how a file ended whose beginning is told'),
  'audit.pruned': untold('of the trail, of no account'),
  'breach.reported': untold('those who are concerned are told by a letter of their own'),
  'audit.refused': untold('somebody asked for the trail and saw nothing of it'),
  'device_login.approved': aboutService('device_login'),
  'device_login.refused': deviceLoginRefused,
  'grant.revoked': aboutService('access_closed', { refused: true }),
  'refresh_token.reused': aboutService('access_closed', { refused: true }),
  'token.exchanged': untold('a step of what the person does at a service, some at every click'),
  'feed.applied': untold('of a whole file; what it did to an account is told there'),
  'feed.refused': untold('of a whole file, of no account'),
  'feed.failed': untold('of a whole file, of no account'),
  'client.added': untold('of a service, of no account'),
  'client.changed': untold('of a service, of no account'),
  'client.removed': untold('of a service, of no account'),
  'client.disabled': untold('of a service, of no account'),
  'client.enabled': untold('of a service, of no account'),
  'client.secret_rotated': untold('of a service, of no account'),
  'client.developer_named': aboutService('developer_named'),
  'client.developer_dismissed': aboutService('developer_dismissed'),
  'client.invited': untold('of services to come, of no account'),
  'client.invitation_ended': untold('of services to come, of no account'),
  'key.generated': untold('of the service, of no account'),
  'key.published': untold('of the service, of no account'),
  'key.revoked': untold('of the service, of no account'),
  'key.destroyed': untold('of the service, of no account'),
  'key.resealed': untold('of the service, of no account'),
};

/** The kinds that are told at all. */
export const TOLD_TYPES = (Object.keys(TELLINGS) as AuditType[]).filter((type) => typeof TELLINGS[type] === 'function');

/** The story of an event as it stands in the trail; none for what this version of the program does not know. */
export function tell(event: { type: string; detail: Readonly<Record<string, unknown>> }, named: Named) {
  if (!Object.hasOwn(TELLINGS, event.type)) return undefined;
  const telling = TELLINGS[event.type as AuditType];
  return typeof telling === 'function' ? telling(event.detail as never, named) : undefined;
}
