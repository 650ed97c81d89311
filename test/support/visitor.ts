import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { attribute, attributes } from './person.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Path and query of the page that was asked for. */
  readonly path: string;
  /** Where it sends the browser: on our own origin as a path, elsewhere as an address. */
  readonly location: string | undefined;
  /** `data-page` of the main element. */
  readonly page: string | undefined;
  /** Codes of all errors shown. */
  readonly errors: readonly string[];
  /** How long it took. */
  readonly ms: number;
}

export interface Asking {
  /** Posted as a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The process to ask; without it any. */
  readonly port?: number;
}

export interface VisitorOptions {
  /** What the requests name as their host, whichever process they go to. */
  readonly issuer: string;
  /** The processes, or the balancer in front of them. */
  readonly ports: readonly number[];
  /** Source address, as a trusted proxy would tell it. */
  readonly address?: string;
  /** Sees every answer; a connection that failed is an answer with status 0. */
  readonly observe?: (answer: Answer) => void;
}

/** Longer than any answer may take. */
const PATIENCE_MS = 30_000;
/** An idle connection is left well before the server ends it, which could cross with the next request. */
const IDLE_MS = 20_000;

const unescape = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');

/**
 * A browser that may ask any of several processes of one installation, and many things at once. It keeps cookies and
 * connections, and follows nothing by itself.
 */
export class Visitor {
  readonly #options: VisitorOptions;
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  readonly #cookies = new Map<string, { name: string; value: string; path: string }>();
  #turn = 0;

  constructor(options: VisitorOptions) {
    this.#options = options;
  }

  /** The cookies that go with a path. */
  cookiesFor(path: string): string {
    const plain = path.split('?', 1)[0] ?? path;
    return [...this.#cookies.values()]
      .filter((cookie) => cookie.path === '/' || plain === cookie.path || plain.startsWith(`${cookie.path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  cookie(name: string): string | undefined {
    return [...this.#cookies.values()].find((cookie) => cookie.name === name)?.value;
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const path = rest.find((part) => part.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
      if (value === '') this.#cookies.delete(`${name}|${path}`);
      else this.#cookies.set(`${name}|${path}`, { name, value, path });
    }
  }

  async ask(path: string, { form, headers, port }: Asking = {}): Promise<Answer> {
    const { issuer, ports, address, observe } = this.#options;
    const { origin, host } = new URL(issuer);
    const body = form === undefined ? undefined : new URLSearchParams(form).toString();
    const began = performance.now();
    const answer = await new Promise<Answer>((resolve) => {
      const told = (part: Partial<Answer>): void => {
        resolve({
          status: 0,
          headers: {},
          body: '',
          path,
          location: undefined,
          page: undefined,
          errors: [],
          ...part,
          ms: performance.now() - began,
        });
      };
      const sent = request(
        {
          host: '127.0.0.1',
          port: port ?? ports[(this.#turn += 1) % ports.length],
          agent: this.#agent,
          method: body === undefined ? 'GET' : 'POST',
          path,
          timeout: PATIENCE_MS,
          headers: {
            host,
            'accept-language': 'id',
            cookie: this.cookiesFor(path),
            ...(address === undefined ? {} : { 'x-forwarded-for': address }),
            ...(body === undefined
              ? {}
              : {
                  'content-type': 'application/x-www-form-urlencoded',
                  'content-length': String(Buffer.byteLength(body)),
                }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', (error) => {
            told({ body: error.message });
          });
          response.on('end', () => {
            this.#keep(response.headers['set-cookie'] ?? []);
            const html = Buffer.concat(chunks).toString();
            const { location } = response.headers;
            told({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: html,
              location: location?.startsWith(`${origin}/`) === true ? location.slice(origin.length) : location,
              page: attribute(/<main[^>]*>/.exec(html)?.[0] ?? '', 'data-page'),
              errors: attributes(html, 'data-error'),
            });
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', (error) => {
        told({ body: error.message });
      });
      sent.end(body);
    });
    observe?.(answer);
    return answer;
  }

  /** Asks and goes where it is sent, on our own origin only. */
  async follow(path: string, asking: Asking = {}): Promise<Answer> {
    let answer = await this.ask(path, asking);
    for (let hop = 0; hop < 10 && answer.location?.startsWith('/') === true; hop += 1) {
      answer = await this.ask(answer.location, asking.port === undefined ? {} : { port: asking.port });
    }
    return answer;
  }

  /** Fills the form whose action ends with `action` on a page and sends it, as {@link follow} does. */
  async submit(page: Answer, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { path, form } = formOn(page, action);
    return this.follow(path, { form: { ...form, ...fields } });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The form whose action ends with `action`: its path and hidden fields. */
export function formOn(page: Answer, action: string): { path: string; form: Record<string, string> } {
  const forms = page.body.match(/<form[\s\S]*?<\/form>/g) ?? [];
  const found = forms.find((text) => (attribute(text, 'action') ?? '').endsWith(action));
  if (found === undefined) {
    const said = page.status === 0 ? page.body : [page.page, ...page.errors].join(' ');
    throw new Error(`no form "${action}" on ${page.path}, which answered ${page.status} ${said}`);
  }
  const form: Record<string, string> = {};
  for (const [input] of found.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name !== undefined) form[name] = attribute(input, 'value') ?? '';
  }
  return { path: unescape(attribute(found, 'action') ?? ''), form };
}
