import type { Context } from 'koa';

export interface CookieOptions {
  /** Only sent below this path; such a cookie cannot carry the `__Host-` prefix and gets `__Secure-`. */
  readonly path?: string;
  /** Absent: the cookie ends with the browser session. */
  readonly maxAgeSeconds?: number;
}

const nameOf = (ctx: Context, name: string, path: string): string =>
  ctx.secure ? `${path === '/' ? '__Host-' : '__Secure-'}${name}` : name;

/** Reads a signed cookie. Undefined when it is absent or its signature is not ours. */
export function readCookie(ctx: Context, name: string, path = '/'): string | undefined {
  return ctx.cookies.get(nameOf(ctx, name, path), { signed: true });
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
