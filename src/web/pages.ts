import type { RefusalCode } from '../kernel/refusal.js';
import type { ClientPages } from './client-pages.js';
import type { HelpdeskPages } from './helpdesk-pages.js';
import type { Locale } from './locale.js';
import type { AccountNotice } from './notice.js';

/**
 * What every page is given: plain data, never HTML, never a sentence (texts live in views/locales).
 * The key is the page's `data-page` and its template is `views/<key>.eta`. Optional members may be
 * left out or be `undefined`. Forms post to the addresses named here, with the hidden field `csrf`.
 */
export interface Pages extends HelpdeskPages, ClientPages {
  /** `/` for strangers. LOGIN leads to `/login`, RESET to `/reset`. */
  front: {
    /** This browser was logged in, and is no longer. */
    readonly sessionOver?: boolean | undefined;
  };
  /** `/` for who is logged in; give `shell.person`, whose *Keluar* posts to `/logout`. Search is `GET /?q=`. */
  launcher: {
    readonly groups: readonly ServiceGroup[];
    readonly query?: string | undefined;
    /** Where the console is, for who holds a role. */
    readonly helpdeskHref?: string | undefined;
    /** Where the services are that somebody builds. */
    readonly developerHref?: string | undefined;
    /** Once after a login with a recovery code: how many are left. */
    readonly codesLeft?: number | undefined;
    /** Once after a reset of the device that is lost: another one may take its place. */
    readonly isDeviceLost?: boolean | undefined;
  };

  /** Posts `username`, `password` to `/sign-in/:uid/password`. */
  'sign-in/password': SignInPage & {
    /** True when the service takes nothing but a passkey (`phr`). */
    readonly onlyPasskey?: boolean | undefined;
    /** As typed; comes back after a refusal. */
    readonly username?: string | undefined;
    /** `/sign-in/:uid/cancel` ends this without a login: back at the service, or for a device that waits elsewhere. */
    readonly wayOut?: 'back' | 'cancel' | undefined;
    /** This browser was logged in on our own pages, and is no longer. */
    readonly sessionOver?: boolean | undefined;
    /** Where RESET leads, so that the reset knows the way back; `/reset` unless given. */
    readonly resetHref?: string | undefined;
  };
  /**
   * Posts `otp` to `/sign-in/:uid/otp`, or `recovery_code` to `/sign-in/:uid/recovery-code` (errors: `field:
   * 'recovery_code'`), or, by the script, `credential` to `/sign-in/:uid/passkey`.
   */
  'sign-in/otp': SignInPage & {
    /** The registered authenticators as the person named them, the last used first. */
    readonly devices: readonly { readonly name: string; readonly kind: 'totp' | 'passkey' }[];
    /** True when the service takes nothing but a passkey (`phr`): there is one. `/sign-in/:uid/decline` goes back. */
    readonly onlyPasskey?: boolean | undefined;
    /** True when the password was not asked because a session lives and only a fresh factor is missing (DMS). */
    readonly again?: boolean | undefined;
    /** True when it is the account pages that ask, before a change; *Batal* goes back to them. */
    readonly ownAccount?: boolean | undefined;
    /** False when no recovery code is left to type. */
    readonly hasRecoveryCodes: boolean;
    /** With `throttled`: no code is looked at now, but a passkey is; else the attempt is over. */
    readonly mayUsePasskey?: boolean | undefined;
    /** A reset of MFA waits until then. */
    readonly waitingResetDueAt?: Date | undefined;
    /** `/sign-in/:uid/presence` is open to the person. */
    readonly mayShowPresence?: boolean | undefined;
    /** Where a new login starts once this one is destroyed by too many codes; `/login` unless given. */
    readonly restartHref?: string | undefined;
  };
  /** The service takes nothing but a passkey and the person has none; `/sign-in/:uid/decline` goes back there. */
  'sign-in/passkey-missing': SignInPage;
  /** Too many wrong codes have closed all that the person had. */
  'sign-in/factors-closed': SignInPage & {
    /** How long *Reset MFA* waits. */
    readonly waitSeconds: number;
    readonly resetHref: string;
    /** When the reset that waits already takes effect. */
    readonly dueAt?: Date | undefined;
  };
  /** Posts to `/sign-in/:uid/presence`: makes a code for the officer; *Batal* to `/sign-in/:uid/presence/withdraw`. */
  'sign-in/presence': SignInPage & {
    /** `code` is eight digits, `counterCode` three. */
    readonly view:
      | { readonly kind: 'none' | 'lapsed' | 'mistyped' }
      | { readonly kind: 'live'; readonly code: string; readonly counterCode: string; readonly expiresAt: Date }
      | { readonly kind: 'used'; readonly isDone: boolean };
  };
  /** Posts `code` to `/sign-in/:uid/mailbox`; *Kirim ulang* posts to `/sign-in/:uid/mailbox/resend`. */
  'sign-in/prove-mailbox': SignInPage & {
    /** False: no address is on file, so no code can be mailed and the person is sent to the personnel office. */
    readonly hasMailbox: boolean;
    /** Masked address (`s•••••@c•••••`), or none when hints are switched off. */
    readonly emailHint?: string | undefined;
    /** Right after a new code was mailed on request, or a login that goes on with the code mailed minutes ago. */
    readonly told?: 'resent' | 'code_kept' | undefined;
  };
  /** Posts `otp`, `device_name` to `/sign-in/:uid/enrol`. */
  'sign-in/enrol': SignInPage &
    AppOffer & {
      /** Where a new login starts once this one is destroyed by too many codes; `/login` unless given. */
      readonly restartHref?: string | undefined;
    };
  /** Posts `saved` to `/sign-in/:uid/recovery-codes`; the download is `/sign-in/:uid/recovery-codes.txt`. */
  'sign-in/recovery-codes': SignInPage & { readonly codes: readonly string[]; readonly createdAt: Date };
  /** Posts `new_password`, `confirm_password` to `/sign-in/:uid/change-password`. */
  'sign-in/change-password': SignInPage;

