import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCALES, loadTranslators, timesIn, ZONE_NAMES, type Locale, type Times, type Translators } from './locale.js';
import type { PageError, PageName, Pages, Shell } from './pages.js';
import { describeProblem, type Problem } from './problem.js';
import { escapeHtml, loadTemplates } from './templates.js';

export interface Views {
  /** A whole HTML document. Throws when a template asks for what it was not given, or a text is missing. */
  render<K extends PageName>(page: K, data: Pages[K], shell: Shell): string;
}

export interface ViewsOptions {
  /** `views/`: templates, `locales/`, `assets/`. */
  readonly directory: string;
  /** The texts; those of `locales/` unless given. */
  readonly translators?: Translators | undefined;
}

/**
 * The few marks a text in `locales/` may carry: `**strong**`, `[label](/path)` and `__word__` for a
 * word of the other language. Everything else is escaped, so that no text or value can hold HTML.
 */
function marked(text: string, locale: Locale): string {
  const other = locale === 'id' ? 'en' : 'id';
  return escapeHtml(text)
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/__(.+?)__/g, `<span lang="${other}">$1</span>`)
    .replace(/\[([^\]]+)\]\(((?:\/(?!\/)|#)[a-z/-]*)\)/g, '<a href="$2">$1</a>');
}

type Values = Readonly<Record<string, string | number>>;

/** Everything of one language that does not change from page to page. */
function language(locale: Locale, translators: Translators) {
  const t = translators[locale];
  const times: Times = timesIn(locale);
  /** Values are put in after the marks were read: a device named `**x**` stays that. */
  const rich = (key: string, values: Values = {}): string => {
    const names = Object.keys(values);
    const holes = Object.fromEntries(names.map((name, index) => [name, `\uE000${index}\uE001`]));
    return marked(t(key, holes), locale).replace(/\uE000(\d+)\uE001/g, (_, index: string) =>
      escapeHtml(String(values[names[Number(index)] ?? ''])),
    );
  };
  return { locale, t, times, rich, marked: (text: string) => marked(text, locale) };
}

/** `/assets/styles.css?v=1a2b3c4d`: a new file is a new address, so that browsers may keep the old one for good. */
function versioned(directory: string, name: string): string {
  const digest = createHash('sha256')
    .update(readFileSync(join(directory, 'assets', name)))
    .digest('hex');
  return `/assets/${name}?v=${digest.slice(0, 8)}`;
}

const errorOf = (data: object): PageError | undefined => ('error' in data ? (data.error as PageError) : undefined);

/** Compiles all templates and reads all texts; throws when one is broken. */
export function createViews({ directory, translators }: ViewsOptions): Views {
  const renderTemplate = loadTemplates(directory);
  const texts = translators ?? loadTranslators(join(directory, 'locales'));
  const languages = Object.fromEntries(LOCALES.map((locale) => [locale, language(locale, texts)])) as Readonly<
    Record<Locale, ReturnType<typeof language>>
  >;
  const assets = { stylesheet: versioned(directory, 'styles.css'), icon: versioned(directory, 'mark.svg') };

  return {
    render(page, data, shell) {
      const spoken = languages[shell.locale];
      const error = errorOf(data);
      const problem: Problem | null =
        error === undefined ? null : describeProblem(error, { page, now: shell.now, t: spoken.t, times: spoken.times });
      const frame = {
        ...spoken,
        ...assets,
        page,
        problem,
        zones: ZONE_NAMES,
        brand: shell.brand,
        csrf: shell.csrf,
        // `//evil.example` is a path here, and another site in a link.
        path: shell.path.replace(/^[/\\]+/, '/'),
        now: shell.now,
        person: shell.person ?? null,
        requestId: shell.requestId ?? null,
        part: (name: string, members: object = {}): string =>
          renderTemplate(`parts/${name}`, { ...frame, ...members, maybe: members }),
      };
      return renderTemplate(page, { ...data, ...frame, maybe: data });
    },
  };
}
