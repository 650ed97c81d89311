import type { Expiry } from './storage/expiry.js';

/**
 * What else may be forgotten, table by table; `$1` is the time of the purge. Devices that ended stay for life: they
 * are the record of every authenticator ever bound (NIST SP 800-63B section 4.1).
 */
export const EXPIRED_ROWS: readonly Expiry[] = [
  { table: 'sign_in_attempts', where: 'expires_at <= $1::timestamptz' },
  { table: 'device_codes', where: `expires_at < $1::timestamptz - interval '1 hour'` },
  { table: 'devices', where: `status = 'pending' AND created_at < $1::timestamptz - interval '1 hour'` },
  { table: 'unsaved_recovery_codes', where: `created_at < $1::timestamptz - interval '1 hour'` },
  { table: 'enrolment_tickets', where: 'expires_at <= $1::timestamptz' },
  { table: 'presence_codes', where: `expires_at < $1::timestamptz - interval '1 hour'` },
  { table: 'activation_slips', where: `expires_at < $1::timestamptz - interval '90 days'` },
  { table: 'passkey_challenges', where: 'expires_at <= $1::timestamptz' },
  { table: 'password_resets', where: `expires_at < $1::timestamptz - interval '7 days'` },
  { table: 'self_resets', where: `expires_at < $1::timestamptz - interval '7 days'` },
  { table: 'waiting_resets', where: `lapses_at < $1::timestamptz - interval '90 days'` },
  { table: 'page_sessions', where: 'expires_at <= $1::timestamptz' },
  { table: 'idempotency_keys', where: 'expires_at <= $1::timestamptz' },
  { table: 'client_errors', where: `last_at < $1::timestamptz - interval '7 days'` },
  {
    table: 'client_developers',
    where: `EXISTS (SELECT FROM accounts a WHERE a.id = account_id AND a.status <> 'active' AND a.updated_at < $1::timestamptz - interval '1 day')`,
  },
  { table: 'client_invitations', where: `expires_at < $1::timestamptz - interval '90 days'` },
];