  /** `/device`: posts `user_code` to itself. */
  'device/code': FormPage & {
    /** As typed, or as a link brought it. */
    readonly userCode?: string | undefined;
    /** The code came in a link: it is to be compared with the device's. */
    readonly fromLink?: boolean | undefined;
  };
  /** Posts to `/device/:uid/approve` or `/device/:uid/refuse`. */
  'device/confirm': {
    readonly uid: string;
    readonly userCode: string;
    readonly service: string;
    /** Whose account it would use. */
    readonly name: string;
    readonly nipEnding: string;
    /** What it would be told about the person, by the names of claims. */
    readonly claims: readonly string[];
    /** Where else it could act for the person, and the scopes there. */
    readonly resources: readonly { readonly resource: string; readonly scopes: readonly string[] }[];
    /** How long it stays signed in after the person's own session; none where it ends with that. */
    readonly staysSeconds?: number | undefined;
  };
  'device/done': object;
  'device/refused': object;
  /** `gone`: nobody knows of it any more, or in another browser only. */
  'device/over': { readonly cause: 'expired' | 'answered' | 'gone' };

  /** `/account/devices`. Every way to change an authenticator starts here. */
  'account/devices': AccountPage & {
    readonly devices: readonly DeviceLine[];
    /** Those that have ended, the latest first. */
    readonly former: readonly FormerDeviceLine[];
    readonly codes?: CodesLine | undefined;
    /** Few recovery codes are left, or none. */
    readonly fewCodes: boolean;
    /** False: five are registered already. */
    readonly mayAdd: boolean;
  };
  /** `/account/activity`: what happened to the account, newest first. */
  'account/activity': AccountPage & {
    readonly lines: readonly ActivityLine[];
    /** Where *Lihat yang lebih lama* leads; none on the last page. */
    readonly olderHref?: string | undefined;
    /** False on the pages behind the first. */
    readonly isFirst: boolean;
  };
  /** Posts `password`, `new_password`, `confirm_password` to `/account/password`. */
  'account/password': AccountPage & FormPage;
  /** Freezing one's own account; then `disavow/done`. */
  'account/freeze': object;
  /** `/account/data`; the file comes for a post to `/account/data/file`. */
  'account/data': AccountPage &
    FormPage & {
      readonly sections: readonly HeldSection[];
      /** Why other things are not in the file: keys below `account.data.leftOut`. */
      readonly leftOut: readonly string[];
    };

