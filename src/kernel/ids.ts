/** Branded ids: one kind of id cannot be handed in where another is meant. */
type Id<Kind extends string> = string & { readonly __kind: Kind };

/** The `sub` of tokens: a random UUID for life, never a NIP. */
export type AccountId = Id<'account'>;
export type DeviceId = Id<'device'>;
/** An agency's code: opaque and case-sensitive. */
export type AgencyCode = Id<'agency'>;
/** One person's passage through one authorization request. */
export type AttemptId = Id<'attempt'>;

export const accountId = (value: string): AccountId => value as AccountId;
/** The id that no account has: what is asked for in place of an account that does not exist (R-19, A3). */
export const NOBODY = accountId('00000000-0000-0000-0000-000000000000');
export const deviceId = (value: string): DeviceId => value as DeviceId;
export const agencyCode = (value: string): AgencyCode => value as AgencyCode;
export const attemptId = (value: string): AttemptId => value as AttemptId;
