/** What may be asked for at the admin API, and nowhere else. */
export const ADMIN_SCOPES: readonly string[] = [
  'accounts:read',
  'accounts:write',
  'accounts:mfa-reset',
  'audit:read',
  'clients:write',
];

/** Audience of the admin API. */
export const adminResourceOf = (adminOrigin: string): string => `${adminOrigin}/api/admin`;