  /** Posts `new_email` to `/account/contact`; what is under way is stopped by `/account/contact/stop`. */
  'account/contact': AccountPage &
    FormPage & {
      /** The registered address, whole: who sees it has just proved a second factor. None is on file unless given. */
      readonly registered?: string | undefined;
      readonly change?:
        | {
            readonly state: 'asked' | 'waiting' | 'invited';
            /** The new address, masked where an officer entered it. */
            readonly address: string;
            readonly opensAt: Date;
          }
        | undefined;
      /** Instead of the form: when it opens, after a reset of the second factors. */
      readonly closedUntil?: Date | undefined;
      /** As typed; comes back after a refusal. */
      readonly email?: string | undefined;
    };
  /** Posts `code` to `/account/contact/code`; *Kirim ulang* to `/account/contact/resend`, *Batal* to `/account/contact/stop`. */
  'account/contact/code': AccountPage &
    FormPage & {
      /** The address just typed, whole: a slip of the finger shows. */
      readonly email: string;
      readonly resent?: boolean | undefined;
    };

  /** Posts to `base`: mails a code to the new address that an officer entered. */
  'contact/start': FormPage & { readonly base: string; readonly emailHint: string; readonly nipEnding: string };
  /** Posts `code` to `base` + `/kode`; *Kirim ulang* to `base` + `/ulang`. */
  'contact/code': FormPage & {
    readonly base: string;
    readonly emailHint: string;
    readonly resent?: boolean | undefined;
  };
  'contact/done': object;

  /** `/bukan-saya/:token`. Posts to itself: freezes the account. */
  'disavow/confirm': {
    readonly token: string;
    /** What the mail told of, by kind of mail. */
    readonly events: readonly { readonly kind: string; readonly at: Date }[];
    readonly nipEnding: string;
  };
  'disavow/done': object;
  /** 410: a link in a mail that is unknown, used up or too old. */
  'link-gone': { readonly what: 'disavow' | 'contact' };
  /** `/account/sessions`. Each other session links to `/account/sessions/:uid/end`. */
  'account/sessions': AccountPage & {
    /** The browser that asks; absent when its session ended while the page was on its way. */
    readonly current?: SessionLine | undefined;
    readonly others: readonly SessionLine[];
    /** There are more than are shown. */
    readonly more: boolean;
    /** Each links to `/account/sessions/apps/:id/end`. */
    readonly apps: readonly StayingAppLine[];
  };
  /** Posts to `/account/sessions/:uid/end`. */
  'account/sessions/end': AccountPage & { readonly session: SessionLine };
  /** Posts to `/account/sessions/apps/:id/end`. */
  'account/sessions/end-app': AccountPage & { readonly app: StayingAppLine };
  /** Posts to `/account/sessions/end-others`. */
  'account/sessions/end-others': AccountPage;
  /** Posts to `/account/sessions/end-all`. */
  'account/sessions/end-all': AccountPage;
  /** `/account/devices/add`: which kind. An app: posts to the same address. */
  'account/devices/add': {
    /** False: five are registered already. */
    readonly mayAdd: boolean;
  };
  /** Posts `otp`, `device_name` to `/account/devices/add/app`. */
  'account/devices/add/app': FormPage & AppOffer;
  /** `/account/devices/move`: posts the old phone's id as `device` to the same address. */
  'account/devices/move': { readonly devices: readonly DeviceLine[] };
  /** Posts `otp`, `device_name` to `/account/devices/move/app`. */
  'account/devices/move/app': FormPage & AppOffer & { /** The old phone's name. */ readonly replaces: string };
  /** Posts `device_name` to `/account/devices/:id/rename`. */
  'account/devices/rename': FormPage & {
    readonly id: string;
    readonly name: string;
    /** As typed; comes back after a refusal. */
    readonly deviceName?: string | undefined;
  };
  /** Posts to `/account/devices/:id/remove`; the last one that can prove cannot be removed. */
  'account/devices/remove': FormPage & {
    readonly id: string;
    readonly name: string;
    readonly kind: DeviceLine['kind'];
    readonly isLast: boolean;
  };
  /** `/account/recovery-codes`. */
  'account/recovery-codes': AccountPage & {
    readonly left?: CodesLine | undefined;
    readonly few: boolean;
    /** Codes just made wait to be saved. */
    readonly unsaved: boolean;
  };
  /** Posts to `/account/recovery-codes/renew`. */
  'account/recovery-codes/renew': { readonly hasCodes: boolean };
  /** Posts `saved` to `/account/recovery-codes/new`; the download is `/account/recovery-codes/new.txt`. */
  'account/recovery-codes/new': FormPage & { readonly codes: readonly string[]; readonly createdAt: Date };
  /** Posts, by the script, `device_name` and `credential` to `/account/devices/add/passkey`. */
  'account/devices/add-passkey': FormPage & {
    /** False: five are registered already. */
    readonly mayAdd: boolean;
    /** As typed; comes back after a refusal. */
    readonly deviceName?: string | undefined;
  };

