import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import { Refusal } from '../kernel/refusal.js';
import { CSRF_FIELD } from './pages.js';
import type { PageContext } from './request.js';

/** Bodies of our own forms and API are small. */
const MAX_BYTES = 16 * 1024;

const malformed = (reason: string, status = 400): Refusal => new Refusal('invalid_input', { status, reason });

function requireSmall(req: IncomingMessage): void {
  if (Number(req.headers['content-length'] ?? 0) > MAX_BYTES) throw malformed('body too large', 413);
}

/** Refuses a body by the length it tells, before those who read bodies by themselves and would take a larger one. */
export const refuseLargeBody: Koa.Middleware = async (ctx, next) => {
  requireSmall(ctx.req);
  await next();
};

async function readBytes(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw malformed('body too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a body of at most 16 KiB as UTF-8. Refuses a larger one with 413; other bytes, or a part of it, with 400. */
export async function readBody(req: IncomingMessage): Promise<string> {
  requireSmall(req);
  const bytes = await readBytes(req).catch((error: unknown) => {
    throw error instanceof Refusal ? error : malformed('body broken off');
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('body is not UTF-8');
  }
}

/** A body of any size, as it comes: its reader has a limit of its own. Refuses one that breaks off with 400. */
export async function* readFile(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) yield chunk;
  } catch {
    throw malformed('body broken off');
  }
}

/** URLSearchParams would put U+FFFD where the bytes are no UTF-8: two passwords would become one. */
function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw malformed('a field is not UTF-8');
  }
}

/** Every field of a posted form; a field sent twice or a body of another kind is refused. */
export type PostedFields = ReadonlyMap<string, string>;

export async function readFields(ctx: PageContext): Promise<PostedFields> {
  if (ctx.is('application/x-www-form-urlencoded') === false) throw malformed('not a form', 415);
  const fields = new Map<string, string>();
  for (const pair of (await readBody(ctx.req)).split('&')) {
    if (pair === '') continue;
    const [name = '', ...value] = pair.split('=');
    const key = decode(name);
    if (fields.has(key)) throw malformed('a field was sent twice');
    fields.set(key, decode(value.join('=')));
  }
  return fields;
}

/**
 * The named fields of a form as typed; one that is missing is the empty string. A field that the form does not
 * have is refused: nothing is ever assigned by name alone (R-47, A37).
 */
export function pickFields<Name extends string>(fields: PostedFields, names: readonly Name[]): Record<Name, string> {
  const known = new Set<string>([...names, CSRF_FIELD]);
  for (const name of fields.keys()) {
    if (!known.has(name)) throw malformed('unknown field');
  }
  return Object.fromEntries(names.map((name) => [name, fields.get(name) ?? ''])) as Record<Name, string>;
}

/** A query parameter, refused when it was sent twice. */
export function queryValue(ctx: PageContext, name: string): string | undefined {
  const value = ctx.query[name];
  if (Array.isArray(value)) throw malformed('a parameter was sent twice');
  return value;
}
