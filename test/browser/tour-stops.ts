import type { PageName } from '#src/web/pages.js';
import { SIZES, type Size } from '../support/chromium.js';

/** States of a page that are worth a picture of their own. */
type State =
  | 'device/code, from a link'
  | 'sign-in/password, refused'
  | 'sign-in/otp, clock slow'
  | 'launcher, reset waits'
  | 'account/devices, with history'
  | 'account/devices/move/app, clock slow'
  | 'launcher, of an officer'
  | 'helpdesk/home, names found'
  | 'helpdesk/person, after a reset';

/** The tests that walk, one a file. */
export type Tour =
  'device' | 'login' | 'account' | 'recovery' | 'notices' | 'helpdesk' | 'slip' | 'slipDesk' | 'clients';

/** The way each test walks, and what each picture shows, in that order. A page without a line here does not compile. */
const LOGIN_STOPS = {
  front: 'The front door. The gate is a link to LOGIN, for those who press the logo.',
  'sign-in/password': 'Every login begins here, whichever service asks.',
  'sign-in/password, refused': 'One sentence for every reason, so that it tells nobody which accounts exist.',
  'reset/menu': 'RESET: forgotten password and first activation, weak password, lost phone.',
  'reset/password/start': 'The number and a picture of letters, which can also be heard.',
  'reset/password/email': 'The registered address, masked; or a decoy, which looks the same.',
  'dev/mail': 'On your own machine, mail goes nowhere but here.',
  'dev/mail/message': 'One mail: the code, until when, and what to do if it was not you.',
  'reset/password/code': 'The mailed code and the new password, with its rules.',
  'reset/password/done': 'A reset logs nobody in; it leads back to the login it began on.',
  'sign-in/enrol': 'The authenticator: a link on the phone itself, the key to copy, the QR code for a second screen.',
  'sign-in/recovery-codes': 'Ten recovery codes, shown once.',
  launcher: 'The launcher: the services this person may use, in their groups.',
  'demo/home': 'A sample relying party, before login.',
  'demo/signed-in': 'The same after single sign-on, with the claims it was told.',
  'sign-in/otp': 'Every later login: the one-time code, with the server time in three zones.',
  'sign-in/otp, clock slow': 'The commonest fault explained: the clock of the phone.',
  'reset/mfa': 'A lost phone: at once with a code that is left, after a wait with none, or at the personnel office.',
  'sign-out/confirm': 'A service asks to log out; the person decides.',
  'demo/signed-out': 'Logged out there means logged out everywhere.',
  'sign-out/done': 'Logged out from the launcher.',
  'sign-in/prove-mailbox': 'A first authenticator needs a fresh proof of the mailbox.',
  'sign-in/change-password': 'A password that no longer meets the rules is changed on the way in.',
  'reset/weak': 'The same from the RESET menu.',
  'reset/weak/done': 'And its end.',
  help: 'Help, by what has happened.',
  'form-post': 'A service that takes its answer by a form: the page goes on by itself, or at the press of the button.',
  'no-access': 'A service that is not for this person.',
  expired: 'A login that waited too long.',
  busy: 'Too much to do: when to come back. The try is not counted.',
  error: 'A relying party made a mistake; its developers see which.',
  'not-found': 'No such page.',
  'dev/components': 'Every part in every state.',
} as const;

const ACCOUNT_STOPS = {
  'account/devices':
    'Your account: every authenticator, when it was added and used, and how many recovery codes are left.',
  'account/contact': 'The registered address, masked, and a new one.',
  'account/contact/code': 'The new address proves itself by a code; until then nothing has changed.',
  'account/sessions': 'Every browser that is logged in: where, since when and for which services.',
  'account/sessions/end': 'Ending one of the others asks for a fresh code first.',
  'account/sessions/end-app': 'An application that stays logged in without a browser.',
  'account/sessions/end-others': 'All the others at once, and phone apps with them.',
  'account/sessions/end-all': 'Everything, this browser too.',
  'account/activity': 'What happened to the account in 90 days, in plain words.',
  'account/freeze': 'From the activity: who sees there what they have not done may freeze the account.',
  'account/password': 'A new password for who knows the old one and has just shown a second factor.',
  'account/data': 'Everything held about the person, to read and as a file.',
  'account/devices/add': 'Another authenticator: which kind.',
  'account/devices/add/app': 'An app, set up as at the first login. Nothing changes until its code is right.',
  'account/devices/rename': 'A name that is remembered.',
  'account/devices/remove': 'Removing one asks once more; one always stays.',
  'account/devices/move': 'Pindah HP: which phone is replaced.',
  'account/devices/move/app': 'The new phone; the old one works until the new one does.',
  'account/devices/move/app, clock slow': 'The clock of the new phone is told here too, at the second code.',
  'account/devices, with history': 'What was registered once, quietly.',
  'account/recovery-codes': 'How many recovery codes are left.',
  'account/recovery-codes/renew': 'A new set ends the old one.',
  'account/recovery-codes/new': 'Ten new codes, shown until they are said to be saved.',
  'account/devices/add-passkey': 'A passkey is added: its name, then what the device itself asks for.',
  'sign-in/passkey-missing': 'A service that takes nothing but a passkey, for a person who has none.',
} as const;

