import type { AccountId, AgencyCode } from '../kernel/ids.js';
import type { Nip } from './nip.js';

/** PNS are permanent, CPNS on probation; PPPK on contract, full or part time. */
export const EMPLOYMENTS = ['PNS', 'PPPK', 'CPNS', 'PPPK_PARUH_WAKTU'] as const;
export type Employment = (typeof EMPLOYMENTS)[number];

/** What the personnel system says: inactive people cannot log in. */
export const STATUSES = ['active', 'inactive'] as const;
type Status = (typeof STATUSES)[number];

/** One SSO ASN identity with its password, as one statement reads it. Never log it whole. */
export interface Account {
  readonly id: AccountId;
  readonly nip: Nip;
  readonly accountName: string | undefined;
  readonly name: string;
  readonly email: string | undefined;
  /** A code mailed to this address was typed, by whoever activated the account or since it has this address. */
  readonly emailProved: boolean;
  readonly employment: Employment;
  readonly agency: { readonly code: AgencyCode; readonly name: string };
  /** The agency and all above it. */
  readonly agencyLineage: readonly AgencyCode[];
  readonly status: Status;
  /** Frozen by its owner ("bukan saya") until an officer has looked at it. */
  readonly frozen: boolean;
  /** Closed by an officer: inactive, whatever the personnel system says. */
  readonly disabled: boolean;
  /** Rises with every change of credentials; a session begun under an older one is void. */
  readonly credEpoch: number;
  /** Undefined until the person has had a password. */
  readonly activatedAt: Date | undefined;
  readonly lastLoginAt: Date | undefined;
  readonly passwordHash: string | undefined;
  /** After 100 wrong passwords in a row: only a reset by mail brings it back. */
  readonly passwordDisabled: boolean;
  readonly passwordFailures: number;
}

export interface NewAccount {
  readonly nip: Nip;
  readonly accountName?: string;
  readonly name: string;
  readonly email?: string;
  readonly employment: Employment;
  readonly agencyCode: AgencyCode;
  readonly status: Status;
  readonly personId?: string;
}
