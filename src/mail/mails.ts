/** What every mail is about: when it happened, where when that is known, and whose account it is. */
export interface MailOccasion {
  readonly at: Date;
  /** The last three digits of the NIP: enough to know it again, too little to be one. */
  readonly nipEnding: string;
  /** Of the browser's network, as coarse as a city. */
  readonly place?: string | undefined;
}

export interface CodeMail extends MailOccasion {
  /** `XXXXX-XXXXX` */
  readonly code: string;
  readonly expiresAt: Date;
}

/** Mails about something the person has in hand: they leave at once, each by itself. */
export interface Letters {
  'reset-code': CodeMail;
  /** Instead of that code, where the registered address was typed: nothing can be reset. */
  'reset-frozen': MailOccasion;
  'reset-inactive': MailOccasion;
  /** Proof of the mailbox before an authenticator is set up. */
  'enrolment-code': CodeMail;
  /** Proof of the mailbox before a reset of MFA begins to wait. */
  'mfa-reset-code': CodeMail;
  /** Proof of a new address. */
  'contact-code': CodeMail;
  /** To a new address that an officer entered: where it proves itself, with a code that is mailed there. */
  'contact-invitation': MailOccasion & { readonly href: string; readonly expiresAt: Date };
}

/** An officer and the agency in whose name they acted, as people are told. */
export interface OfficerNamed {
  readonly officer: string;
  readonly agency: string;
}

/** What happened to an account. Several become one mail, and each mail has a "Bukan saya". */
export interface Notices {
  'password-changed': MailOccasion;
  /** `isAnother`: there was one before; its code will do as well, and no mailbox was proved for this one. */
  'authenticator-added': MailOccasion & { readonly deviceName: string; readonly isAnother?: boolean };
  'passkey-added': MailOccasion & { readonly deviceName: string };
  /** A passkey whose counter went back: somebody may hold a copy of it. */
  'passkey-copied': MailOccasion;
  'authenticator-removed': MailOccasion & { readonly deviceName: string };
  /** `deviceName` has taken the place of `oldName`. */
  'authenticator-moved': MailOccasion & { readonly deviceName: string; readonly oldName: string };
  'recovery-codes-renewed': MailOccasion;
  /** One was used, at a login or for a new password, and few are left. */
  'recovery-codes-few': MailOccasion & { readonly left: number };
  /** After 50 wrong codes. */
  'authenticator-disabled': MailOccasion;
  /** By the helpdesk, or, without `by`, by a national operator. */
  'mfa-reset': MailOccasion & { readonly by?: OfficerNamed | undefined };
  /** A reset begun by the person waits; told at its start and, `again`, at half time. Opening the link changes nothing. */
  'mfa-reset-waiting': MailOccasion & { readonly dueAt: Date; readonly stopUrl: string; readonly again: boolean };
  'mfa-reset-stopped': MailOccasion;
  /** By the person: no authenticator is left, or some. */
  'mfa-own-reset': MailOccasion & { readonly left: 'none' | 'some' };
  /** After 100 wrong passwords. */
  'password-disabled': MailOccasion;
  /** Right password, three wrong codes: somebody may know the password. */
  'wrong-code-warning': MailOccasion;
  /** A login in a browser that this account was never used in. `network` is coarse. */
  'new-browser': MailOccasion & {
    readonly browser: string;
    readonly system: string;
    readonly network: string;
  };
  /** The person typed a new address; it changes once a code mailed there is typed. */
  'contact-change-asked': MailOccasion;
  /**
   * An officer entered a new address, told by its mask; it may be used from `opensAt` on. `frozen`: no click can stop it.
   */
  'contact-change-waiting': MailOccasion & {
    readonly opensAt: Date;
    readonly newHint: string;
    readonly frozen: boolean;
  };
  /** To the address that was. `by`: whose word the new one is. */
  'contact-changed': MailOccasion & { readonly by: 'person' | 'officer' | 'import' };
  'account-frozen': MailOccasion &
    ({ readonly by: 'owner' | 'operator' } | ({ readonly by: 'officer' } & OfficerNamed));
  /** `password`: whether the old one still counts. */
  'account-unfrozen': MailOccasion & {
    readonly password: 'kept' | 'disabled';
    /** As with a reset: nobody is a national officer. */
    readonly by?: OfficerNamed | undefined;
  };
  /** What else an officer did to the account. Without `by`: a national operator. */
  'officer-acted': MailOccasion & {
    readonly action: 'unlock' | 'sessions_end' | 'disable' | 'enable' | 'role_grant' | 'role_revoke';
    readonly by: OfficerNamed | undefined;
  };
}

/** Every mail we send, and what it is given. */
export interface Mails extends Letters, Notices {}

export type LetterKind = keyof Letters;
export type NoticeKind = keyof Notices;
export type MailKind = keyof Mails;

/** One of the things a notice mail tells of. Its data holds words, dates and plain objects of words only. */
export type NoticeEvent = { readonly [K in NoticeKind]: { readonly kind: K; readonly data: Notices[K] } }[NoticeKind];

/** The link of a notice mail, and the last day on which it works. */
export interface DisavowLink {
  readonly href: string;
  readonly until: Date;
}
