import { expect } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';

/** What is looked at: any answer of the program. */
export interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Of a cookie: its name, value and attributes by their names in lower case. */
export interface SentCookie {
  readonly name: string;
  readonly value: string;
  readonly line: string;
  readonly attributes: ReadonlyMap<string, string>;
}

export function cookiesIn({ headers }: Pick<Seen, 'headers'>): SentCookie[] {
  return (headers['set-cookie'] ?? []).map((line) => {
    const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
    const attributes = rest.map((part): [string, string] => {
      const [name = '', ...value] = part.split('=');
      return [name.toLowerCase(), value.join('=')];
    });
    const at = pair.indexOf('=');
    return { name: pair.slice(0, at), value: pair.slice(at + 1), line, attributes: new Map(attributes) };
  });
}

/** R-28, in words: empty when a cookie conforms. */
export function faultsOf({ name, value, line, attributes }: SentCookie, secure: boolean): string[] {
  const faults: string[] = [];
  const demand = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`${name}: ${fault}`);
  };
  const path = attributes.get('path');
  demand(attributes.has('httponly'), 'no HttpOnly');
  demand(attributes.get('samesite')?.toLowerCase() === 'lax', 'no SameSite=Lax');
  demand(!attributes.has('domain'), 'has a Domain');
  demand(path?.startsWith('/') === true, 'no Path');
  demand(Buffer.byteLength(line) < 4096, 'too long');
  demand(attributes.has('secure') === secure, secure ? 'no Secure' : 'Secure on http');
  const prefix = /^__(Host|Secure)-/.exec(name)?.[1];
  demand((prefix !== undefined) === secure, `prefix ${prefix ?? 'none'}`);
  demand(prefix !== 'Host' || path === '/', `__Host- at ${path ?? 'no path'}`);
  // A signature that is not ours is forgotten at `/`, whatever path its cookie has.
  demand(prefix !== 'Secure' || path !== '/' || value === '', '__Secure- at /');
  return faults;
}

const directivesOf = (policy: string): Map<string, string> =>
  new Map(
    policy.split(';').map((directive): [string, string] => {
      const [name = '', ...values] = directive.trim().split(/\s+/);
      return [name, values.join(' ')];
    }),
  );

/** Answers that anybody may keep: their addresses. */
export const PUBLIC = /^\/assets\/|\/\.well-known\/|\/jwks$/;

/** what every answer carries, whatever it is. */
export function expectSafe(seen: Seen, { path, secure }: { path: string; secure: boolean }): void {
  const { headers, status } = seen;
  const isPublic = PUBLIC.test(path) && status < 400;
  const plain = path.split('?', 1)[0] ?? '';
  const given = Object.fromEntries(
    ['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy', 'x-frame-options'].map((name) => [
      name,
      headers[name],
    ]),
  );
  expect([plain, status, given]).toEqual([
    plain,
    status,
    {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'x-frame-options': 'DENY',
    },
  ]);
  expect(headers['cross-origin-resource-policy']).toBe(
    isPublic && !plain.startsWith('/assets/') ? 'cross-origin' : 'same-origin',
  );
  expect(headers['permissions-policy']).toContain('camera=()');
  expect(headers['x-request-id']).toMatch(/^[\w-]{16,}$/);
  expect([headers.server, headers['x-powered-by']]).toEqual([undefined, undefined]);
  expect(headers['strict-transport-security']).toBe(secure ? 'max-age=63072000; includeSubDomains' : undefined);

  const policy = String(headers['content-security-policy']);
  const directives = directivesOf(policy);
  expect(directives.get('default-src')).toBe("'none'");
  expect(directives.get('frame-ancestors')).toBe("'none'");
  if (plain.startsWith('/dev/mail/')) return;
  expect(policy).not.toMatch(/unsafe|\*|https?:(?!\/\/)|nonce-(?!\w)/);
  expect(directives.get('base-uri')).toBe("'none'");
  expect(directives.get('object-src')).toBe("'none'");
  // Our one script, and what it fetches, where its page loads it and nowhere else.
  const source = seen.body.includes('<script type="module" src="/assets/passkey.js?v=') ? "'self'" : undefined;
  expect([plain, directives.get('script-src'), directives.get('connect-src')]).toEqual([plain, source, source]);
  expect(directives.get('form-action')).toMatch(/^'self'( https?:\/\/[\w.:-]+| [a-z][a-z.]*:)*$/);

  expect([plain, headers['cache-control']]).toEqual([
    plain,
    isPublic ? (expect.stringMatching(/^public, max-age=\d+/) as unknown) : 'no-store',
  ]);
  if (isPublic) expect([plain, headers['set-cookie']]).toEqual([plain, undefined]);
  if (status !== 304 && headers['content-type']?.startsWith('text/') === true) {
    expect(headers['content-type']).toMatch(/; charset=utf-8$/i);
  }
  expect(cookiesIn(seen).flatMap((cookie) => faultsOf(cookie, secure))).toEqual([]);
}
