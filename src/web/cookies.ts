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
  return timesSent(ctx, sent) === 1 ? ctx.cookies.get(sent, { signed: true }) : undefined;
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