  /** Links to `/reset/password`, `/reset/weak`, `/reset/mfa`. */
  'reset/menu': { readonly back?: ServiceLink | undefined };
  /** Posts `username`, `captcha` to `/reset/password`; the picture is `/captcha/:id.png`, its sound `/captcha/:id.wav`. */
  'reset/password/start': FormPage & {
    readonly captchaId: string;
    /** As typed; comes back after a refusal. */
    readonly username?: string | undefined;
  };
  /** Posts `email` to `/reset/password/email`. */
  'reset/password/email': FormPage & {
    /** The mask or its decoy, or none when hints are switched off. */
    readonly emailHint?: string | undefined;
    /** As typed; comes back after a refusal. */
    readonly email?: string | undefined;
  };
  /** Posts `code`, `new_password`, `confirm_password`, `otp` (or a recovery code) to `/reset/password/code`; *Kirim ulang* posts to `/reset/password/resend`. */
  'reset/password/code': FormPage & {
    /** True right after a new code was asked for, known or not. */
    readonly resent?: boolean | undefined;
    /** True once this flow's code was right, so that it need not be typed again after another refusal. */
    readonly codeAccepted?: boolean | undefined;
  };
  'reset/password/done': ResetDone;
  /** Posts `username`, `password`, `otp` (or a recovery code), `new_password`, `confirm_password` to `/reset/weak`. */
  'reset/weak': FormPage & { readonly username?: string | undefined };
  'reset/weak/done': ResetDone;
  /** `/reset/mfa`: the ways there are. */
  'reset/mfa': { readonly back?: ServiceLink | undefined; readonly waitSeconds: number };
  /** `/reset/mfa/now`, `/reset/mfa/wait`. Posts `way`, `username`, `password`, `captcha` to `/reset/mfa/start`. */
  'reset/mfa/start': FormPage & {
    readonly way: 'now' | 'wait';
    readonly captchaId: string;
    /** As typed; comes back after a refusal. */
    readonly username?: string | undefined;
  };
  /**
   * Posts `recovery_code` to `/reset/mfa/recovery-code`, or `otp` and `lost` (a device's id, or `others` for all but the
   * one in hand) to `/reset/mfa/factor`. With `throttled` this passage is over.
   */
  'reset/mfa/factor': FormPage & {
    /** Any of these may be the lost one; empty when there are not two. */
    readonly devices: readonly { readonly id: string; readonly name: string }[];
    /** As chosen; comes back after a refusal. */
    readonly lost?: string | undefined;
  };
  /** Posts `code` to `/reset/mfa/code`; *Kirim ulang* posts to `/reset/mfa/resend`. */
  'reset/mfa/code': FormPage & {
    /** False: no address is on file. */
    readonly hasMailbox: boolean;
    /** Masked, or none when hints are switched off. */
    readonly emailHint?: string | undefined;
    readonly resent?: boolean | undefined;
  };
  'reset/mfa/waiting': { readonly dueAt: Date; readonly back?: ServiceLink | undefined };
  'reset/mfa/done': ResetDone & {
    /** Which factors ended: all, or all but the one in hand; or there were none. */
    readonly outcome: 'all' | 'some' | 'nothing';
  };
  /** The link in the mail. Posts to its own address; without `dueAt` nothing waits any more. */
  'reset/mfa/stop': { readonly token: string; readonly dueAt?: Date | undefined };
  'reset/mfa/stopped': object;

