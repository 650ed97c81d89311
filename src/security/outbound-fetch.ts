import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestOverTls } from 'node:https';
import type { Reachable } from './reachable.js';

/** The answer is too large, too late or a redirect. */
class NotTaken extends Error {}

export interface FetchOptions {
  readonly reachable: Reachable;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** The part of the web's `fetch` that reads a document at an address of a registration. */
export type FetchDocument = (
  address: string | URL | Request,
  init?: Pick<RequestInit, 'method' | 'headers'>,
) => Promise<Response>;

/**
 * Reads a document, by GET, at an address that may be called. Follows no redirect, keeps no connection, waits
 * and reads for so long only: the time is for the whole of it. Rejects with what went wrong.
 */
export function createFetch({ reachable, timeoutMs, maxBytes }: FetchOptions): FetchDocument {
  return async (wanted, { method = 'GET', headers } = {}) => {
    const address = new URL(wanted instanceof Request ? wanted.url : wanted);
    if (method !== 'GET') throw new NotTaken(`${method} is not read`);
    reachable.requireHost(address.hostname);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const sent = Object.fromEntries(new Headers(headers));
      const response = await answerOf(address, { agent: false, lookup: reachable.lookup, signal, headers: sent });
      return new Response(new Uint8Array(await bodyOf(response, maxBytes)), {
        status: response.statusCode ?? 500,
        headers: ownHeaders(response),
      });
    } catch (error) {
      throw signal.aborted ? new NotTaken(`no answer within ${timeoutMs} ms`, { cause: error }) : error;
    }
  };
}

const answerOf = (address: URL, options: RequestOptions): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const send = address.protocol === 'https:' ? requestOverTls : requestPlain;
    const request = send(address, options, resolve);
    request.on('error', reject);
    request.end();
  });

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    if (status < 200 || (status >= 300 && status < 400) || status === 204) throw new NotTaken(`answered ${status}`);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new NotTaken(`longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks);
}

/** What the reader goes by: how long the document is good. */
const ownHeaders = ({ headers }: IncomingMessage): Headers => {
  const kept = new Headers();
  for (const name of ['content-type', 'cache-control', 'expires'] as const) {
    const value = headers[name];
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
};
