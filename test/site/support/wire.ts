import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { attribute, attributes } from '../../support/person.js';

/** What came back. */
export interface Reply {
  readonly asked: string;
  /** 0: no answer, the connection broke. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly ms: number;
}

export interface Sending {
  readonly method?: string;
  readonly path: string;
  /** Instead of the name the site has. */
  readonly host?: string;
  /** A header that is an array is sent as often as it is long. */
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** Sends requests as no browser would, many at once, and keeps nothing. */
export class Wire {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #port: number;
  readonly #host: string;

  constructor({ port, issuer }: { port: number; issuer: string }) {
    this.#port = port;
    this.#host = new URL(issuer).host;
  }

  send({ method = 'GET', path, host = this.#host, headers = {}, body }: Sending): Promise<Reply> {
    const began = performance.now();
    const asked = `${method} ${path.slice(0, 120)}`;
    return new Promise((resolve) => {
      const told = (part: Partial<Reply>): void => {
        resolve({ asked, status: 0, headers: {}, body: '', ...part, ms: performance.now() - began });
      };
      const length =
        body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers: { host, ...length, ...headers },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', (error) => {
            told({ body: error.message });
          });
          response.on('end', () => {
            const { statusCode: status = 0, headers: answered } = response;
            told({ status, headers: answered, body: Buffer.concat(chunks).toString() });
          });
        },
      );
      sent.on('error', (error) => {
        told({ body: error.message });
      });
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** `data-page` of what is shown. */
export const pageOf = ({ body }: Pick<Reply, 'body'>): string | undefined =>
  attribute(/<main[^>]*>/.exec(body)?.[0] ?? '', 'data-page');

/** Codes of the errors shown, on a page or in a problem document. */
export const errorsOf = ({ body }: Pick<Reply, 'body'>): string[] =>
  body.startsWith('{') ? [String((JSON.parse(body) as { code?: unknown }).code)] : attributes(body, 'data-error');

/** Writes bytes to a new connection and answers with all that comes back until the other side closes it. */
export function speak(port: number, bytes: string | Buffer, from = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    let heard = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => (heard += String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(heard);
    });
    socket.write(bytes);
  });
}
