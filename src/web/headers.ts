import type Koa from 'koa';
import type { RequestState } from './request.js';

const PERMISSIONS =
  'camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=(), ' +
  'publickey-credentials-get=(self), publickey-credentials-create=(self)';

const POLICY = 'Content-Security-Policy';

function contentPolicy(formOrigins: readonly string[], isScripted: boolean): string {
  const formAction = ["'self'", ...new Set(formOrigins)].join(' ');
  // No inline script and no nonce: the one file of ours, on the pages that need it, and what it fetches.
  const script = isScripted ? "script-src 'self'; connect-src 'self'; " : '';
  return (
    `default-src 'none'; ${script}style-src 'self'; img-src 'self' data:; media-src 'self'; form-action ${formAction}; ` +
    "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
  );
}

/** The cookie library forgets and renews signatures by itself, with fewer attributes than a cookie must have. */
function completeCookies({ res }: Koa.Context): void {
  const lines = [res.getHeader('Set-Cookie') ?? []].flat().map(String);
  if (lines.length === 0 || res.headersSent) return;
  res.setHeader(
    'Set-Cookie',
    lines.map((line) => (/;\s*samesite=/i.test(line) ? line : `${line}; samesite=lax`)),
  );
}

/**
 * Security headers on every response, errors included. Routes may add form origins to the state before the
 * response goes out.
 */
export function securityHeaders(): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    ctx.set({
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'same-origin',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'X-Frame-Options': 'DENY',
      'Permissions-Policy': PERMISSIONS,
      'Cache-Control': 'no-store',
    });
    if (ctx.secure) ctx.set('Strict-Transport-Security', 'max-age=63072000; includeSubDomains');
    // Set beforehand too: some answers are written past Koa.
    const strictest = contentPolicy([], false);
    ctx.set(POLICY, strictest);
    await next();
    if (ctx.response.get(POLICY) === strictest) {
      ctx.set(POLICY, contentPolicy(ctx.state.formOrigins, ctx.state.isScripted === true));
    }
    completeCookies(ctx);
  };
}
