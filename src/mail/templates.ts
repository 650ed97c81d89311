import { join } from 'node:path';
import { loadTranslators, timesIn, type Locale, type Translators } from '../web/locale.js';
import type { Brand } from '../web/pages.js';
import { richTextIn, type RichText } from '../web/rich-text.js';
import { loadTemplates } from '../web/templates.js';
import type { DisavowLink, LetterKind, Letters, MailOccasion, NoticeEvent } from './mails.js';
import {
  isUrgent,
  LETTERS,
  tell,
  type Letter,
  type MailLink,
  type Section,
  type Sentence,
  type Words,
} from './wording.js';

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Writes mails in one language; text and HTML say the same. */
export interface MailWriter {
  /** Code mails hold no link at all. */
  letter<K extends LetterKind>(kind: K, data: Letters[K], locale: Locale): RenderedMail;
  /**
   * One event, or a list of several by time; an urgent one leads, and the others follow it. Without a link where there
   * is nothing left to disavow.
   */
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
  const { date, time: timeIn } = timesIn(locale);
  // In all three zones: nobody should have to reckon whether they were at work then.
  const time = (when: Date): string => `${timeIn(when)} (${timeIn(when, 'WITA')}, ${timeIn(when, 'WIT')})`;
  const shared = { name: brand.name, host: brand.host, date: date(at), time: time(at), nipEnding };
  const say: Words['say'] = (key, values) => ({ key: `mail.${key}`, values: { ...shared, ...values } });
  return {
    say,
    section: (key) => ({ title: say(`${key}.title`), text: [say(`${key}.text`)], link: null }),
    until: (end) => say('code.until', { wib: timeIn(end), wita: timeIn(end, 'WITA'), wit: timeIn(end, 'WIT') }),
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
  { title, before, code, link, after, advice, also, events, sections, foot }: Letter,
  plain: (sentence: Sentence) => string,
): string {
  const linked = (to: MailLink | null): string[] => (to === null ? [] : [`${plain(to.label)}: ${to.href}`]);
  const lines = (section: Section | null): string[] =>
    section === null ? [] : [plain(section.title), ...section.text.map(plain), ...linked(section.link)];
  const blocks = [
    plain(title),
    ...before.map(plain),
    ...(code === null ? [] : [code]),
    ...linked(link),
    ...after.map(plain),
    ...(advice === null ? [] : [lines(advice).join('\n')]),
    ...(also === null ? [] : [plain(also)]),
    ...events.map((event) =>
      [...[event.title, event.when, ...event.text].map(plain), ...lines(event.advice)].join('\n'),
    ),
    ...sections.map((section) => lines(section).join('\n')),
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
      const lead = told.length === 1 ? told[0] : told.findLast(({ kind }) => isUrgent(kind));
      const others = told.filter((each) => each !== lead);
      const subjectOf = (kind: string, count = told.length): string =>
        texts[locale](`mail.${kind}.subject`, { name: brand.name, count });
      const bare = { code: null, link: null, after: [] };
      const listed = others.map(({ title, text, notYou, todo, words }) => ({
        title,
        when: words.say('several.when'),
        text,
        advice: todo === true ? notYou : null,
      }));
      if (lead !== undefined) {
        const { kind, title, text, notYou, words } = lead;
        const isAlone = others.length === 0;
        const letter: Letter = {
          ...bare,
          title,
          before: text,
          advice: isAlone ? null : notYou,
          also: isAlone ? null : words.say('several.also'),
          events: listed,
          sections: isAlone ? advised(notYou, words, disavow) : disavowal(words, disavow),
          foot: words.foot('happened'),
        };
        return write(letter, { locale, subject: subjectOf(kind) });
      }
      const words = told[0]?.words;
      if (words === undefined) throw new Error('a notice without an event');
      const letter: Letter = {
        ...bare,
        title: words.say('several.title'),
        before: [words.say('several.text')],
        advice: null,
        also: null,
        events: listed,
        sections: disavowal(words, disavow),
        foot: words.foot('account'),
      };
      return write(letter, { locale, subject: subjectOf('several') });
    },
  };
}