  /**
   * `/aktivasi`: posts `username`, `slip`, `captcha` to `/aktivasi`, or, for another picture, to `/aktivasi/picture`.
   */
  'activate/start': FormPage & {
    readonly captchaId: string;
    /** As typed; they come back after a refusal. */
    readonly username?: string | undefined;
    readonly slip?: string | undefined;
  };
  /** Posts `new_password`, `confirm_password` to `/aktivasi/password`. */
  'activate/password': FormPage;
  'activate/done': { readonly hasEmail: boolean };

  /** The provider's own logout form: posts `xsrf` and `logout=yes` to `action`. */
  'sign-out/confirm': {
    readonly action: string;
    readonly xsrf: string;
    /** The relying party that asked, when there is one. */
    readonly service?: string | undefined;
    /** Where *Batal* leads; `/` unless given. */
    readonly stayHref?: string | undefined;
  };
  'sign-out/done': {
    readonly back?: ServiceLink | undefined;
    /** Every session was ended, not this browser's alone. */
    readonly everywhere?: boolean | undefined;
    /** Where LOGIN leads; `/login` unless given. */
    readonly loginHref?: string | undefined;
  };

  /** `/bantuan`. */
  help: object;

  /** `/helpdesk/aktivasi` of an officer of several agencies, or of all. */
  'helpdesk/activation/units': { readonly units: readonly { readonly name: string; readonly href: string }[] };
  /** `base`: `/helpdesk/aktivasi/` and the unit. Links to `base` + `/orang` and `base` + `/slip`. */
  'helpdesk/activation': {
    readonly unitName: string;
    readonly base: string;
    /** The unit itself first, then each one below it. */
    readonly units: readonly ActivationLine[];
    /** The weeks up to this one: their Mondays, and how many were activated. */
    readonly weeks: readonly { readonly from: Date; readonly activated: number }[];
  };
  /** `base` + `/orang`: who never activated, by name. */
  'helpdesk/activation/waiting': {
    readonly unitName: string;
    readonly base: string;
    readonly people: readonly { readonly name: string; readonly unit: string; readonly slipUntil?: Date | undefined }[];
    readonly nextHref?: string | undefined;
    readonly isFirst: boolean;
  };
  /** Posts `reason` to `base` + `/slip`: makes slips. */
  'helpdesk/activation/issue': FormPage & {
    readonly unitName: string;
    readonly base: string;
    /** Who has none. */
    readonly people: number;
    readonly atOnce: number;
    /** As typed; comes back. */
    readonly reason?: string | undefined;
  };
  /** `/helpdesk/slip/:slip`: one person's; posts to itself: the file to print. */
  'helpdesk/activation/one': { readonly name: string; readonly slip: string };
  /** Posts to `base` + `/slip/` + `batch`: the file to print. */
  'helpdesk/activation/batch': {
    readonly unitName: string;
    readonly base: string;
    readonly batch: string;
    readonly count: number;
    /** Who still has none. */
    readonly people: number;
  };

