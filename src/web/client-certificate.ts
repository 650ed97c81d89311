import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import type { Clock } from '../kernel/clock.js';
import { certificateIn, usable } from '../security/certificates.js';
import { trustedBy } from './client-address.js';

/** Certificates with which clients came to the proxy (RFC 8705 section 2, docs/adr/0028). */
export interface ClientCertificates {
  /** Takes the header from every request, whoever sent it, before anything else can read it. */
  readonly take: Koa.Middleware;
  /** The certificate that a trusted proxy handed over with this request, when it is in force. */
  of(request: IncomingMessage): X509Certificate | undefined;
}

/** Believes the header of connections from trusted proxies only; they must overwrite what came from outside. */
export function clientCertificates(options: {
  header: string;
  trustedProxies: readonly string[];
  clock: Clock;
}): ClientCertificates {
  const { clock } = options;
  const name = options.header.toLowerCase();
  const isTrusted = trustedBy(options.trustedProxies);
  const taken = new WeakMap<IncomingMessage, X509Certificate>();
  return {
    async take({ req }, next) {
      const { [name]: value } = req.headers;
      Reflect.deleteProperty(req.headers, name);
      if (typeof value === 'string' && isTrusted(req.socket.remoteAddress ?? '')) {
        const certificate = certificateIn(value);
        if (certificate !== undefined) taken.set(req, certificate);
      }
      await next();
    },
    of: (request) => usable(taken.get(request), clock.now()),
  };
}
