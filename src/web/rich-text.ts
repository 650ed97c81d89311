import type { Locale, Translate } from './locale.js';
import { escapeHtml } from './templates.js';

type Values = Readonly<Record<string, string | number>>;

/**
 * The few marks a text in `locales/` may carry: `**strong**`, `[label](/path)` and `__word__` for a
 * word of the other language. Everything else is escaped, so that no text or value can hold HTML.
 */
function toHtml(text: string, locale: Locale): string {
  const other = locale === 'id' ? 'en' : 'id';
  return escapeHtml(text)
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/__(.+?)__/g, `<span lang="${other}">$1</span>`)
    .replace(/\[([^\]]+)\]\(((?:\/(?!\/)|#)[a-z/-]*)\)/g, '<a href="$2">$1</a>');
}

const toPlain = (text: string): string => text.replace(/\*\*|__/g, '');

/** Values are put in after the marks were read: a device named `**x**` stays that. */
function fill(
  t: Translate,
  key: string,
  values: Values,
  form: { text(text: string): string; value(value: string): string },
) {
  const names = Object.keys(values);
  const holes = Object.fromEntries(names.map((name, index) => [name, `\uE000${index}\uE001`]));
  return form
    .text(t(key, holes))
    .replace(/\uE000(\d+)\uE001/g, (_, index: string) => form.value(String(values[names[Number(index)] ?? ''])));
}

export interface RichText {
  /** A text whose values hold nothing a person typed, as HTML. */
  marked(text: string): string;
  /** A text by its key, as HTML. */
  rich(key: string, values?: Values): string;
  /** The same text without marks. */
  plain(key: string, values?: Values): string;
}

export function richTextIn(locale: Locale, t: Translate): RichText {
  const marked = (text: string): string => toHtml(text, locale);
  return {
    marked,
    rich: (key, values = {}) => fill(t, key, values, { text: marked, value: escapeHtml }),
    plain: (key, values = {}) => fill(t, key, values, { text: toPlain, value: (value) => value }),
  };
}
