import type { CodeMail, LetterKind, Letters, MailKind, MailOccasion, NoticeKind, Notices } from './mails.js';

/** A sentence yet to be put into HTML or plain text. */
export interface Sentence {
  readonly key: string;
  readonly values: Readonly<Record<string, string>>;
}

export interface Section {
  readonly title: Sentence;
  readonly text: readonly Sentence[];
  readonly link: MailLink | null;
}

export interface MailLink {
  readonly label: Sentence;
  readonly href: string;
}

/** A mail before it becomes text and HTML: both are written from this, so that neither says more. */
export interface Letter {
  readonly title: Sentence;
  readonly before: readonly Sentence[];
  readonly code: string | null;
  readonly link: MailLink | null;
  readonly after: readonly Sentence[];
  /** What to do about what the mail itself tells, where other notices follow. */
  readonly advice: Section | null;
  /** Over those others. */
  readonly also: Sentence | null;
  /** Of several notices: each with its time, and with what to do where there is something. */
  readonly events: readonly {
    readonly when: Sentence;
    readonly title: Sentence;
    readonly text: readonly Sentence[];
    readonly advice: Section | null;
  }[];
  readonly sections: readonly Section[];
  readonly foot: readonly Sentence[];
}

/** What one notice says, before it is known whether it stands alone. */
export interface Telling {
  readonly title: Sentence;
  readonly text: readonly Sentence[];
  readonly notYou: Section;
  /** `notYou` says what to do beside choosing "Bukan saya": it is told among other notices too. */
  readonly todo?: true;
}

/** The sentences of one mail, its occasion already in their values. */
export interface Words {
  readonly say: (key: string, values?: Readonly<Record<string, string>>) => Sentence;
  readonly section: (key: string) => Section;
  /** The zones spelt out, for a moment people must not miss. */
  readonly until: (at: Date) => Sentence;
  readonly day: (at: Date) => string;
  /** When something may be used: `opensDate`, `opensTime`. */
  readonly opens: (at: Date) => Readonly<Record<'opensDate' | 'opensTime', string>>;
  readonly foot: (key: 'asked' | 'happened' | 'account') => readonly Sentence[];
}

const codeLetter = (kind: LetterKind, { code, expiresAt }: CodeMail, words: Words): Letter => ({
  title: words.say(`${kind}.title`),
  before: [words.say('code.lead')],
  code,
  link: null,
  after: [words.until(expiresAt)],
  advice: null,
  also: null,
  events: [],
  sections: [words.section(`${kind}.notYou`), words.section('code.guard')],
  foot: words.foot('asked'),
});

/** Why a code that was asked for does not come, and what to do. */
const refusalLetter = (kind: 'reset-frozen' | 'reset-inactive', words: Words): Letter => ({
  title: words.say(`${kind}.title`),
  before: [words.say(`${kind}.text`)],
  code: null,
  link: null,
  after: [],
  advice: null,
  also: null,
  events: [],
  sections: [words.section(`${kind}.todo`), words.section(`${kind}.notYou`)],
  foot: words.foot('asked'),
});

const notice = (kind: NoticeKind, text: readonly Sentence[], { say, section }: Words): Telling => ({
  title: say(`${kind}.title`),
  text,
  notYou: section(`${kind}.notYou`),
});

/** One that says what to do. */
const actedOn = (...given: Parameters<typeof notice>): Telling => ({ ...notice(...given), todo: true });

const plainNotice =
  (kind: NoticeKind) =>
  (_: MailOccasion, words: Words): Telling =>
    notice(kind, [words.say(`${kind}.text`)], words);

const plainActedOn =
  (kind: NoticeKind) =>
  (_: MailOccasion, words: Words): Telling =>
    actedOn(kind, [words.say(`${kind}.text`)], words);

/** What each mail says by itself. */
export const LETTERS: { readonly [K in LetterKind]: (data: Letters[K], words: Words) => Letter } = {
  'reset-code': (data, words) => codeLetter('reset-code', data, words),
  'reset-frozen': (_, words) => refusalLetter('reset-frozen', words),
  'reset-inactive': (_, words) => refusalLetter('reset-inactive', words),
  'enrolment-code': (data, words) => codeLetter('enrolment-code', data, words),
  'mfa-reset-code': (data, words) => codeLetter('mfa-reset-code', data, words),
  'contact-code': (data, words) => codeLetter('contact-code', data, words),
  'contact-invitation': ({ href, expiresAt }, words) => ({
    title: words.say('contact-invitation.title'),
    before: [words.say('contact-invitation.text')],
    code: null,
    link: { label: words.say('contact-invitation.label'), href },
    after: [words.say('contact-invitation.until', { until: words.day(expiresAt) })],
    advice: null,
    also: null,
    events: [],
    sections: [words.section('contact-invitation.notYou')],
    foot: words.foot('asked'),
  }),
};

