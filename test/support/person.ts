import { createHash } from 'node:crypto';

/** One page as a person's browser holds it. */
export interface Shown {
  readonly status: number;
  readonly url: URL;
  readonly html: string;
  readonly headers: Headers;
  /** `data-page` of the main element. */
  readonly page: string | undefined;
  /** Codes of all errors shown. */
  readonly errors: readonly string[];
}

/** A browser without JavaScript: cookies, redirects, forms. Speaks HTTP to the running program, knows nothing of it. */
export interface Person {
  get(path: string): Promise<Shown>;
  /** Follows the link whose text or address contains `which` on the page shown last. */
  follow(which: string): Promise<Shown>;
  /** Fills the form whose action ends with `action` on the page shown last and sends it. */
  submit(action: string, fields?: Readonly<Record<string, string>>): Promise<Shown>;
  /** Sends a form as it is, without following redirects. */
  post(path: string, fields: Readonly<Record<string, string>>): Promise<Shown>;
  /** Posts what a script on the page shown last would, with its form token; the page stays. */
  script(path: string, fields?: Readonly<Record<string, string>>): Promise<{ status: number; body: string }>;
  /** The page shown last. */
  readonly shown: Shown;
  /** Every redirect passed since the last call of get, follow or submit. */
  readonly trail: readonly string[];
  readonly cookies: Map<string, { value: string; path: string }>;
}

const unescape = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** The value of the first `name="..."` attribute in the page. */
export function attribute(html: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(html)?.[1];
  return found === undefined ? undefined : unescape(found);
}

export const attributes = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map((match) => unescape(match[1] ?? ''));

function hiddenFields(form: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name !== undefined) fields[name] = attribute(input, 'value') ?? '';
  }
  return fields;
}

export interface PersonOptions {
  /** Source address: all of 127.0.0.0/8 is this machine. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stops at addresses of other hosts, where a relying party would take over. */
  readonly stopAt?: (url: URL) => boolean;
  /** How it asks, when not as {@link fetch} does. */
  readonly ask?: (url: URL, init: RequestInit) => Promise<Response>;
}

export function openPerson(base: string, options: PersonOptions = {}): Person {
  const cookies = new Map<string, { value: string; path: string }>();
  const { ask = fetch } = options;
  let shown: Shown | undefined;
  let trail: string[] = [];

  const cookieHeader = (url: URL): string =>
    [...cookies.entries()]
      .filter(
        ([, { path }]) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      .map(([key, { value }]) => `${key.split('|')[0] ?? ''}=${value}`)
      .join('; ');

  function keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
      const [name = '', ...value] = pair.split('=');
      const path = rest.find((part) => part.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
      const expires = rest.find((part) => part.toLowerCase().startsWith('expires='))?.slice(8);
      const key = `${name}|${path}`;
      if (value.join('=') === '' || (expires !== undefined && Date.parse(expires) <= 86_400_000)) cookies.delete(key);
      else cookies.set(key, { value: value.join('='), path });
    }
  }

  async function request(address: string | URL, init: RequestInit, follows: boolean): Promise<Shown> {
    let url = new URL(address, shown?.url ?? base);
    let next = init;
    for (let hop = 0; hop < 20; hop += 1) {
      const response = await ask(url, {
        ...next,
        redirect: 'manual',
        headers: {
          'accept-language': 'id',
          ...options.headers,
          cookie: cookieHeader(url),
          ...(next.headers as Record<string, string> | undefined),
        },
      });
      keep(response);
      const html = await response.text();
      const location = response.headers.get('location');
      if (follows && location !== null && response.status >= 300 && response.status < 400) {
        url = new URL(location, url);
        trail.push(url.href);
        next = {};
        if (options.stopAt?.(url) === true) {
          shown = { status: response.status, url, html: '', headers: response.headers, page: undefined, errors: [] };
          return shown;
        }
        continue;
      }
      const main = /<main[^>]*>/.exec(html)?.[0] ?? '';
      shown = {
        status: response.status,
        url,
        html,
        headers: response.headers,
        page: attribute(main, 'data-page'),
        errors: attributes(html, 'data-error'),
      };
      return shown;
    }
    throw new Error(`too many redirects, last ${url.href}`);
  }

  const current = (): Shown => {
    if (shown === undefined) throw new Error('no page was opened yet');
    return shown;
  };
  const send = (action: URL | string, fields: Readonly<Record<string, string>>, follows: boolean): Promise<Shown> => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: new URL(action, current().url).origin,
      'sec-fetch-site': 'same-origin',
    };
    return request(action, { method: 'POST', body: new URLSearchParams(fields).toString(), headers }, follows);
  };

  return {
    cookies,
    get shown() {
      return current();
    },
    get trail() {
      return trail;
    },
    get(path) {
      trail = [];
      return request(path, {}, true);
    },
    follow(which) {
      trail = [];
      const links = [...current().html.matchAll(/<a\s[^>]*href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g)];
      const found = links.find(([tag, , text]) => (text ?? '').includes(which) || tag.includes(which));
      if (found === undefined) throw new Error(`no link "${which}" on ${current().url.pathname}`);
      return request(unescape(found[1] ?? ''), {}, true);
    },
    submit(action, fields = {}) {
      trail = [];
      const forms = current().html.match(/<form[\s\S]*?<\/form>/g) ?? [];
      const form = forms.find((text) => (attribute(text, 'action') ?? '').endsWith(action));
      if (form === undefined)
        throw new Error(`no form "${action}" on ${current().url.pathname}: ${String(current().page)}`);
      return send(attribute(form, 'action') ?? '', { ...hiddenFields(form), ...fields }, true);
    },
    post: (path, fields) => send(path, fields, false),
    async script(path, fields = {}) {
      const page = current();
      const csrf = hiddenFields(page.html).csrf ?? '';
      const { status, html: body } = await send(path, { csrf, ...fields }, false);
      shown = page;
      return { status, body };
    },
  };
}

/** PKCE for tests that play a relying party by hand. */
export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');