  /** Any refusal without a page of its own, and every bug (code `unavailable`, status 500). Shows `shell.requestId`. */
  error: {
    readonly status: number;
    readonly error: PageError;
    /** What a relying party's developer needs to see; never personal. */
    readonly oauth?:
      | {
          readonly error: string;
          readonly description?: string | undefined;
          /** What the person wanted, or what stands in the way; a login unless given. */
          readonly about?: 'sign_out' | 'switched_off' | undefined;
          /** The name of the one that is switched off. */
          readonly service?: string | undefined;
        }
      | undefined;
    /** To the service that the person came from, where one is known. */
    readonly back?: { readonly service: string; readonly href: string } | undefined;
  };
  'not-found': object;
  /** 410: what the person was doing is gone. */
  expired: {
    readonly cause: 'waited' | 'too_many_codes' | 'finished';
    /** What remains true, told so that nobody fears for it. */
    readonly kept: 'nothing' | 'mfa_active' | 'mfa_reset' | 'password_changed' | 'password_unchanged';
    /** Where to begin again; `/login` unless given. */
    readonly restartHref?: string | undefined;
    readonly back?: ServiceLink | undefined;
  };
  /** The answer of a login on its way to a service: a form of that service's, without our token. */
  'form-post': {
    readonly service?: string | undefined;
    readonly form: {
      readonly action: string;
      readonly fields: readonly { readonly name: string; readonly value: string }[];
    };
  };
  /** 403: the person may not use this service. */
  'no-access': {
    readonly service: string;
    /** Which conditions are not met: `employment`, `agency`, `role`. */
    readonly missing: readonly ('employment' | 'agency' | 'role')[];
    readonly back?: ServiceLink | undefined;
  };
  /** 503 `busy` or `unavailable`, with `retryAfterSeconds`. */
  busy: {
    readonly error: PageError;
    /** What *Coba lagi* opens; the page's own path unless given. */
    readonly retryHref?: string | undefined;
  };

  /** `/dev/mail`: the local outbox, newest first. Each mail also has a page of its own at `/dev/mail/:id`. */
  'dev/mail': { readonly mails: readonly OutboxMail[] };
  /** `/dev/mail/:id`; the HTML part, as its own document, is `/dev/mail/:id.html`. */
  'dev/mail/message': { readonly mail: OutboxMail };
  /** `/dev/components`: every part and state. */
  'dev/components': object;

  /** A sample relying party, before login; `path` + `/login` starts it. */
  'demo/home': DemoPage;
  /** After login; logout posts to `path` + `/logout`. */
  'demo/signed-in': DemoPage & { readonly claims: readonly Claim[] };
  'demo/signed-out': DemoPage & {
    /** True when the provider told the application by itself that the login ended elsewhere. */
    readonly told?: boolean | undefined;
  };
}

export type PageName = keyof Pages;

/** The pages that load our one script, which makes passkeys work; they work without it too. */
export const SCRIPTED: ReadonlySet<PageName> = new Set<PageName>([
  'sign-in/password',
  'sign-in/otp',
  'account/devices/add-passkey',
]);

