import { request, type Agent, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The redirect, as an absolute address. */
  readonly location: URL | undefined;
  /** The same where there has to be one. */
  redirect(): URL;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly form?: Record<string, string> | URLSearchParams;
  readonly body?: string;
  /** Sent in place of the right Host header. */
  readonly host?: string;
  readonly line?: string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** Sends requests to one address of this machine, whatever host the URL names. Keeps cookies as a browser does. */
export class Browser {
  readonly #port: number;
  readonly #agent: Agent;
  #cookies: Cookie[] = [];
  /** Every Set-Cookie header seen. */
  readonly setCookies: string[] = [];

  constructor(port: number, agent: Agent) {
    this.#port = port;
    this.#agent = agent;
  }

  cookie(name: string): string | undefined {
    return this.#cookies.find((cookie) => cookie.name === name)?.value;
  }

  plant(name: string, value: string, path = '/'): void {
    this.#cookies = [
      ...this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path),
      { name, value, path },
    ];
  }

  #remember(header: string): void {
    this.setCookies.push(header);
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    this.#cookies = this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
    if (value !== '') this.#cookies.push({ name, value, path });
  }

  /** A request line of its own: a path, or a whole address (RFC 9112 section 3.2.2). */
  callLine(line: string, host: string): Promise<Answer> {
    return this.call(`https://${host}/`, { line });
  }

  async call(address: URL | string, call: Call = {}): Promise<Answer> {
    const url = new URL(address);
    const body = call.form === undefined ? call.body : new URLSearchParams(call.form).toString();
    const cookies = this.#cookies
      .filter(({ path }) => path === '/' || url.pathname === path || url.pathname.startsWith(`${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const headers = {
      host: call.host ?? url.host,
      ...(cookies === '' ? {} : { cookie: cookies }),
      ...(call.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      ...call.headers,
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          agent: this.#agent,
          method: call.method ?? (body === undefined ? 'GET' : 'POST'),
          path: call.line ?? `${url.pathname}${url.search}`,
          headers,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            for (const cookie of response.headers['set-cookie'] ?? []) this.#remember(cookie);
            const { location } = response.headers;
            const status = response.statusCode ?? 0;
            const target = location === undefined ? undefined : new URL(location, url);
            resolve({
              status,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
              location: target,
              redirect: () => {
                if (target === undefined) throw new Error(`no redirect, but ${status}`);
                return target;
              },
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
