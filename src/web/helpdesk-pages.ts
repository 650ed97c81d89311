import type { PageError } from './pages.js';

/** The pages of the console, in the terms of `Pages`; give `shell.officer` to all but the one for who is none. */
export interface HelpdeskPages {
  /** `/helpdesk`: posts `who`, `agency` to the same address. */
  'helpdesk/home': {
    readonly error?: PageError | undefined;
    /** Where names may be looked for; nothing for who reaches nobody at this moment. */
    readonly reach?: { readonly agencies: readonly AgencyLine[]; readonly everywhere: boolean } | undefined;
    /**
     * What an administrator should look at, the latest first. Each posts to `/helpdesk/alarms/:id/seen`.
     */
    readonly alarms: readonly {
      readonly id: string;
      readonly kind: 'burst' | 'off_hours' | 'pattern' | 'quota' | 'mass' | 'appointment';
      readonly officer: { readonly name: string };
      readonly agency: { readonly name: string };
      readonly account: { readonly id: string; readonly name: string } | undefined;
      readonly action: string | undefined;
      readonly raisedAt: Date;
    }[];
    /** Who waits for an officer, the oldest first. */
    readonly cases: readonly {
      readonly account: { readonly id: string; readonly name: string };
      readonly cause: string;
      readonly since: Date;
    }[];
    /** What waits for this officer's approval. */
    readonly toDecide: number;
    /** As typed; comes back. */
    readonly who?: string | undefined;
    readonly agency?: string | undefined;
    /** After a search by name. */
    readonly found?:
      { readonly people: readonly FoundLine[]; readonly agency: string; readonly hasMore: boolean } | undefined;
  };
  /** 403 on every page of the console: who is logged in holds no role. */
  'helpdesk/no-role': {
    /** Roles are held, but rest until then. */
    readonly restsUntil?: Date | undefined;
  };
  /** 404: nobody, or nobody of the officer's. */
  'helpdesk/not-found': object;
  /** `/helpdesk/pegawai/:id`. */
  'helpdesk/person': {
    readonly subject: PersonShown;
    readonly diagnosis: DiagnosisShown;
    /** What officers did lately, the latest first. */
    readonly acts: readonly {
      readonly action: string;
      readonly officer: string | undefined;
      readonly createdAt: Date;
      readonly state: 'awaiting' | 'done' | 'rejected' | 'withdrawn' | 'void';
    }[];
    /** What the officer may order; each leads to `/helpdesk/pegawai/:id/<path>`. */
    readonly offers: readonly { readonly action: ActName; readonly path: string }[];
    /** What was asked for and waits for a second officer. */
    readonly waiting: readonly { readonly id: string; readonly action: string }[];
    /** Why nothing is offered or a second officer is needed. */
    readonly standing: 'self' | 'officer' | 'nobody_special';
    /** What was just done, or asked for. */
    readonly done?: DoneShown | undefined;
  };
  /** Posts `reason`, `ticket` and what the act needs to `/helpdesk/pegawai/:id/<step>`. */
  'helpdesk/act': {
    readonly error?: PageError | undefined;
    readonly action: ActName;
    /** The last part of its address. */
    readonly step: string;
    readonly subject: SubjectLine;
    /** A second officer must agree. */
    readonly needsSecond: boolean;
    /** As typed; comes back. */
    readonly typed: Readonly<Partial<Record<ActField, string>>>;
  };
  /** The answer to the order of a slip, shown once: for the printer, and for the person it is about. */
  'helpdesk/slip': {
    readonly subject: SubjectLine;
    readonly nipEnding: string;
    /** Four groups of four. */
    readonly code: string;
    /** Where the same slip is printed; none where two officers had to agree on it. */
    readonly printHref?: string | undefined;
    readonly expiresAt: Date;
    /** Where it is typed. */
    readonly address: string;
  };
  /** `/helpdesk/pegawai/:id/mfa-reset`: how identity is checked. */
  'helpdesk/mfa-reset': { readonly subject: SubjectLine };
  /** Posts `presence_code`, `reason`, `ticket` to `/helpdesk/pegawai/:id/mfa-reset/presence`. */
  'helpdesk/mfa-reset/presence': {
    readonly error?: PageError | undefined;
    readonly subject: SubjectLine;
    readonly typed: Readonly<Partial<Record<ActField, string>>>;
  };
  /** The answer to a right code. Posts the same fields to `/helpdesk/pegawai/:id/mfa-reset/confirm`. */
  'helpdesk/mfa-reset/counter': {
    readonly error?: PageError | undefined;
    readonly subject: SubjectLine;
    /** Three digits to read out. */
    readonly counter: string;
    readonly typed: Readonly<Record<'presence_code' | 'reason' | 'ticket', string>>;
  };
  /** `/helpdesk/approvals`: what waits for a second officer. */
  'helpdesk/approvals': {
    readonly waiting: readonly WaitingLine[];
    readonly done?: 'approved' | 'rejected' | undefined;
  };
  /** Posts to `/helpdesk/approvals/:id/approve` or `/helpdesk/approvals/:id/reject`. */
  'helpdesk/approval': {
    readonly error?: PageError | undefined;
    readonly act: WaitingLine & {
      readonly reason: string;
      readonly ticket: string | undefined;
      readonly verification: 'photo_id' | 'presence' | undefined;
      readonly email: string | undefined;
      readonly role: string | undefined;
      /** Code of the agency that the role is for. */
      readonly roleAgency: string | undefined;
      readonly standing: 'may_decide' | 'asked_by_you' | 'not_yours';
    };
  };
  /** The same address once it waits no more: what became of it. */
  'helpdesk/approval/decided': {
    readonly act: {
      readonly action: string;
      readonly account: { readonly id: string; readonly name: string };
      readonly state: 'done' | 'rejected' | 'withdrawn' | 'void';
      readonly decidedBy: string | undefined;
      readonly decidedAt: Date;
    };
  };
  /** `/helpdesk/officers`; each but one's own links to `/helpdesk/officers/:grant/remove`. */
  'helpdesk/officers': {
    readonly grants: readonly (GrantLine & { readonly isOwn: boolean })[];
    readonly nextHref?: string | undefined;
    readonly done?: 'act_appointed' | 'act_removed' | 'act_awaiting' | undefined;
  };
  /** Posts `nip`, `role`, `agency`, `reason` to `/helpdesk/officers/appoint`. */
  'helpdesk/officers/appoint': {
    readonly error?: PageError | undefined;
    readonly roles: readonly string[];
    readonly typed: Readonly<Partial<Record<'nip' | 'role' | 'agency' | 'reason', string | undefined>>>;
  };
  /** Posts `reason` to `/helpdesk/officers/:grant/remove`. */
  'helpdesk/officers/remove': {
    readonly error?: PageError | undefined;
    readonly grant: GrantLine;
    readonly typed: { readonly reason?: string };
  };
  /**
   * `/helpdesk/audit`: posts `nip` or `account`, `actor_nip` or `actor`, `kind`, `from`, `to` to the same address, which
   * leads on to one without a NIP.
   */
  'helpdesk/audit': {
    readonly error?: PageError | undefined;
    /** False for helpdesk, who names a person first. */
    readonly readsAll: boolean;
    /** Whom the list is narrowed to; without a name where nothing is listed. */
    readonly account?: (ChosenPerson & { readonly mayOpen: boolean }) | undefined;
    readonly actor?: ChosenPerson | undefined;
    /** Nothing before a person was named, and after a refusal. */
    readonly list?:
      | {
          readonly lines: readonly TrailLine[];
          readonly from: Date;
          readonly until: Date;
          readonly olderHref: string | undefined;
          /** On the pages behind the first. */
          readonly newestHref: string | undefined;
          /** Each a form of its own that is posted to `action`. */
          readonly files: readonly { readonly format: 'csv' | 'jsonl'; readonly action: string }[];
        }
      | undefined;
    readonly kinds: readonly { readonly group: string; readonly kinds: readonly string[] }[];
    /** As typed; comes back. */
    readonly typed: Readonly<Record<'nip' | 'actor_nip' | 'kind' | 'from' | 'to', string>>;
  };
}

