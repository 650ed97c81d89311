/** What the trail was searched for, besides a person: that one is the event's account. */
export interface TrailFilters {
  readonly from: string;
  readonly to: string;
  /** Whose deeds. */
  readonly by?: string;
  readonly types?: readonly string[];
}

/** Where a registration came from. */
type ClientOrigin = 'file' | 'command' | 'console' | 'registration';

/**
 * Every kind of security event, with what its detail holds. Ids, counts and codes only: never a NIP, name,
 * address, secret or code.
 */
export interface AuditDetails {
  'sign_in.password_accepted': { readonly rehashed: boolean };
  'sign_in.password_refused': { readonly cause: 'unknown' | 'mismatch' | 'inactive' | 'frozen' | 'disabled' };
  'sign_in.password_disabled': object;
  'sign_in.throttled': { readonly limit: 'name' | 'address' | 'otp' };
  'sign_in.otp_accepted': { readonly device: string };
  'sign_in.otp_refused': { readonly cause: 'mismatch' | 'reused' | 'drift'; readonly drift_minutes?: number };
  'sign_in.recovery_code_accepted': { readonly left: number };
  'sign_in.recovery_code_refused': object;
  /** `alone`: without a password, for both factors. */
  'sign_in.passkey_accepted': { readonly device: string; readonly alone: boolean };
  'sign_in.passkey_refused': {
    readonly cause: 'challenge' | 'unknown' | 'person' | 'invalid' | 'copied' | 'barred';
    readonly device?: string;
  };
  'sign_in.mailbox_code_sent': object;
  'sign_in.mailbox_proved': { readonly by: 'code' | 'reset' };
  'sign_in.mailbox_refused': { readonly cause: 'wrong' | 'exhausted' };
  'sign_in.completed': { readonly acr: string; readonly amr: readonly string[] };
  'device.enrolled': { readonly device: string };
  /** A new passkey that was not bound. */
  'device.refused': { readonly cause: 'challenge' | 'invalid' | 'too_many' | 'none_left' };
  'device.ended': {
    readonly device: string;
    readonly reason: 'removed' | 'moved' | 'too_many_codes' | 'helpdesk_reset' | 'self_reset';
  };
  /** Too many wrong codes: none of its codes is accepted any more. */
  'device.closed': { readonly device: string };
  'device.renamed': { readonly device: string };
  /** The first code of a new authenticator, typed on the account pages. */
  'device.code_refused': {
    readonly cause: 'mismatch' | 'reused' | 'drift' | 'throttled';
    readonly drift_minutes?: number;
  };
  'recovery_codes.issued': { readonly count: number };
  /** The pepper under which they were hashed was retired: they are accepted no more. */
  'recovery_codes.retired': { readonly pepper: string };
  /** A code for the officer before whom the person sits, made by the person. */
  'presence.shown': { readonly presence: string };
  'presence.withdrawn': { readonly presence: string };
  /** Typed by an officer. `presence` where there was one to miss. */
  'presence.refused': { readonly cause: 'wrong' | 'throttled'; readonly presence?: string | undefined };
  /** A code on paper for an account that never had a password. `batch`: printed for a whole unit. */
  'slip.issued': { readonly slip: string; readonly batch?: string | undefined; readonly act?: string | undefined };
  /** `ended`: the account was frozen or closed. */
  'slip.voided': { readonly slip: string; readonly cause: 'replaced' | 'ended' };
  /** By an officer, who has its code from then on. */
  'slip.printed': { readonly slip: string; readonly batch?: string | undefined };
  'slip.accepted': object;
  'slip.refused': object;
  'reset.started': object;
  'reset.email_refused': object;
  /** The registered address was typed, and its mailbox told why there is no code. */
  'reset.barred': { readonly cause: 'frozen' | 'inactive' };
  'reset.code_sent': object;
  'reset.code_refused': { readonly cause: 'wrong' | 'exhausted' };
  'reset.otp_refused': { readonly cause: 'mismatch' | 'reused' | 'throttled' | 'drift' | 'recovery_code' };
  'reset.recovery_code_accepted': { readonly left: number };
  'password.changed': { readonly by: 'reset' | 'activation' | 'weak' | 'sign_in' | 'person' };
  /** The pepper under which it was hashed was retired: RESET makes a new one. */
  'password.retired': { readonly pepper: string };
  'account.activated': object;
  'account.imported_inactive': object;
  /** Was inactive before. */
  'account.imported_active': object;
  /** To another agency: their codes. */
  'account.moved': { readonly from: string; readonly to: string };
  /** Is another person's by the word of the personnel system: without password, sessions, factors and roles. */
  'account.started_over': { readonly cause: 'name_and_nip' | 'out_of_reach'; readonly devices: number };
  /** An import brought another address to an account in use. */
  'account.email_imported': object;
  /** "Bukan saya" was chosen in a notice mail. */
  'account.disavowed': { readonly case: string };
  'account.frozen': { readonly by: 'owner' | 'operator' | 'officer'; readonly case: string };
  /** `password`: absent in older rows, where it was always kept. */
  'account.unfrozen': { readonly cases: readonly string[]; readonly password?: 'kept' | 'disabled' };
  'contact_change.asked': { readonly change: string; readonly by: 'person' | 'operator' | 'officer' };
  'contact_change.code_sent': { readonly change: string };
  'contact_change.code_refused': { readonly change: string; readonly cause: 'wrong' | 'exhausted' };
  'contact_change.stopped': { readonly change: string };
  'contact_change.done': { readonly change: string };
  /** `elsewhere`: the person ended it from another browser; `app`: it was an application that stays logged in. */
  'session.ended': { readonly by: 'person' | 'client'; readonly elsewhere?: true; readonly app?: true };
  'account.data_exported': object;
  /** Somebody who holds no role opened the console. */
  'console.refused': { readonly cause: 'no_role' | 'resting' };
  'role.granted': { readonly role: string; readonly grant: string };
  'role.revoked': { readonly role: string; readonly grant: string };
  'mfa_reset.done': { readonly reset: string; readonly devices: number; readonly method: string };
  /** An officer did it; `second`: the officer who agreed. */
  'desk.done': { readonly action: string; readonly act: string; readonly second?: string };
  /** It waits for a second officer. */
  'desk.asked': { readonly action: string; readonly act: string };
  /** A second officer turned it down, or who asked for it took it back. */
  'desk.rejected': { readonly action: string; readonly act: string; readonly by: 'second' | 'asker' };
  /** Without what was typed: a number or a name is no business of the trail. */
  'desk.searched': { readonly by: 'nip' | 'name'; readonly found: number };
  /** A page of names that an officer did not search for: how many. */
  'desk.listed': { readonly list: 'not_activated' | 'orders' | 'open_cases'; readonly count: number };
  /** An officer looked at somebody. */
  'desk.viewed': { readonly action: string };
  /** An officer, or a service, wanted something over the admin API or in the console. */
  'desk.refused': { readonly action: string; readonly cause: string };
  'agency.changed': { readonly two_officers: boolean };
  'alarm.raised': { readonly kind: string };
  'alarm.seen': { readonly alarm: string };
  'self_reset.started': { readonly way: 'factor' | 'wait' };
  /** `in_hand`: a right code, of the very device that was said to be lost. */
  'self_reset.factor_refused': {
    readonly cause: 'mismatch' | 'reused' | 'throttled' | 'drift' | 'recovery_code' | 'in_hand';
  };
  'self_reset.code_sent': object;
  'self_reset.code_refused': { readonly cause: 'wrong' | 'exhausted' };
  'self_reset.waiting': { readonly reset: string };
  'self_reset.stopped': { readonly reset: string; readonly by: 'link' | 'person' | 'login' };
  'self_reset.done': { readonly devices: number; readonly by: 'recovery_code' | 'device' | 'waited' };
  /** An officer, or whoever operates the server, read the trail; the next pages of it are not told again. */
  'audit.searched': TrailFilters;
  /** The first row of a file left. `audit.exported` tells how it ended. */
  'audit.export_begun': TrailFilters & { readonly format: string };
  'audit.exported': {
    readonly format: string;
    readonly rows: number;
    readonly ended: 'whole' | 'capped' | 'refused' | 'broken_off';
  };
  /** An old month was archived and dropped, with the links up to a number; `kept`: what was sealed later and stays. */
  'audit.pruned': {
    readonly month: string;
    readonly through: string;
    readonly kept: number;
    readonly archive: string;
  };
  /** Whoever operates the server had listed who was concerned by an intrusion. */
  'breach.reported': {
    readonly from: string;
    readonly to: string;
    readonly cause: string;
    readonly people: number;
    readonly full_nip: boolean;
  };
  'audit.refused': { readonly cause: string };
  /** A device without a browser was let in (RFC 8628), or was not: by the person, for want of access, or of a login that would do. */
  'device_login.approved': object;
  'device_login.refused': { readonly cause: 'person' | 'no_access' | 'unmet' };
  'grant.revoked': { readonly cause: string };
  'refresh_token.reused': object;
  /** A service that was called on behalf of the person calls the next one. `from`: the client whose token it had. */
  'token.exchanged': { readonly from: string; readonly resource: string };
  'feed.applied': {
    readonly run: string;
    readonly mode: string;
    readonly created: number;
    readonly updated: number;
    readonly left: number;
    readonly moved: number;
    readonly skipped: number;
  };
  'feed.refused': { readonly run: string; readonly mode: string; readonly cause: string };
  /** Broken off: what was written until then stays, and stands in the trail. */
  'feed.failed': { readonly run: string; readonly cause: string };
  /** `invitation`: the initial access token with which it registered itself. */
  'client.added': { readonly source: ClientOrigin; readonly invitation?: string };
  'client.changed': { readonly source: ClientOrigin };
  /** Its entry left the clients file. */
  'client.removed': { readonly source: ClientOrigin };
  'client.disabled': object;
  'client.enabled': object;
  /** An operator named somebody who builds it. */
  'client.developer_named': object;
  'client.developer_dismissed': object;
  /** An initial access token was given out. */
  'client.invited': { readonly invitation: string; readonly uses: number };
  'client.invitation_ended': { readonly invitation: string };
  'client.secret_rotated': { readonly overlap_seconds: number };
  'key.generated': { readonly kid: string; readonly alg: string };
  /** A rotation: in the key set from now on, signing later. */
  'key.published': { readonly kid: string; readonly alg: string; readonly signs_from: string };
  /** Out of the key set at once. */
  'key.revoked': { readonly kid: string; readonly alg: string };
  /** It signs no more, and nobody can with it: its private half is gone. */
  'key.destroyed': { readonly kid: string; readonly alg: string };
  /** What was sealed with other encryption keys is sealed with this one now. */
  'key.resealed': { readonly kid: string; readonly rows: number };
}

/** As {@link Visitor.agent}: empty where the browser does not tell. */
interface EventAgent {
  readonly browser: string;
  readonly system: string;
}

export type AuditType = keyof AuditDetails;

export type AuditEvent = {
  [Type in AuditType]: {
    readonly type: Type;
    readonly detail: AuditDetails[Type];
    /** Whom it happened to. */
    readonly accountId?: string | undefined;
    /** Who did it, when that is somebody else. */
    readonly actorId?: string | undefined;
    readonly agencyCode?: string | undefined;
    readonly clientId?: string | undefined;
    readonly requestId?: string | undefined;
    /** What kind of browser it came from, in coarse words; kept in the detail as `browser` and `system`. */
    readonly agent?: EventAgent | undefined;
  };
}[AuditType];
