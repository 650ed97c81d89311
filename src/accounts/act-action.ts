/** What officers do to an account (docs/adr/0019): each has its words, wherever people read of it. */
export const ACT_ACTIONS = [
  'mfa_reset',
  'unlock',
  'sessions_end',
  'freeze',
  'unfreeze',
  'contact_change',
  'activation_slip',
  'disable',
  'enable',
  'role_grant',
  'role_revoke',
] as const;
export type ActAction = (typeof ACT_ACTIONS)[number];
