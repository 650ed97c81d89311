import { tell, type Story } from '#src/account/activity/tellings.js';
import type { AuditDetails, AuditType } from '#src/audit/events.js';

/** Every kind of audit event with every code it may hold; one that is missing here does not compile. */
export const DETAILS: { readonly [Type in AuditType]: readonly AuditDetails[Type][] } = {
  'sign_in.password_accepted': [{ rehashed: false }],
  'sign_in.password_refused': (['unknown', 'mismatch', 'inactive', 'frozen', 'disabled'] as const).map((cause) => ({
    cause,
  })),
  'sign_in.password_disabled': [{}],
  'sign_in.throttled': [{ limit: 'otp' }],
  'sign_in.otp_accepted': [{ device: 'd1' }],
  'sign_in.otp_refused': [
    { cause: 'mismatch' },
    { cause: 'reused' },
    { cause: 'drift' },
    { cause: 'drift', drift_minutes: -7 },
    { cause: 'drift', drift_minutes: 1 },
  ],
  'sign_in.recovery_code_accepted': [{ left: 9 }],
  'sign_in.recovery_code_refused': [{}],
  'sign_in.passkey_accepted': [
    { device: 'd1', alone: true },
    { device: 'd1', alone: false },
  ],
  'sign_in.passkey_refused': [
    ...(['challenge', 'unknown', 'person', 'invalid', 'copied', 'barred'] as const).map((cause) => ({ cause })),
    { cause: 'copied', device: 'd1' },
  ],
  'sign_in.mailbox_code_sent': [{}],
  'sign_in.mailbox_proved': [{ by: 'code' }],
  'sign_in.mailbox_refused': [{ cause: 'wrong' }, { cause: 'exhausted' }],
  'sign_in.completed': [{ acr: 'urn:asn:aal2', amr: ['pwd', 'otp', 'mfa'] }],
  'device.enrolled': [{ device: 'd1' }],
  'device.refused': (['challenge', 'invalid', 'too_many', 'none_left'] as const).map((cause) => ({ cause })),
  'device.ended': (['removed', 'moved', 'too_many_codes', 'helpdesk_reset', 'self_reset'] as const).map((reason) => ({
    device: 'd1',
    reason,
  })),
  'device.closed': [{ device: 'd1' }],
  'device.renamed': [{ device: 'd1' }],
  'device.code_refused': [
    { cause: 'mismatch' },
    { cause: 'reused' },
    { cause: 'throttled' },
    { cause: 'drift' },
    { cause: 'drift', drift_minutes: 61 },
  ],
  'recovery_codes.issued': [{ count: 10 }],
  'presence.shown': [{ presence: 'p1' }],
  'presence.withdrawn': [{ presence: 'p1' }],
  'presence.refused': [{ cause: 'wrong', presence: 'p1' }, { cause: 'wrong' }, { cause: 'throttled' }],
  'reset.started': [{}],
  'reset.email_refused': [{}],
  'reset.barred': [{ cause: 'frozen' }, { cause: 'inactive' }],
  'reset.code_sent': [{}],
  'reset.code_refused': [{ cause: 'wrong' }, { cause: 'exhausted' }],
  'reset.otp_refused': (['mismatch', 'reused', 'throttled', 'drift', 'recovery_code'] as const).map((cause) => ({
    cause,
  })),
  'reset.recovery_code_accepted': [{ left: 9 }],
  'password.changed': (['reset', 'activation', 'weak', 'sign_in', 'person'] as const).map((by) => ({ by })),
  'account.activated': [{}],
  'account.imported_inactive': [{}],
  'account.data_exported': [{}],
  'account.email_imported': [{}],
  'account.disavowed': [{ case: 'c1' }],
  'account.frozen': [
    { by: 'owner', case: 'c1' },
    { by: 'operator', case: 'c1' },
  ],
  'account.unfrozen': [{ cases: ['c1'] }, { cases: ['c1'], password: 'kept' }, { cases: [], password: 'disabled' }],
  'contact_change.asked': [
    { change: 'x1', by: 'person' },
    { change: 'x1', by: 'operator' },
  ],
  'contact_change.code_sent': [{ change: 'x1' }],
  'contact_change.code_refused': [
    { change: 'x1', cause: 'wrong' },
    { change: 'x1', cause: 'exhausted' },
  ],
  'contact_change.stopped': [{ change: 'x1' }],
  'contact_change.done': [{ change: 'x1' }],
  'session.ended': [
    { by: 'person' },
    { by: 'client' },
    { by: 'person', elsewhere: true },
    { by: 'person', elsewhere: true, app: true },
  ],
  'console.refused': [{ cause: 'no_role' }],
  'role.granted': ['helpdesk', 'agency_admin', 'operator', 'auditor'].map((role) => ({ role, grant: 'g1' })),
  'role.revoked': ['helpdesk', 'agency_admin', 'operator', 'auditor'].map((role) => ({ role, grant: 'g1' })),
  'mfa_reset.done': [{ reset: 'r1', devices: 1, method: 'photo_id' }],
  'mfa_reset.refused': [{ cause: 'out_of_scope' }],
  'desk.refused': [{ action: 'accounts.show', cause: 'out_of_scope' }],
  'self_reset.started': [{ way: 'factor' }, { way: 'wait' }],
  'self_reset.factor_refused': (['mismatch', 'reused', 'throttled', 'drift', 'recovery_code', 'in_hand'] as const).map(
    (cause) => ({ cause }),
  ),
  'self_reset.code_sent': [{}],
  'self_reset.code_refused': [{ cause: 'wrong' }, { cause: 'exhausted' }],
  'self_reset.waiting': [{ reset: 'w1' }],
  'self_reset.stopped': (['link', 'person', 'login'] as const).map((by) => ({ reset: 'w1', by })),
  'self_reset.done': (['recovery_code', 'device', 'waited'] as const).map((by) => ({ devices: 1, by })),
  'grant.revoked': [{ cause: 'authorization_code.reused' }],
  'refresh_token.reused': [{}],
  'key.generated': [{ kid: 'k1', alg: 'ES256' }],
};

/** Everything that is ever told, with and without the names that go with it. */
export const STORIES: readonly Story[] = Object.entries(DETAILS).flatMap(([type, details]) =>
  (details as readonly Readonly<Record<string, unknown>>[]).flatMap((detail) =>
    [
      { service: 'MyASN', device: { kind: 'totp', name: 'Ponsel kerja' }, hasActor: true } as const,
      { service: 'MyASN', device: { kind: 'passkey', name: 'Laptop kantor' }, hasActor: true } as const,
      { service: 'MyASN', device: { kind: 'passkey', name: undefined }, hasActor: true } as const,
      { service: undefined, device: undefined, hasActor: false },
    ].flatMap((named) => tell({ type, detail }, named) ?? []),
  ),
);
