import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTranslators, timesIn, ZONE_NAMES, type Locale, type Times, type Translators } from './locale.js';
import { SCRIPTED, type PageError, type PageName, type Pages, type Shell } from './pages.js';
import { describeProblem, type Problem } from './problem.js';
import { richTextIn } from './rich-text.js';
import { loadTemplates } from './templates.js';

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

/** Everything of one language that does not change from page to page. */
function language(locale: Locale, translators: Translators) {
  const t = translators[locale];
  const times: Times = timesIn(locale);
  return { locale, t, times, ...richTextIn(locale, t) };
}

/** `/assets/styles.css?v=1a2b3c4d`: a new file is a new address, so that browsers may keep the old one for good. */
function versioned(directory: string, name: string): string {
  const digest = createHash('sha256')
    .update(readFileSync(join(directory, 'assets', name)))
    .digest('hex');
  return `/assets/${name}?v=${digest.slice(0, 8)}`;
}

/**
 * Where a reader finds the page again: some addresses only take a form. `//evil.example` is a path here, and another
 * site in a link.
 */
const readable = (path: string): string =>
  path
    .replace(/^[/\\]+/, '/')
    // The sign-in itself knows which step is due.
    .replace(/^(\/sign-in\/[^/]+)\/.*$/, '$1')
    .replace(/^(\/reset\/(?:password|mfa))\/resend$/, '$1/code')
    .replace(/^(\/reset\/mfa)\/recovery-code$/, '$1/factor')
    .replace(/^(\/reset\/mfa)\/start$/, '$1')
    .replace(/^(\/aktivasi)\/picture$/, '$1')
    .replace(/^(\/account)\/mfa-reset\/stop$/, '$1/devices')
    .replace(/^(\/account\/data)\/file$/, '$1')
    .replace(/^(\/helpdesk\/audit)\/export\/\w+$/, '$1')
    .replace(/(\/logout)\/confirm$/, '$1')
    .replace(/^(\/demo\/[^/]+)?\/logout$/, '$1') || '/';

const errorOf = (data: object): PageError | undefined => ('error' in data ? (data.error as PageError) : undefined);

/** Compiles all templates and reads all texts; throws when one is broken. */
export function createViews({ directory, translators }: ViewsOptions): Views {
  const renderTemplate = loadTemplates(directory);
  const texts = translators ?? loadTranslators(join(directory, 'locales'));
  const languages = { id: language('id', texts), en: language('en', texts) };
  const assets = { stylesheet: versioned(directory, 'styles.css'), icon: versioned(directory, 'mark.svg') };
  const script = versioned(directory, 'passkey.js');

  return {
    render(page, data, shell) {
      const spoken = languages[shell.locale];
      const error = errorOf(data);
      const problem: Problem | null =
        error === undefined ? null : describeProblem(error, { page, now: shell.now, t: spoken.t, times: spoken.times });
      const frame = {
        ...spoken,
        ...assets,
        script: SCRIPTED.has(page) ? script : null,
        page,
        problem,
        zones: ZONE_NAMES,
        brand: shell.brand,
        csrf: shell.csrf,
        path: readable(shell.path),
        now: shell.now,
        person: shell.person ?? null,
        officer: shell.officer ?? null,
        portal: shell.portalOrigin ?? '',
        requestId: shell.requestId ?? null,
        part: (name: string, members: object = {}): string =>
          renderTemplate(`parts/${name}`, { ...frame, ...members, maybe: members }),
      };
      return renderTemplate(page, { ...data, ...frame, maybe: data });
    },
  };
}