interface ChosenPerson {
  readonly id: string;
  readonly name: string | undefined;
  /** The list without this. */
  readonly withoutHref: string;
}

/** One event of the trail. */
export interface TrailLine {
  /** `event` is a key of the account's own activity, or of the trail. */
  readonly words: 'owner' | 'trail';
  readonly event: string;
  readonly values?: Readonly<Record<string, string | number>> | undefined;
  /** For `{what}` in its text. */
  readonly what?: { readonly texts: 'ask' | 'alarm'; readonly name: string } | undefined;
  readonly refused?: true | undefined;
  readonly at: Date;
  /** Without a name: no account has the id. */
  readonly account: { readonly id: string; readonly name: string | undefined; readonly mayOpen: boolean } | undefined;
  /** Somebody else who did it. */
  readonly actor: { readonly id: string; readonly name: string | undefined } | undefined;
  readonly agency: string | undefined;
  /** Of an event about an application: its id, and its name while it has one; how it came about where nobody did it. */
  readonly application:
    | {
        readonly clientId: string | undefined;
        readonly name: string | undefined;
        readonly by: 'file' | 'registration' | 'command' | undefined;
      }
    | undefined;
  readonly browser: string;
  readonly system: string;
}

/** A role that somebody holds. */
interface GrantLine {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly role: string;
  readonly agency: { readonly name: string } | undefined;
  readonly grantedAt: Date;
}

