import { join } from 'node:path';
import { loadTranslators, timesIn, type Locale, type Translators } from '../web/locale.js';
import type { Brand } from '../web/pages.js';
import { richTextIn, type RichText } from '../web/rich-text.js';
import { loadTemplates } from '../web/templates.js';
import type { DisavowLink, LetterKind, Letters, MailOccasion, NoticeEvent } from './mails.js';
import { LETTERS, tell, type Letter, type Section, type Sentence, type Words } from './wording.js';

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Writes mails in one language; text and HTML say the same. */
export interface MailWriter {
  /** Code mails hold no link at all. */
  letter<K extends LetterKind>(kind: K, data: Letters[K], locale: Locale): RenderedMail;
  /** One event, or a list of several by time. Without a link where there is nothing left to disavow. */
  notices(events: readonly NoticeEvent[], locale: Locale, disavow: DisavowLink | undefined): RenderedMail;
}

export interface MailTemplatesOptions {
  /** `views/` */
  readonly directory: string;
  readonly brand: Brand;
  /** The texts; those of `locales/` unless given. */
  readonly translators?: Translators | undefined;
}

function wordsFor({ at, nipEnding, place }: MailOccasion, { locale, brand }: { locale: Locale; brand: Brand }): Words {
  const { date, time } = timesIn(locale);
  const shared = { name: brand.name, host: brand.host, date: date(at), time: time(at), nipEnding };
  const say: Words['say'] = (key, values) => ({ key: `mail.${key}`, values: { ...shared, ...values } });
  return {
    say,
    section: (key) => ({ title: say(`${key}.title`), text: [say(`${key}.text`)], link: null }),
    until: (end) => say('code.until', { wib: time(end), wita: time(end, 'WITA'), wit: time(end, 'WIT') }),
    day: date,
    opens: (opens) => ({ opensDate: date(opens), opensTime: time(opens) }),
    foot: (key) => [
      place === undefined || key === 'account' ? say(`foot.${key}`) : say(`foot.${key}From`, { place }),
      say('foot.sender'),
    ],
  };
}

/** The way to disavow what happened, in a section of its own. */
const disavowal = (words: Words, disavow: DisavowLink | undefined): readonly Section[] =>
  disavow === undefined
    ? []
    : [disavowable({ title: words.say('disavow.title'), text: [], link: null }, words, disavow)];

/** The advice of a notice, with the way to disavow what happened; apart where the advice has a link of its own. */
const advised = (section: Section, words: Words, disavow: DisavowLink | undefined): readonly Section[] =>
  section.link === null ? [disavowable(section, words, disavow)] : [section, ...disavowal(words, disavow)];

function disavowable(section: Section, words: Words, disavow: DisavowLink | undefined): Section {
  if (disavow === undefined) return section;
  const act = words.say('disavow.act', { until: words.day(disavow.until) });
  return {
    title: section.title,
    text: [...section.text, act],
    link: { label: words.say('disavow.label'), href: disavow.href },
  };
}

function plainText(
  { title, before, code, link, after, events, sections, foot }: Letter,
  plain: (sentence: Sentence) => string,
): string {
  const blocks = [
    plain(title),
    ...before.map(plain),
    ...(code === null ? [] : [code]),
    ...(link === null ? [] : [link.href]),
    ...after.map(plain),
    ...events.map((event) => [event.title, event.when, ...event.text].map(plain).join('\n')),
    ...sections.map((section) =>
      [plain(section.title), ...section.text.map(plain), ...(section.link === null ? [] : [section.link.href])].join(
        '\n',
      ),
    ),
    foot.map(plain).join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Compiles the templates and reads the texts once; throws when one is broken. */
export function createMailTemplates({ directory, brand, translators }: MailTemplatesOptions): MailWriter {
  const renderTemplate = loadTemplates(join(directory, 'mail'));
  const texts = translators ?? loadTranslators(join(directory, 'locales'));
  const languages: Readonly<Record<Locale, RichText>> = {
    id: richTextIn('id', texts.id),
    en: richTextIn('en', texts.en),
  };

  function write(letter: Letter, { locale, subject }: { locale: Locale; subject: string }): RenderedMail {
    const language = languages[locale];
    const html = ({ key, values }: Sentence): string => language.rich(key, values);
    return {
      subject,
      text: plainText(letter, ({ key, values }) => language.plain(key, values)),
      html: renderTemplate('letter', { locale, subject, brand, letter, html }),
    };
  }

  return {
    letter(kind, data, locale) {
      const letter = LETTERS[kind](data, wordsFor(data, { locale, brand }));
      return write(letter, { locale, subject: texts[locale](`mail.${kind}.subject`, { name: brand.name }) });
    },

    notices(events, locale, disavow) {
      const told = [...events]
        .sort((a, b) => a.data.at.getTime() - b.data.at.getTime())
        .map(({ kind, data }) => {
          const words = wordsFor(data, { locale, brand });
          return { kind, words, ...tell(kind, data as never, words) };
        });
      const [first, ...others] = told;
      if (first === undefined) throw new Error('a notice without an event');
      const { words } = first;
      const bare = { code: null, link: null, after: [] };
      if (others.length === 0) {
        const { title, text, notYou } = first;
        const sections = advised(notYou, words, disavow);
        const subject = texts[locale](`mail.${first.kind}.subject`, { name: brand.name });
        return write(
          { ...bare, title, before: text, events: [], sections, foot: words.foot('happened') },
          { locale, subject },
        );
      }
      const letter: Letter = {
        ...bare,
        title: words.say('several.title'),
        before: [words.say('several.text')],
        events: told.map((each) => ({ title: each.title, when: each.words.say('several.when'), text: each.text })),
        sections: [
          ...told.filter(({ todo }) => todo === true).map(({ notYou }) => notYou),
          ...disavowal(words, disavow),
        ],
        foot: words.foot('account'),
      };
      const subject = texts[locale]('mail.several.subject', { name: brand.name, count: told.length });
      return write(letter, { locale, subject });
    },
  };
}
