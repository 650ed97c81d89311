import { request as requestPlain } from 'node:http';
import { request as requestOverTls } from 'node:https';
import type { Reachable } from './reachable.js';

/** What came of it. `reason` is a short code: a server's own words quote addresses. */
export type Posted =
  { readonly kind: 'answered'; readonly status: number } | { readonly kind: 'failed'; readonly reason: string };

/** Posts a form to an address of a registration, once, and looks at nothing of the answer but its status. */
export type PostForm = (
  address: URL,
  form: { readonly fields: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<Posted>;

/** Node's own codes are stable; whatever else is thrown may hold an address. */
const codeOf = (error: unknown): string => {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'TimeoutError' || code === 'ABORT_ERR') return 'timeout';
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : 'failed';
};

/** Follows no redirect and keeps no connection: each call is judged anew. */
export function createFormPost(options: { reachable: Reachable; timeoutMs: number }): PostForm {
  const { reachable, timeoutMs } = options;
  return async (address, { fields, signal }) => {
    const body = new URLSearchParams(fields).toString();
    try {
      reachable.requireHost(address.hostname);
      const status = await new Promise<number>((resolve, reject) => {
        const send = address.protocol === 'https:' ? requestOverTls : requestPlain;
        const request = send(
          address,
          {
            method: 'POST',
            agent: false,
            lookup: reachable.lookup,
            signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
            headers: {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': Buffer.byteLength(body),
            },
          },
          (response) => {
            resolve(response.statusCode ?? 0);
            // How much more it would say is its own affair.
            response.destroy();
          },
        );
        request.on('error', reject);
        request.end(body);
      });
      return { kind: 'answered', status };
    } catch (error) {
      return { kind: 'failed', reason: codeOf(error) };
    }
  };
}