/** What officers do from the console. */
export type ActName =
  | 'sessions_end'
  | 'mfa_reset'
  | 'unlock'
  | 'freeze'
  | 'unfreeze'
  | 'disable'
  | 'enable'
  | 'contact_change'
  | 'activation_slip';

export type ActField = 'reason' | 'ticket' | 'new_email' | 'presence_code';

interface DoneShown {
  readonly action: Exclude<ActName, 'activation_slip'> | 'awaiting';
  /** No address is on file: the officer tells the person. */
  readonly isUntold: boolean;
}

interface SubjectLine {
  readonly id: string;
  readonly name: string;
  readonly agency: { readonly name: string };
  /** None on file: the act speaks of no old one. */
  readonly email: { readonly hint: string } | undefined;
}

interface WaitingLine {
  readonly id: string;
  readonly action: string;
  readonly account: { readonly id: string; readonly name: string; readonly nipEnding: string };
  readonly officer: { readonly name: string; readonly unit: string };
  readonly agency: { readonly name: string };
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly mayDecide: boolean;
}

interface AgencyLine {
  readonly code: string;
  readonly name: string;
}

interface FoundLine {
  readonly id: string;
  readonly name: string;
  readonly nipEnding: string;
  readonly agency: { readonly name: string };
  readonly status: PersonStatus;
}

type PersonStatus = 'inactive' | 'disabled' | 'frozen' | 'not_activated' | 'active';

/** Somebody's account as officers see it: no secret, no whole address. */
interface PersonShown {
  readonly id: string;
  readonly name: string;
  /** `19900101 202321 1 001` */
  readonly nip: string;
  readonly agency: { readonly name: string };
  readonly employment: string;
  readonly status: PersonStatus;
  readonly activatedAt: Date | undefined;
  readonly lastLoginAt: Date | undefined;
  readonly devices: readonly {
    readonly kind: 'totp' | 'passkey';
    readonly name: string;
    readonly lastUsedAt: Date | undefined;
    readonly closed: boolean;
  }[];
  readonly recoveryCodes: { readonly left: number; readonly count: number } | undefined;
  readonly sessions: readonly { readonly startedAt: Date }[];
  readonly sessionCount: number;
  readonly password: { readonly isSet: boolean; readonly isDisabled: boolean; readonly waitUntil: Date | undefined };
  readonly codeWaitUntil: Date | undefined;
  readonly email: { readonly hint: string; readonly proved: boolean } | undefined;
  readonly lastMail: { readonly at: Date; readonly fate: 'sent' | 'waiting' | 'failed' } | undefined;
  readonly cases: readonly { readonly cause: string; readonly since: Date }[];
  readonly waitingReset: { readonly dueAt: Date } | undefined;
  readonly contactChange: { readonly state: 'asked' | 'waiting' | 'invited'; readonly opensAt: Date } | undefined;
  readonly roles: readonly { readonly role: string; readonly agency: { readonly name: string } | undefined }[];
}

/** Why somebody cannot get in: texts by code, below `helpdesk.cause` and `helpdesk.tell`. */
interface DiagnosisShown {
  readonly main: FindingShown;
  readonly others: readonly FindingShown[];
  /** Newest first. */
  readonly attempts: readonly {
    readonly at: Date;
    readonly step: string;
    readonly during: string;
    readonly outcome: string;
    readonly minutes?: number;
    /** How often the same was refused in a row. */
    readonly count: number;
  }[];
}

interface FindingShown {
  readonly cause: string;
  readonly tell: string;
  readonly resetNeeded: boolean;
  readonly minutes?: number;
  readonly until?: Date;
  readonly waitsFor?: 'password' | 'code';
  readonly at?: Date;
  readonly officer?: string;
}