const RECOVERY_STOPS = {
  'reset/mfa/start': 'Reset MFA begins with number, password and a picture, whichever way follows.',
  'reset/mfa/factor': 'At once: a recovery code, or the code of another device.',
  'reset/mfa/done': 'What has ended, and LOGIN to set up the new phone.',
  'reset/mfa/code': 'With neither: the mailed code, then a waiting time.',
  'reset/mfa/waiting': 'From when on the reset takes effect, and how to stop it.',
  'launcher, reset waits': 'Whoever is logged in meanwhile sees it on every page, and stops it with one click.',
  'reset/mfa/stop': 'The link in the mail asks; a mail scanner stops nothing.',
  'reset/mfa/stopped': 'Stopped: everything is as it was.',
  'sign-in/factors-closed': 'After 50 wrong codes: what happened, and the ways on.',
  'sign-in/presence': 'At the officer’s desk: a code to show, and a number that the officer reads back.',
} as const;

const NOTICE_STOPS = {
  'disavow/confirm': '*Bukan saya*: the link in a notice. Only the button freezes the account.',
  'disavow/done': 'Frozen: nobody gets in until an officer has looked at it.',
  'link-gone': 'A link that was used up or is too old.',
  'contact/start': 'A new address that an officer entered, after the wait: its link asks for a code.',
  'contact/code': 'The code, typed where the link led.',
  'contact/done': 'Registered.',
} as const;

const HELPDESK_STOPS = {
  'launcher, of an officer': 'Who holds a role finds the helpdesk on the launcher.',
  'helpdesk/home': 'The console, behind a second factor of the last 15 minutes: one field for a NIP or a name.',
  'helpdesk/home, names found': 'A name lists people of the officer’s own agency.',
  'helpdesk/person': 'Why this person cannot get in, in words to read out; most calls end here, without a reset.',
  'helpdesk/act': 'Each act asks once, with its reason; nothing happens before.',
  'helpdesk/slip': 'A slip for somebody without a mailbox, shown once and for the printer.',
  'helpdesk/mfa-reset': 'A reset begins with how the officer knows who is there.',
  'helpdesk/mfa-reset/presence': 'The eight digits from the person’s own screen.',
  'helpdesk/mfa-reset/counter': 'Three digits to read back: the person sees that this is their officer.',
  'helpdesk/person, after a reset': 'Done, and what to tell the person next.',
  'helpdesk/approvals': 'What waits for a second officer.',
  'helpdesk/approval': 'Who asked, why, and two buttons.',
  'helpdesk/approval/decided': 'The same address afterwards: what became of it, for who had asked.',
  'helpdesk/officers': 'Who holds a role, for administrators.',
  'helpdesk/officers/appoint': 'A role is given with a reason, within one’s own agency.',
  'helpdesk/officers/remove': 'And taken away.',
  'helpdesk/audit': 'What happened within one’s scope, who did it and to whom; the same as a file.',
  'helpdesk/not-found': 'Unknown, or of another agency: nobody can tell which.',
  'helpdesk/no-role': 'Whoever lost the role meanwhile sees it at the next click.',
} as const;

