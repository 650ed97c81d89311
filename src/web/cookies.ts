import type { Context } from 'koa';

export interface CookieOptions {
  /** Only sent below this path; such a cookie cannot carry the `__Host-` prefix and gets `__Secure-`. */
  readonly path?: string;
  /** Absent: the cookie ends with the browser session. */
  readonly maxAgeSeconds?: number;
}

const nameOf = (ctx: Context, name: string, path: string): string =>
  ctx.secure ? `${path === '/' ? '__Host-' : '__Secure-'}${name}` : name;

const timesSent = (ctx: Context, name: string): number =>
  ctx
    .get('cookie')
    .split(';')
    .filter((pair) => pair.split('=', 1)[0]?.trim() === name).length;

/**
 * Reads a signed cookie. Undefined when it is absent, its signature is not ours, or it came twice: then a
 * neighbouring host has put one of its own beside ours (A22).
 */
export function readCookie(ctx: Context, name: string, path = '/'): string | undefined {
  const sent = nameOf(ctx, name, path);
  if (timesSent(ctx, sent) !== 1) return undefined;
  const value = ctx.cookies.get(sent, { signed: false });
  const signature = ctx.cookies.get(`${sent}.sig`, { signed: false });
  if (value === undefined || signature === undefined) return undefined;
  // Left to check the signature itself, the library would answer a wrong one with a cookie, also on what may be cached.
  const { keys } = ctx.cookies as unknown as { keys: { verify(signed: string, signature: string): boolean } };
  return keys.verify(`${sent}=${value}`, signature) ? value : undefined;
}

/** Sets a signed cookie: HttpOnly, SameSite=Lax, on https also Secure with its prefix. */
export function setCookie(ctx: Context, name: string, value: string, options: CookieOptions = {}): void {
  const path = options.path ?? '/';
  ctx.cookies.set(nameOf(ctx, name, path), value, {
    path,
    httpOnly: true,
    sameSite: 'lax',
    secure: ctx.secure,
    signed: true,
    overwrite: true,
    ...(options.maxAgeSeconds === undefined ? {} : { maxAge: options.maxAgeSeconds * 1000 }),
  });
}

export function clearCookie(ctx: Context, name: string, path = '/'): void {
  ctx.cookies.set(nameOf(ctx, name, path), null, {
    path,
    httpOnly: true,
    sameSite: 'lax',
    secure: ctx.secure,
    signed: true,
    overwrite: true,
  });
}