/** What every page is framed with; the same for all pages of one request. */
export interface Shell {
  readonly locale: Locale;
  /** Value of the hidden field `csrf` of every form. */
  readonly csrf: string;
  /** The page's path, without query: where the link to the other language leads. */
  readonly path: string;
  /** Server time, from the Clock. */
  readonly now: Date;
  readonly brand: Brand;
  readonly person?: ShownPerson | undefined;
  readonly officer?: ShownOfficer | undefined;
  /**
   * The origin of the portal, where this page stands on another: the console's. Links to the portal's pages begin with
   * it.
   */
  readonly portalOrigin?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Who is logged in, as every page shows them. */
export interface ShownPerson {
  readonly name: string;
  /** A reset of MFA waits until then: shown on every page, with a button that stops it. */
  readonly waitingResetDueAt?: Date | undefined;
  /** An officer has reset the second factors: told for a month on the launcher and the account pages. */
  readonly officerReset?:
    { readonly at: Date; readonly officer: { readonly name: string; readonly agency: string } | undefined } | undefined;
}

/** Who is on duty, as every page of the console shows them. */
export interface ShownOfficer {
  readonly name: string;
  /** The agency of their role; nothing where the role is national. */
  readonly office?: string | undefined;
  /** The pages of the console that their roles open; labels are `helpdesk.tabs.<name>`. */
  readonly tabs: readonly {
    readonly name: string;
    readonly href: string;
    /** What waits there for this officer. */
    readonly count?: number | undefined;
  }[];
}

/** The name of the hidden field every form carries. */
export const CSRF_FIELD = 'csrf';

export interface Brand {
  /** `SSO ASN` */
  readonly name: string;
  /** `ASN Digital`: the front door and the launcher. */
  readonly portal: string;
  /** Who runs the service. */
  readonly institution: string;
  /** The official address people should compare, e.g. `sso.asn.example`. */
  readonly host: string;
}

/** One refusal, as a page shows it: at its field when `field` is known, else above the form. */
export interface PageError {
  readonly code: RefusalCode;
  /** The form field's name. Each page knows the field of the codes that have one; needed for `invalid_input`. */
  readonly field?: string | undefined;
  /** With `invalid_input`: what stands in the way of a value that is well formed. */
  readonly reason?: 'taken' | 'same' | 'nip' | 'nip_long' | 'letters' | 'backwards' | 'too_long' | undefined;
  /** With `code_invalid` of a device: what became of the code. */
  readonly userCode?: 'expired' | 'answered' | undefined;
  /** With `invalid_input` on the console: why an act does not fit the account, below `error.unfit`. */
  readonly unfit?: string | undefined;
  /** With `throttled`, `busy`, `unavailable`. */
  readonly retryAfterSeconds?: number | undefined;
  /** With `clock_drift`: positive when the phone is ahead. */
  readonly driftMinutes?: number | undefined;
  /** With `otp_invalid`: not the first in a row, so that the phone's clock is to be looked at. */
  readonly again?: boolean | undefined;
  /** With `invalid_input` at `lost`: the code is from the very device that was chosen; else none was chosen. */
  readonly isInHand?: boolean | undefined;
  /** With `passkey_invalid`: no such passkey is registered. */
  readonly isUnknown?: boolean | undefined;
  /** With `password_policy`: what was judged. Rules left out are shown as not yet judged. */
  readonly rules?: readonly PasswordRuleState[] | undefined;
  /** With `throttled`: what there was too much of; each page knows its usual answer. */
  readonly limit?: 'passwords' | 'codes' | 'mails' | 'requests' | undefined;
}

export type PasswordRule = 'length' | 'case' | 'digit' | 'symbol' | 'common' | 'same';

export interface PasswordRuleState {
  readonly rule: PasswordRule;
  readonly state: 'unknown' | 'met' | 'unmet';
  /** Why `length` or `common` is unmet, when it can be told. */
  readonly reason?: 'too_long' | 'birth_date' | 'nip' | 'name' | 'email' | 'agency' | 'service' | 'pattern' | undefined;
}

interface FormPage {
  readonly error?: PageError | undefined;
}

interface SignInPage extends FormPage {
  /** Of the provider's interaction: every step lives below `/sign-in/:uid`. */
  readonly uid: string;
  /** The relying party's name, told as "Masuk ke MyASN". */
  readonly service: string;
}

/** A page below `/account`, with the tabs of all of them; give `shell.person`. */
interface AccountPage {
  /** What was just done. */
  readonly done?: AccountNotice | undefined;
}

export interface DeviceLine {
  readonly id: string;
  readonly name: string;
  readonly kind: 'totp' | 'passkey';
  readonly addedAt: Date;
  readonly lastUsedAt?: Date | undefined;
  /** Too many wrong codes: it proves nothing any more. */
  readonly isClosed?: boolean | undefined;
}

/** One single sign-on session. */
export interface SessionLine {
  readonly uid: string;
  /** What the browser calls itself; `known` says which of the two are. */
  readonly agent: {
    readonly known: 'both' | 'browser' | 'system' | 'nothing';
    readonly browser: string;
    readonly system: string;
  };
  /** `203.0.113.x`; empty when it is not known. */
  readonly network: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  /** Names. */
  readonly services: readonly string[];
}

/** An application that stays logged in without a browser. */
export interface StayingAppLine {
  readonly id: string;
  readonly service: string;
  readonly since: Date;
  readonly until: Date;
}

export interface ActivityLine {
  /** The key of its text below `account.activity.event`, and what that needs. */
  readonly event: string;
  readonly values?: Readonly<Record<string, string | number>> | undefined;
  readonly refused?: boolean | undefined;
  readonly at: Date;
  /** Of several in a row: how many, and when the first was. */
  readonly count: number;
  readonly firstAt: Date;
  /** What kind of browser; empty where it is not known. */
  readonly browser: string;
  readonly system: string;
  readonly officer?: { readonly name: string; readonly agency: string } | 'national' | undefined;
  readonly reason?: string | undefined;
}

export interface HeldSection {
  /** Its title is `account.data.section.<name>`. */
  readonly name: string;
  readonly rows: readonly (readonly HeldLine[])[];
  /** True: the file holds more of these than the page shows. */
  readonly hasMore: boolean;
}

/** One thing that is held: its label is `account.data.label.<label>`. */
export interface HeldLine {
  readonly label: string;
  readonly text?: string | undefined;
  /** A code that has a word for people, `account.data.word.<word>`. */
  readonly word?: string | undefined;
  readonly at?: Date | undefined;
}

export interface FormerDeviceLine {
  readonly name: string;
  readonly kind: DeviceLine['kind'];
  readonly addedAt: Date;
  readonly endedAt: Date;
  readonly reason: 'removed' | 'moved' | 'too_many_codes' | 'helpdesk_reset' | 'self_reset' | 'started_over';
}

interface ActivationLine {
  readonly name: string;
  /** Its own people, without those of the units below it. */
  readonly isItself: boolean;
  readonly href?: string | undefined;
  readonly people: number;
  readonly activated: number;
  /** Never activated, with a slip that can be used. */
  readonly withSlip: number;
}

interface CodesLine {
  readonly left: number;
  readonly count: number;
  readonly createdAt: Date;
}

/** What a person needs to put the account into an authenticator app. */
interface AppOffer {
  /** Base32 without spaces or padding. */
  readonly secret: string;
  readonly otpauthUri: string;
  readonly qr: QrCode;
  /** As typed; comes back after a refusal. */
  readonly deviceName?: string | undefined;
}

interface ResetDone {
  /** Where LOGIN leads; `/login` unless given. */
  readonly loginHref?: string | undefined;
  /** The service the person came from. */
  readonly back?: ServiceLink | undefined;
}

export interface ServiceLink {
  readonly service: string;
  readonly href: string;
}

export interface ServiceGroup {
  /** As its users know it: *Seleksi CASN*, *Individu*, *Instansi*, *Layanan Pendukung*. */
  readonly category: string;
  readonly services: readonly {
    readonly name: string;
    readonly href: string;
    readonly description?: string | undefined;
    /** A second factor is asked again there. */
    readonly asksAgain?: boolean | undefined;
  }[];
}

/** A QR code as one stroke path of an SVG, `size` modules wide, quiet zone included (`qrcode`'s SVG output has both). */
export interface QrCode {
  readonly path: string;
  readonly size: number;
}

export interface OutboxMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly at: Date;
  readonly text: string;
}

interface DemoPage {
  readonly app: DemoApp;
  /** The other sample relying parties. */
  readonly others: readonly DemoApp[];
}

export interface DemoApp {
  readonly name: string;
  /** `/demo/myasn` */
  readonly path: string;
}

export interface Claim {
  readonly name: string;
  /** Shown as it is; give structured values as JSON text. */
  readonly value: string;
}