const SLIP_DESK_STOPS = {
  'helpdesk/activation/units': 'Activation begins with the unit; an administrator of one is there at once.',
  'helpdesk/activation': 'How far activation has come, by unit and by week.',
  'helpdesk/activation/waiting': 'Who has never activated, and who has a slip.',
  'helpdesk/activation/issue': 'Slips for a whole unit: what follows, before it is done.',
  'helpdesk/activation/one': 'The slip of one person.',
  'helpdesk/activation/batch': 'One PDF, four slips to a sheet.',
} as const;

const SLIP_STOPS = {
  'activate/start': 'A slip on paper from the personnel office, for who cannot use the mailed code.',
  'activate/password': 'Its code was right: the first password.',
  'activate/done': 'LOGIN; who has no address on file is invited to add one.',
} as const;

const DEVICE_STOPS = {
  'device/code': 'A device without a keyboard shows eight letters; they are typed here, on a phone or computer.',
  'device/code, from a link':
    'The same from the device’s QR code: the letters are there, and compared before anything goes on.',
  'device/confirm': 'After the login: which application, as whom, what it learns, how long; and a plain warning.',
  'device/done': 'Allowed: the rest happens on the device.',
  'device/refused': 'Refused: the device got nothing.',
  'device/over': 'Too late, or answered already.',
} as const;

const CLIENT_STOPS = {
  'helpdesk/clients':
    'For operators: every application, how it proves itself, when it was last used, and where something fails.',
  'helpdesk/client/edit': 'A registration, from an example; what is wrong with it is told field by field.',
  'helpdesk/client/secret': 'A secret is shown once.',
  'helpdesk/client':
    'One application in words: addresses, what it learns of people, who may use it, what it was refused.',
  'helpdesk/client/not-found': 'A client_id that nobody registered has words of its own.',
  'helpdesk/client/rotate': 'A new secret: whether the one before goes on is asked, with what each means.',
  'helpdesk/client/act': 'Each act asks once, and says what will happen.',
  'helpdesk/client/developer': 'Who builds it is named by NIP.',
  'helpdesk/clients/invitations': 'Tokens with which applications register themselves.',
  'developer/clients': 'The services that somebody builds, from the launcher.',
  'developer/client': 'Why a request failed, by its number; the registration as it is understood; addresses to copy.',
} as const;

export const TOURS = {
  clients: CLIENT_STOPS,
  device: DEVICE_STOPS,
  login: LOGIN_STOPS,
  account: ACCOUNT_STOPS,
  recovery: RECOVERY_STOPS,
  notices: NOTICE_STOPS,
  helpdesk: HELPDESK_STOPS,
  slip: SLIP_STOPS,
  slipDesk: SLIP_DESK_STOPS,
};

const STOPS: Readonly<Record<PageName | State, string>> = {
  ...LOGIN_STOPS,
  ...ACCOUNT_STOPS,
  ...RECOVERY_STOPS,
  ...NOTICE_STOPS,
  ...HELPDESK_STOPS,
  ...SLIP_DESK_STOPS,
  ...SLIP_STOPS,
  ...DEVICE_STOPS,
  ...CLIENT_STOPS,
};

export type Stop = keyof typeof STOPS;

const STOP_NAMES = Object.keys(STOPS) as Stop[];

export const pageOf = (stop: Stop): string => stop.split(',')[0] ?? '';

export const pictureOf = (stop: Stop, size: Size): string => `${stop.replace(/[^a-z]+/g, '-')}-${size}.png`;

export const PICTURES: readonly string[] = STOP_NAMES.flatMap((stop) =>
  (Object.keys(SIZES) as Size[]).map((size) => pictureOf(stop, size)),
);

/** `docs/tour/README.md`. */
export function writeReadme(): string {
  const image = (stop: Stop, size: Size, width: number): string =>
    `<img src="${pictureOf(stop, size)}" width="${width}" alt="${stop}, ${size}">`;
  const sections = STOP_NAMES.map((stop) =>
    [
      `## ${stop}`,
      STOPS[stop],
      `| phone | desktop |\n| --- | --- |\n| ${image(stop, 'phone', 240)} | ${image(stop, 'desktop', 640)} |`,
    ].join('\n\n'),
  );
  const head = [
    '# Every page, in the order people meet them',
    'The browser tests walk this way and take these pictures: `UPDATE_TOUR=1 npm test -- test/browser/tour`. Without that setting they only look whether each page has its pictures.',
  ];
  return `${[...head, ...sections].join('\n\n')}\n`;
}
