import type { Carried } from '../../clients/client-use.js';

/** The names in the payload of a signed token; none of one that is opaque or encrypted. */
function namesIn(token: unknown): readonly string[] | undefined {
  const parts = typeof token === 'string' ? token.split('.') : [];
  if (parts.length !== 3 || parts[1] === undefined) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1], 'base64url').toString('utf8'));
    return typeof payload === 'object' && payload !== null ? Object.keys(payload) : undefined;
  } catch {
    return undefined;
  }
}

/** What the tokens of a token endpoint's answer carry: names of claims only. */
export function carriedIn(body: unknown): Carried {
  const { id_token: idToken, access_token: accessToken } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const found = { id_token: namesIn(idToken), access_token: namesIn(accessToken) };
  return Object.fromEntries(Object.entries(found).filter(([, names]) => names !== undefined));
}
