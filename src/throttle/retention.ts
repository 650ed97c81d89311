/**
 * What may be deleted, table by table; `$1` is the time. A failure that was followed by no success stays for a year:
 * deleting it earlier would allow more than 100 in a row (NIST SP 800-63B-4 section 3.2.2).
 */
export const EXPIRED_LIMITS: readonly { readonly table: string; readonly where: string }[] = [
  {
    table: 'failure_counters',
    where: `(failures = 0 AND updated_at < $1::timestamptz - interval '1 day')
            OR updated_at < $1::timestamptz - interval '365 days'`,
  },
  { table: 'quotas', where: 'expires_at <= $1::timestamptz' },
];
