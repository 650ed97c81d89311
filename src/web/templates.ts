import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { Eta } from 'eta';

/** Renders one compiled template; `name` is its path below the directory, without the extension. */
export type RenderTemplate = (name: string, data: object) => string;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML, also inside double-quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

/** What `<%= %>` prints. Only words and numbers: `undefined`, `null` or an object on a page is a bug, never a text. */
function print(value: unknown): string {
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  throw new TypeError(`A template tried to print ${value === null ? 'null' : typeof value}`);
}

/** Reading a member that was not given throws, also in a condition; optional ones are read from `it.maybe`. */
const strict = (name: string, data: object): object =>
  new Proxy(data, {
    get(target, key) {
      if (typeof key === 'symbol' || Object.hasOwn(target, key)) return Reflect.get(target, key) as unknown;
      throw new TypeError(`Template ${name} was not given ${key}`);
    },
  });

/**
 * Compiles every `.eta` file below the directory, so that a broken one stops the start and not a
 * request. Raw output (`<%~ %>`) is kept to layout, parts and `it.rich` by a test.
 */
export function loadTemplates(directory: string): RenderTemplate {
  const eta = new Eta({ autoEscape: true, escapeFunction: print });
  for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!file.name.endsWith('.eta')) continue;
    const path = join(file.parentPath, file.name);
    const name = relative(directory, path).slice(0, -'.eta'.length).replaceAll(sep, '/');
    eta.loadTemplate(`@${name}`, readFileSync(path, 'utf8'));
  }
  return (name, data) => eta.render(`@${name}`, strict(name, data));
}
