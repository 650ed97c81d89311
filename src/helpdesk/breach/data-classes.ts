import type { AuditType } from '../../audit/events.js';

/**
 * What kinds of personal data there are, as a notice names them (UU PDP Ps. 46): who somebody is, how they are reached,
 * where they work, what lets them in (as digests and sealed keys), how they prove it, what they did and when, what they
 * may do for others.
 */
export const DATA_CLASSES = [
  'identity',
  'contact',
  'employment',
  'credential',
  'factors',
  'activity',
  'roles',
] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

/** What an officer has on the screen who acts for a person. */
const PERSON_PAGE = ['identity', 'contact', 'employment', 'factors', 'activity'] as const;

/**
 * Which data an event of each kind has touched: shown, changed, handed over or used. Rather one too many: the notice tells
 * people what may have been seen. A kind that is missing here does not compile.
 */
const TOUCHED: Readonly<Record<AuditType, readonly DataClass[]>> = {
  'sign_in.password_accepted': ['identity', 'credential', 'activity'],
  'sign_in.password_refused': ['activity'],
  'sign_in.password_disabled': ['credential', 'activity'],
  'sign_in.throttled': ['activity'],
  'sign_in.otp_accepted': ['factors', 'activity'],
  'sign_in.otp_refused': ['activity'],
  'sign_in.recovery_code_accepted': ['factors', 'activity'],
  'sign_in.recovery_code_refused': ['activity'],
  'sign_in.passkey_accepted': ['factors', 'activity'],
  'sign_in.passkey_refused': ['activity'],
  'sign_in.mailbox_code_sent': ['contact', 'activity'],
  'sign_in.mailbox_proved': ['contact', 'activity'],
  'sign_in.mailbox_refused': ['activity'],
  // The service was told who it is.
  'sign_in.completed': ['identity', 'contact', 'employment', 'activity'],
  'device.enrolled': ['factors'],
  'device.refused': ['activity'],
  'device.ended': ['factors'],
  'device.closed': ['factors'],
  'device.renamed': ['factors'],
  'device.code_refused': ['activity'],
  'recovery_codes.issued': ['factors'],
  'recovery_codes.retired': ['factors'],
  'presence.shown': ['activity'],
  'presence.withdrawn': ['activity'],
  'presence.refused': ['activity'],
  'slip.issued': ['identity', 'employment', 'credential'],
  'slip.printed': ['identity', 'employment', 'credential'],
  'slip.voided': ['credential'],
  'slip.accepted': ['identity', 'credential'],
  'slip.refused': ['activity'],
  'reset.started': ['contact', 'activity'],
  'reset.email_refused': ['contact', 'activity'],
  'reset.barred': ['contact', 'activity'],
  'reset.code_sent': ['contact', 'activity'],
  'reset.code_refused': ['activity'],
  'reset.otp_refused': ['activity'],
  'reset.recovery_code_accepted': ['factors', 'activity'],
  'password.changed': ['credential'],
  'password.retired': ['credential'],
  'account.activated': ['credential'],
  'account.imported_inactive': ['employment'],
  'account.imported_active': ['employment'],
  'account.moved': ['employment'],
  'account.started_over': ['identity', 'credential', 'factors'],
  'account.email_imported': ['contact'],
  'account.disavowed': ['activity'],
  'account.frozen': ['activity'],
  'account.unfrozen': ['activity'],
  'account.data_exported': DATA_CLASSES,
  'contact_change.asked': ['contact'],
  'contact_change.code_sent': ['contact'],
  'contact_change.code_refused': ['activity'],
  'contact_change.stopped': ['contact'],
  'contact_change.done': ['contact'],
  'session.ended': ['activity'],
  'console.refused': ['activity'],
  'role.granted': ['roles'],
  'role.revoked': ['roles'],
  'mfa_reset.done': ['identity', 'factors'],
  'desk.done': PERSON_PAGE,
  'desk.asked': PERSON_PAGE,
  'desk.rejected': PERSON_PAGE,
  'desk.searched': ['identity', 'employment'],
  'desk.listed': ['identity', 'employment', 'activity'],
  'desk.viewed': PERSON_PAGE,
  'desk.refused': [],
  'agency.changed': [],
  'alarm.raised': ['activity'],
  'alarm.seen': ['activity'],
  'self_reset.started': ['activity'],
  'self_reset.factor_refused': ['activity'],
  'self_reset.code_sent': ['contact', 'activity'],
  'self_reset.code_refused': ['activity'],
  'self_reset.waiting': ['factors'],
  'self_reset.stopped': ['factors'],
  'self_reset.done': ['factors'],
  'audit.searched': ['identity', 'activity'],
  'audit.export_begun': ['identity', 'activity'],
  'audit.exported': ['identity', 'activity'],
  'audit.pruned': [],
  'audit.refused': [],
  'breach.reported': ['identity', 'contact', 'employment', 'activity'],
  // The device was told who it is.
  'device_login.approved': ['identity', 'contact', 'employment', 'activity'],
  'device_login.refused': ['activity'],
  'grant.revoked': ['activity'],
  'token.exchanged': ['activity'],
  'refresh_token.reused': ['identity', 'contact', 'employment', 'activity'],
  'feed.applied': ['identity', 'contact', 'employment'],
  'feed.refused': [],
  'feed.failed': ['identity', 'contact', 'employment'],
  'client.added': [],
  'client.changed': [],
  'client.removed': [],
  'client.disabled': [],
  'client.enabled': [],
  'client.secret_rotated': [],
  'client.developer_named': [],
  'client.developer_dismissed': [],
  'client.invited': [],
  'client.invitation_ended': [],
  'key.generated': [],
  'key.published': [],
  'key.revoked': [],
  'key.destroyed': [],
  'key.resealed': [],
};

/** The classes that events of these kinds have touched, in their order; of a kind nobody knows, all. */
export function classesOf(types: readonly string[]): readonly DataClass[] {
  const touched = new Set(
    types.flatMap((type) => (Object.hasOwn(TOUCHED, type) ? TOUCHED[type as AuditType] : DATA_CLASSES)),
  );
  return DATA_CLASSES.filter((name) => touched.has(name));
}
