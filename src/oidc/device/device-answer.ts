import type { KoaContextWithOIDC } from 'oidc-provider';
import { DEVICE_PAGES } from './device-pages.js';
import { POLL_SECONDS } from './device-codes.js';

interface DeviceAuthorization {
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  interval?: number;
}

/**
 * Tells the device the address of our own page, at the root of the issuer's origin, and how often to ask (RFC 8628 section
 * 3.2). The provider would name its own form, below the issuer's path.
 */
export function deviceAnswer(origin: string): (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => Promise<void> {
  return async (ctx, next) => {
    await next();
    if (ctx._matchedRouteName !== 'device_authorization' || ctx.status !== 200) return;
    const answer = ctx.body as DeviceAuthorization;
    const page = new URL(DEVICE_PAGES, origin);
    answer.verification_uri = page.href;
    page.searchParams.set('user_code', answer.user_code);
    answer.verification_uri_complete = page.href;
    answer.interval = POLL_SECONDS;
  };
}