/** What each notice says, alone or among others. */
export const NOTICES: { readonly [K in NoticeKind]: (data: Notices[K], words: Words) => Telling } = {
  'password-changed': plainNotice('password-changed'),
  'authenticator-added': ({ deviceName, isAnother = false }, words) => {
    if (!isAnother)
      return notice('authenticator-added', [words.say('authenticator-added.text', { deviceName })], words);
    const telling = notice('authenticator-added', [words.say('authenticator-added.another', { deviceName })], words);
    return { ...telling, notYou: { ...telling.notYou, text: [words.say('authenticator-added.notYou.another')] } };
  },
  'passkey-added': ({ deviceName }, words) =>
    notice('passkey-added', [words.say('passkey-added.text', { deviceName })], words),
  'passkey-copied': plainActedOn('passkey-copied'),
  'authenticator-removed': ({ deviceName }, words) =>
    actedOn('authenticator-removed', [words.say('authenticator-removed.text', { deviceName })], words),
  'authenticator-moved': ({ deviceName, oldName }, words) =>
    actedOn('authenticator-moved', [words.say('authenticator-moved.text', { deviceName, oldName })], words),
  'recovery-codes-renewed': plainActedOn('recovery-codes-renewed'),
  'recovery-codes-few': ({ left }, words) => {
    const values = { left: String(left) };
    const [title, text] = left === 0 ? ['used', 'usedText'] : ['title', 'text'];
    const telling = actedOn('recovery-codes-few', [words.say(`recovery-codes-few.${text}`, values)], words);
    return { ...telling, title: words.say(`recovery-codes-few.${title}`, values) };
  },
  'authenticator-disabled': plainActedOn('authenticator-disabled'),
  'mfa-reset': ({ by }, words) => {
    const who = by ? words.say('mfa-reset.byOfficer', { ...by }) : words.say('mfa-reset.byOperator');
    return notice('mfa-reset', [who, words.say('mfa-reset.text')], words);
  },
  'mfa-reset-waiting': ({ dueAt, stopUrl, again }, words) => {
    const { opensDate: dueDate, opensTime: dueTime } = words.opens(dueAt);
    const text = words.say(`mfa-reset-waiting.${again ? 'again' : 'text'}`, { dueDate, dueTime });
    const telling = notice('mfa-reset-waiting', [text, words.say('mfa-reset-waiting.then')], words);
    const link = { label: words.say('mfa-reset-waiting.label'), href: stopUrl };
    return { ...telling, notYou: { ...telling.notYou, link }, todo: true };
  },
  'mfa-reset-stopped': plainActedOn('mfa-reset-stopped'),
  'mfa-own-reset': ({ left }, words) =>
    actedOn('mfa-own-reset', [words.say('mfa-own-reset.text'), words.say(`mfa-own-reset.left.${left}`)], words),
  'password-disabled': plainNotice('password-disabled'),
  'wrong-code-warning': plainActedOn('wrong-code-warning'),
  'new-browser': ({ browser, system, network }, words) => {
    const known = browser !== '' && system !== '';
    const text = known
      ? words.say('new-browser.named', { browser, system, network })
      : words.say('new-browser.unnamed', { network });
    return notice('new-browser', [text], words);
  },
  'contact-change-asked': plainNotice('contact-change-asked'),
  'contact-change-waiting': ({ opensAt, newHint, frozen }, words) => {
    const text = words.say('contact-change-waiting.text', { newHint, ...words.opens(opensAt) });
    const telling = actedOn('contact-change-waiting', [text], words);
    return frozen ? { ...telling, notYou: words.section('contact-change-waiting.frozen') } : telling;
  },
  'contact-changed': ({ by }, words) => notice('contact-changed', [words.say(`contact-changed.by.${by}`)], words),
  'account-frozen': (data, words) => {
    const { officer, agency } = data.by === 'officer' ? data : { officer: '', agency: '' };
    const who = words.say(`account-frozen.by.${data.by}`, { officer, agency });
    return actedOn('account-frozen', [who, words.say('account-frozen.text')], words);
  },
  'account-unfrozen': ({ password, by }, words) => {
    const who = by ? words.say('account-unfrozen.byOfficer', { ...by }) : words.say('account-unfrozen.byOperator');
    return notice('account-unfrozen', [who, words.say(`account-unfrozen.password.${password}`)], words);
  },
  'officer-acted': ({ action, by }, words) => {
    const who = by ? words.say('officer-acted.byOfficer', { ...by }) : words.say('officer-acted.byOperator');
    const telling = notice('officer-acted', [who, words.say(`officer-acted.text.${action}`)], words);
    return { ...telling, title: words.say(`officer-acted.title.${action}`) };
  },
};

/** Whether a mail tells of something that happened to the account, and may wait for others of its kind. */
export const isNotice = (kind: MailKind): kind is NoticeKind => Object.hasOwn(NOTICES, kind);

const URGENT: ReadonlySet<NoticeKind> = new Set([
  'mfa-reset',
  'mfa-reset-waiting',
  'contact-change-waiting',
  'contact-changed',
  'account-frozen',
  'account-unfrozen',
  'officer-acted',
  'passkey-copied',
]);

/** Minutes count: the owner may stop it, or should look at once. Such a notice waits for no other, and comes first. */
export const isUrgent = (kind: NoticeKind): boolean => URGENT.has(kind);

/** One notice in words. */
export const tell = <K extends NoticeKind>(kind: K, data: Notices[K], words: Words): Telling =>
  NOTICES[kind](data, words);
