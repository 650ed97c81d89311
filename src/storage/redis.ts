import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { randomBelow } from '../security/secrets.js';
import { breaker } from './breaker.js';
import { KeyValueUnavailable, type KeyValue } from './key-value.js';
import { redisAddress } from './redis-address.js';

export interface RedisEvents {
  /** Called once per outage, with its first error; the driver goes on reconnecting. */
  readonly onError: (error: Error) => void;
}

/** What a caller waits for an answer. */
const ANSWER_MS = 100;

/** 100 ms, doubling up to 2 s, each shortened by up to half so that many processes do not return at once. */
const reconnectAfterMs = (attempt: number): number => {
  const longest = Math.min(100 * 2 ** (attempt - 1), 2_000);
  return longest / 2 + randomBelow(longest / 2);
};

/** the driver's defaults let a GET wait 73 s while Redis is down. */
const OPTIONS = {
  // Of the driver's own questions; callers are answered sooner by {@link inTime}.
  commandTimeout: 1_000,
  connectTimeout: 1_000,
  // A link that dropped silently is given up, else the kernel keeps it for many minutes.
  socketTimeout: 2_000,
  maxRetriesPerRequest: 1,
  // What timed out was already answered as failed: sent again it would count or take twice.
  autoResendUnfulfilledCommands: false,
  // After a failover the old master refuses writes: go and find the new one.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

function connect(url: string): Redis | Cluster {
  const address = redisAddress(url);
  const alone = { ...OPTIONS, enableOfflineQueue: false, retryStrategy: reconnectAfterMs };
  if (address.kind === 'single') return new Redis(address.url, alone);
  const { kind, nodes, tls, ...login } = address;
  if (kind === 'cluster') {
    return new Cluster([...nodes], {
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectAfterMs,
      // A node that is away is asked for again after a short while, within the time a caller may wait.
      maxRedirections: 3,
      retryDelayOnFailover: 20,
      retryDelayOnClusterDown: 20,
      retryDelayOnTryAgain: 20,
      redisOptions: { ...OPTIONS, ...login, ...(tls ? { tls: {} } : {}) },
    });
  }
  return new Redis({
    ...alone,
    ...login,
    sentinels: [...nodes],
    sentinelRetryStrategy: reconnectAfterMs,
    sentinelCommandTimeout: 1_000,
    ...(tls ? { tls: {}, enableTLSForSentinelMode: true } : {}),
  });
}

/**
 * Rejects when there is no answer in time. The driver's own timer would also reject when this process was held up and
 * the answer has long been in the socket: timers come first. So what has arrived is read before anything is decided.
 */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      setImmediate(reject, new Error('no answer in time'));
    }, ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const START_TIME_TO_LIVE = "if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end";

// One step each: a process that died between INCR and EXPIRE would leave a counter that blocks for ever.
const INCREMENT = `local count = redis.call('INCR', KEYS[1])
${START_TIME_TO_LIVE}
return count`;
const ADD_DISTINCT = `redis.call('SADD', KEYS[1], ARGV[2])
${START_TIME_TO_LIVE}
return redis.call('SCARD', KEYS[1])`;

/**
 * The key-value store on Redis 6.2 or newer: one server, Sentinel or Cluster, as the address says. It answers at
 * once, also before the connection stands: until then, and whenever Redis is away or takes longer than 100 ms, calls
 * reject with {@link KeyValueUnavailable}.
 */
export function openRedis(url: string, { onError }: RedisEvents): KeyValue {
  const redis = connect(url);
  let told = false;
  redis.on('ready', () => {
    told = false;
  });
  redis.on('error', (error: Error) => {
    if (!told) onError(error);
    told = true;
  });
  const guarded = breaker({ slowMs: ANSWER_MS, failures: 5, pauseMs: 1_000 });
  const run = async <T>(command: () => Promise<T>): Promise<T> => {
    try {
      return await guarded(() => inTime(command()));
    } catch (error) {
      throw new KeyValueUnavailable(error);
    }
  };
  return {
    get: async (key) => (await run(() => redis.get(key))) ?? undefined,
    set: async (key, value, ttlSeconds) => {
      await run(() => redis.set(key, value, 'EX', ttlSeconds));
    },
    take: async (key) => (await run(() => redis.getdel(key))) ?? undefined,
    increment: async (key, ttlSeconds) => Number(await run(() => redis.eval(INCREMENT, 1, key, ttlSeconds))),
    addDistinct: async (key, member, ttlSeconds) =>
      Number(await run(() => redis.eval(ADD_DISTINCT, 1, key, ttlSeconds, member))),
    countDistinct: (key) => run(() => redis.scard(key)),
    delete: async (key) => {
      await run(() => redis.del(key));
    },
    close: () => {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
