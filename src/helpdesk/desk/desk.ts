import type { Employment } from '../../accounts/account.js';
import type { Nip } from '../../accounts/nip.js';
import type { OpenCase } from '../../accounts/open-cases.js';
import type { Role } from '../../accounts/role.js';
import type { DeviceKind } from '../../devices/device.js';
import type { AccountId, AgencyCode, DeviceId } from '../../kernel/ids.js';
import type { LastMail } from '../../mail/last-mails.js';
import type { Trace } from '../../throttle/visitor.js';
import type { ActOn } from './acts-on-store.js';
import type { Diagnosis } from './diagnosis.js';
import type { PersonsCase } from './open-cases-store.js';

/** Who looks, for the predicate in the statement, the quotas and the audit trail. */
export interface DeskOfficer {
  readonly accountId: AccountId;
  /** The client that calls for them; absent on our own pages. */
  readonly clientId?: string | undefined;
  /** A call of the API has no browser. */
  readonly trace: Pick<Trace, 'requestId'> & Partial<Trace>;
}

/**
 * How an account stands, the strongest first: `inactive` by the personnel system, `disabled` by an officer, `frozen`
 * until an officer has looked at it, `not_activated` while it never had a password, else `active`.
 */
export const PERSON_STATUSES = ['inactive', 'disabled', 'frozen', 'not_activated', 'active'] as const;
export type PersonStatus = (typeof PERSON_STATUSES)[number];

export interface NamedAgency {
  readonly code: AgencyCode;
  readonly name: string;
}

/** One line of a search: as little as tells people apart (A46). */
export interface FoundPerson {
  readonly id: AccountId;
  readonly name: string;
  /** The last three digits of the NIP: two people may have one name. */
  readonly nipEnding: string;
  readonly agency: NamedAgency;
  readonly status: PersonStatus;
}

/** Either a whole NIP, of today or of before, with spaces and dots as people write it; or a name within one agency. */
export type Search =
  | { readonly nip: string }
  | {
      /** Three letters or more; every word must begin a word of the name. */
      readonly query: string;
      /** With all units below it; the officer's own agency unless given. */
      readonly agency?: string | undefined;
      /** From an answer before: the page that follows it. */
      readonly cursor?: string | undefined;
    };

export type SearchAnswer =
  | {
      readonly kind: 'found';
      readonly people: readonly FoundPerson[];
      /** Where the search was made; undefined for a NIP, which is looked for everywhere in scope. */
      readonly agency: NamedAgency | undefined;
      /** The cursor of the next page; undefined on the last. */
      readonly next: string | undefined;
    }
  /** Not 18 digits; fewer than three letters; an unreadable cursor; no agency named where the officer has several or none. */
  | { readonly kind: 'invalid'; readonly field: 'nip' | 'query' | 'cursor' | 'agency' }
  /** No such agency, or none of the officer's. */
  | { readonly kind: 'not_found' }
  /** Reaches nobody at this moment: no role, or one that rests. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'throttled'; readonly until: Date };

export interface ShownDevice {
  readonly id: DeviceId;
  readonly kind: DeviceKind;
  readonly name: string;
  readonly addedAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  /** Too many wrong codes: it proves nothing any more. */
  readonly closed: boolean;
}

export interface ShownSession {
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  /** Coarse words; empty where the browser does not tell. */
  readonly browser: string;
  readonly system: string;
  /** `203.0.113.x`; empty where it is not known. */
  readonly network: string;
}

/** What an officer needs to know of a person; no secret and no whole address. */
export interface PersonView {
  readonly id: AccountId;
  readonly nip: Nip;
  readonly name: string;
  readonly agency: NamedAgency;
  readonly employment: Employment;
  readonly status: PersonStatus;
  readonly activatedAt: Date | undefined;
  readonly lastLoginAt: Date | undefined;
  readonly devices: readonly ShownDevice[];
  readonly recoveryCodes: { readonly left: number; readonly count: number } | undefined;
  /** The ten used last. */
  readonly sessions: readonly ShownSession[];
  /** All of them, up to a hundred. */
  readonly sessionCount: number;
  readonly password: {
    readonly isSet: boolean;
    /** Too many wrong ones, or an officer unfroze the account: only a reset by mail brings it back. */
    readonly isDisabled: boolean;
    /** Until then a browser that the account does not know may not try another. */
    readonly waitUntil: Date | undefined;
  };
  /** Until when no one-time or recovery code is looked at. */
  readonly codeWaitUntil: Date | undefined;
  /** Masked: `s•••••@c•••••`. */
  readonly email: { readonly hint: string; readonly proved: boolean } | undefined;
  readonly lastMail: LastMail | undefined;
  readonly cases: readonly OpenCase[];
  /** A reset of second factors by the person that waits. */
  readonly waitingReset: { readonly dueAt: Date } | undefined;
  readonly contactChange: { readonly state: 'asked' | 'waiting' | 'invited'; readonly opensAt: Date } | undefined;
  readonly roles: readonly { readonly role: Role; readonly agency: NamedAgency | undefined }[];
}

export type ShowAnswer =
  | { readonly kind: 'shown'; readonly person: PersonView }
  /** There is no such account, or it is none of the officer's: nobody can tell which. */
  | { readonly kind: 'not_found' }
  | { readonly kind: 'throttled'; readonly until: Date };

export type DiagnoseAnswer =
  | { readonly kind: 'diagnosed'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'throttled'; readonly until: Date };

/** Where an officer may look for names. */
export interface Reach {
  /** Of their roles; each with all below it. */
  readonly agencies: readonly NamedAgency[];
  /** Every agency: a national role. */
  readonly everywhere: boolean;
}

export type OpenAnswer =
  | {
      readonly kind: 'opened';
      readonly person: PersonView;
      readonly diagnosis: Diagnosis;
      /** The last five, the latest first. */
      readonly acts: readonly ActOn[];
    }
  | Exclude<ShowAnswer, { readonly kind: 'shown' }>;

/**
 * What an officer may look at. The scope is part of each statement, read at that moment (R-10, A47); every look leaves
 * an audit row and takes a place of the officer's quota (A46). `id` is as the caller named it: a UUID or not.
 */
export interface Desk {
  search(officer: DeskOfficer, search: Search): Promise<SearchAnswer>;
  show(officer: DeskOfficer, id: string): Promise<ShowAnswer>;
  /** Why the person cannot log in, if they cannot, and what to tell them. */
  diagnose(officer: DeskOfficer, id: string): Promise<DiagnoseAnswer>;
  /** All at once, as one look: for a page that shows it. */
  open(officer: DeskOfficer, id: string): Promise<OpenAnswer>;
  /** Who waits for an officer within reach, the oldest first: a look where there is anybody (A46). */
  openCases(officer: DeskOfficer): Promise<readonly PersonsCase[]>;
  /** Undefined for whoever reaches nobody at this moment. */
  reachOf(officer: DeskOfficer): Promise<Reach | undefined>;
}
