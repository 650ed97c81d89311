import { join } from 'node:path';
import { loadTranslators, timesIn, type Locale, type Translators } from '../web/locale.js';
import type { Brand } from '../web/pages.js';
import { richTextIn, type RichText } from '../web/rich-text.js';
import { loadTemplates } from '../web/templates.js';

/** What every mail is about: when it happened, where when that is known, and whose account it is. */
export interface MailOccasion {
  readonly at: Date;
  /** The last three digits of the NIP: enough to know it again, too little to be one. */
  readonly nipEnding: string;
  /** Of the browser's network, as coarse as a city. */
  readonly place?: string | undefined;
}

interface CodeMail extends MailOccasion {
  /** `XXXXX-XXXXX` */
  readonly code: string;
  readonly expiresAt: Date;
}

/** Every mail we send, and what it is given. */
export interface Mails {
  'reset-code': CodeMail;
  /** Proof of the mailbox before an authenticator is set up. */
  'enrolment-code': CodeMail;
  'password-changed': MailOccasion;
  'authenticator-added': MailOccasion & { readonly deviceName: string };
  'passkey-added': MailOccasion & { readonly deviceName: string };
  /** A passkey whose counter went back: somebody may hold a copy of it. */
  'passkey-copied': MailOccasion;
  /** After 50 wrong codes. */
  'authenticator-disabled': MailOccasion;
  /** By the helpdesk, or, without `by`, by a national operator. */
  'mfa-reset': MailOccasion & { readonly by?: { readonly officer: string; readonly agency: string } | undefined };
  /** After 100 wrong passwords. */
  'password-disabled': MailOccasion;
  /** Right password, three wrong codes: somebody may know the password. */
  'wrong-code-warning': MailOccasion;
}

export type MailKind = keyof Mails;

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Writes one mail in one language; text and HTML say the same. Code mails hold no link at all. */
export type RenderMail = <K extends MailKind>(kind: K, data: Mails[K], locale: Locale) => RenderedMail;

export interface MailTemplatesOptions {
  /** `views/` */
  readonly directory: string;
  readonly brand: Brand;
  /** The texts; those of `locales/` unless given. */
  readonly translators?: Translators | undefined;
}

/** A sentence yet to be put into HTML or plain text. */
interface Sentence {
  readonly key: string;
  readonly values: Readonly<Record<string, string>>;
}

/** A mail before it becomes text and HTML: both are written from this, so that neither says more. */
interface Letter {
  readonly title: Sentence;
  readonly before: readonly Sentence[];
  readonly code: string | null;
  readonly after: readonly Sentence[];
  readonly sections: readonly { readonly title: Sentence; readonly text: Sentence }[];
  readonly foot: readonly Sentence[];
}

/** The sentences of one mail, its occasion already in their values. */
interface Words {
  readonly say: (key: string, values?: Readonly<Record<string, string>>) => Sentence;
  readonly section: (key: string) => Letter['sections'][number];
  /** The zones spelt out, for a moment people must not miss. */
  readonly until: (at: Date) => Sentence;
  readonly foot: (key: 'asked' | 'happened') => readonly Sentence[];
}

function wordsFor({ at, nipEnding, place }: MailOccasion, { locale, brand }: { locale: Locale; brand: Brand }): Words {
  const { date, time } = timesIn(locale);
  const shared = { name: brand.name, host: brand.host, date: date(at), time: time(at), nipEnding };
  const say: Words['say'] = (key, values) => ({ key: `mail.${key}`, values: { ...shared, ...values } });
  return {
    say,
    section: (key) => ({ title: say(`${key}.title`), text: say(`${key}.text`) }),
    until: (end) => say('code.until', { wib: time(end), wita: time(end, 'WITA'), wit: time(end, 'WIT') }),
    foot: (key) => [place === undefined ? say(`foot.${key}`) : say(`foot.${key}From`, { place }), say('foot.sender')],
  };
}

const codeLetter = (kind: MailKind, { code, expiresAt }: CodeMail, { say, section, until, foot }: Words): Letter => ({
  title: say(`${kind}.title`),
  before: [say('code.lead')],
  code,
  after: [until(expiresAt)],
  sections: [section(`${kind}.notYou`), section('code.guard')],
  foot: foot('asked'),
});

const notice = (kind: MailKind, text: readonly Sentence[], { say, section, foot }: Words): Letter => ({
  title: say(`${kind}.title`),
  before: text,
  code: null,
  after: [],
  sections: [section(`${kind}.notYou`)],
  foot: foot('happened'),
});

const plainNotice =
  (kind: MailKind) =>
  (_: MailOccasion, words: Words): Letter =>
    notice(kind, [words.say(`${kind}.text`)], words);

const LETTERS: { readonly [K in MailKind]: (data: Mails[K], words: Words) => Letter } = {
  'reset-code': (data, words) => codeLetter('reset-code', data, words),
  'enrolment-code': (data, words) => codeLetter('enrolment-code', data, words),
  'password-changed': plainNotice('password-changed'),
  'authenticator-added': ({ deviceName }, words) =>
    notice('authenticator-added', [words.say('authenticator-added.text', { deviceName })], words),
  'passkey-added': ({ deviceName }, words) =>
    notice('passkey-added', [words.say('passkey-added.text', { deviceName })], words),
  'passkey-copied': plainNotice('passkey-copied'),
  'authenticator-disabled': plainNotice('authenticator-disabled'),
  'mfa-reset': ({ by }, words) => {
    const who = by ? words.say('mfa-reset.byOfficer', { ...by }) : words.say('mfa-reset.byOperator');
    return notice('mfa-reset', [who, words.say('mfa-reset.text')], words);
  },
  'password-disabled': plainNotice('password-disabled'),
  'wrong-code-warning': plainNotice('wrong-code-warning'),
};

function plainText(
  { title, before, code, after, sections, foot }: Letter,
  plain: (sentence: Sentence) => string,
): string {
  const blocks = [
    plain(title),
    ...before.map(plain),
    ...(code === null ? [] : [code]),
    ...after.map(plain),
    ...sections.map((section) => `${plain(section.title)}\n${plain(section.text)}`),
    foot.map(plain).join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Compiles the templates and reads the texts once; throws when one is broken. */
export function createMailTemplates({ directory, brand, translators }: MailTemplatesOptions): RenderMail {
  const renderTemplate = loadTemplates(join(directory, 'mail'));
  const texts = translators ?? loadTranslators(join(directory, 'locales'));
  const languages: Readonly<Record<Locale, RichText>> = {
    id: richTextIn('id', texts.id),
    en: richTextIn('en', texts.en),
  };

  return (kind, data, locale) => {
    const language = languages[locale];
    const letter = LETTERS[kind](data, wordsFor(data, { locale, brand }));
    const subject = texts[locale](`mail.${kind}.subject`, { name: brand.name });
    const html = ({ key, values }: Sentence): string => language.rich(key, values);
    return {
      subject,
      text: plainText(letter, ({ key, values }) => language.plain(key, values)),
      html: renderTemplate('letter', { locale, subject, brand, letter, html }),
    };
  };
}
