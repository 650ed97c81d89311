import type { ActAction } from '../../accounts/act-action.js';
import type { Role } from '../../accounts/role.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Trace } from '../../throttle/visitor.js';
import type { KeyReused } from '../idempotency.js';

export { ACT_ACTIONS, type ActAction } from '../../accounts/act-action.js';

/** How an officer has made sure whom they have before them. */
export type Verification =
  /** In person, by a document: a second officer must agree. */
  | { readonly method: 'photo_id' }
  /** By the code that the person's own page shows after a right password. */
  | { readonly method: 'presence'; readonly code: string };

interface Grounds {
  /** Why: kept with the act, never in the audit trail. */
  readonly reason: string;
  /** Of the agency's own register of requests. */
  readonly ticket?: string | undefined;
}

/** What an officer asks for. */
export type Order = Grounds &
  (
    | { readonly action: 'mfa_reset'; readonly ticket: string; readonly verification: Verification }
    | { readonly action: 'contact_change'; readonly email: string }
    | { readonly action: 'role_grant'; readonly role: Role; readonly agency?: string | undefined }
    | { readonly action: 'role_revoke'; readonly grantId: string }
    | { readonly action: Exclude<ActAction, 'mfa_reset' | 'contact_change' | 'role_grant' | 'role_revoke'> }
  );

export type OrderOf<Action extends ActAction> = Order & { readonly action: Action };

/** A browser's where it came from the console; programs have none. */
export type ActTrace = Pick<Trace, 'requestId'> & Partial<Trace>;

/** Who asks. What they may do is read from the database at that moment, never from here. */
export interface Caller {
  readonly accountId: AccountId;
  readonly clientId: string;
}

/** Why an act does not fit the account as it is; nothing was done. */
export type Unfit =
  | 'frozen'
  | 'not_frozen'
  | 'disabled'
  | 'not_disabled'
  | 'inactive'
  | 'activated'
  | 'email_invalid'
  | 'email_same'
  | 'held_already'
  | 'unknown_agency'
  /** Only who has a second factor of their own becomes an officer. */
  | 'no_factor'
  | 'role_needs_agency'
  | 'role_is_national';

/** What came of an act, as far as the officer must know it. */
export interface Outcome {
  /** When the new address may be used, ISO 8601. */
  readonly opensAt?: string;
  /** False: no address is on file, so the officer must tell the person. */
  readonly told?: boolean;
  /** The slip that was made. */
  readonly slipId?: string;
  /** The role that was given. */
  readonly grantId?: string;
  /** Lifting a freeze: the person must set a new password by a mailed code. */
  readonly passwordDisabled?: boolean;
  /** After `enable`: what the personnel system says. */
  readonly status?: 'active' | 'inactive';
}

/** Nothing was done. */
export type Refusal =
  /** There is no such account, or it is none of the officer's: nobody can tell which. */
  | { readonly kind: 'not_found' }
  /** Within scope, but not for this officer: themselves, somebody above, or not what their role is for. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'throttled'; readonly until: Date }
  /** The code of the person's page was wrong, too old or used. */
  | { readonly kind: 'presence_refused' }
  | { readonly kind: 'unfit'; readonly cause: Unfit }
  /** The same is asked for already and waits for a second officer. */
  | { readonly kind: 'awaited_already'; readonly actId: string }
  | KeyReused;

export type ActAnswer =
  | { readonly kind: 'done'; readonly actId: string; readonly outcome: Outcome }
  | { readonly kind: 'awaiting_approval'; readonly actId: string }
  | Refusal;
