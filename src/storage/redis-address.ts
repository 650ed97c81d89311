interface Node {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

/** Where Redis is, as REDIS_URL tells it. */
export type RedisAddress =
  | { readonly kind: 'single'; readonly url: string }
  | ({ readonly kind: 'sentinel'; readonly nodes: readonly Node[]; readonly name: string; readonly db: number } & Login)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly Node[] } & Login);

const MANY = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/@]+)(?:\/([^/]*))?(?:\/(\d+))?$/;
const USUAL_PORT = { sentinel: 26_379, cluster: 6379 };

function nodeOf(text: string, usualPort: number): Node {
  const url = new URL(`redis://${text}`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? usualPort : Number(url.port) };
}

/**
 * Reads REDIS_URL: `redis://` or `rediss://` for one server, `redis+sentinel://host:port,host:port/name/db` or
 * `redis+cluster://host:port,host:port`; `rediss+...` is the same over TLS. Throws when it is none of these, without
 * repeating the text, which may hold a password.
 */
export function redisAddress(text: string): RedisAddress {
  if (/^rediss?:\/\//.test(text)) return { kind: 'single', url: text };
  const [, scheme, kind, login = '', hosts = '', name = '', db = '0'] = MANY.exec(text) ?? [];
  if (kind !== 'sentinel' && kind !== 'cluster') throw new Error('not an address of Redis');
  const nodes = hosts.split(',').map((host) => nodeOf(host, USUAL_PORT[kind]));
  const [username = '', password = ''] = login.split(':').map(decodeURIComponent);
  const shared = {
    nodes,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    tls: scheme === 'rediss',
  };
  if (kind === 'cluster') {
    if (name !== '') throw new Error('a Redis Cluster has no databases to choose from');
    return { kind, ...shared };
  }
  if (name === '') throw new Error('Redis Sentinel needs the name of the master after the hosts');
  return { kind, ...shared, name: decodeURIComponent(name), db: Number(db) };
}
