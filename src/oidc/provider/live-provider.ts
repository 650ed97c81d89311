import type { ExternalSigningKey } from 'oidc-provider';
import type { Clock } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import type { KeySet } from '../keys/keys.js';
import type { OpenIdProvider } from './provider.js';

/** After a failure; the key set of before serves meanwhile. */
const AGAIN_MS = 3_000;
/** Timers cannot be set for longer than 24 days. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface LiveProviderParts {
  readonly loadKeys: () => Promise<KeySet>;
  readonly build: (keys: readonly ExternalSigningKey[]) => Promise<OpenIdProvider>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The one holder of the provider. Its key set cannot be exchanged, so a new one is made and put in its place; requests
 * under way end on the one they began with. Ask it at each use, never keep what it answers.
 */
export interface LiveProvider extends OpenIdProvider {
  /** What is published now, those that sign first. */
  readonly keys: readonly ExternalSigningKey[];
  /** Reads the keys again and, when they are others, serves with them. For whoever learns that they changed. */
  follow(): Promise<void>;
  /** From now on also at the moments at which a key begins to sign or leaves. */
  start(): void;
  stop(): void;
}

const kidsOf = (keys: readonly ExternalSigningKey[]): string => keys.map(({ kid }) => kid).join(' ');

export async function createLiveProvider({ loadKeys, build, clock, log }: LiveProviderParts): Promise<LiveProvider> {
  let set = await loadKeys();
  let current = await build(set.keys);
  let timer: NodeJS.Timeout | undefined;
  let started = false;
  let turn: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<void> => {
    const next = await loadKeys();
    if (kidsOf(next.keys) !== kidsOf(set.keys)) {
      // Both at once, and only when the provider is whole: what fails leaves everything as it was.
      current = await build(next.keys);
      log.info('the signing keys have changed', { published: next.keys.length });
    }
    set = next;
  };
  /** One after the other; each reads after it was asked. */
  const follow = (): Promise<void> => {
    const mine = turn.then(read).finally(schedule);
    turn = mine.catch(() => undefined);
    return mine;
  };

  function schedule(): void {
    clearTimeout(timer);
    if (!started || set.changesAt === undefined) return;
    const wait = set.changesAt.getTime() - clock.now().getTime();
    // Due already: the attempt before has failed.
    timer = setTimeout(look, wait <= 0 ? AGAIN_MS : Math.min(wait, LONGEST_WAIT_MS));
    timer.unref();
  }
  function look(): void {
    follow().catch((error: unknown) => {
      log.error('the signing keys cannot be read; those of before stay in use', {
        reason: error instanceof Error ? error.name : 'unknown',
      });
    });
  }

  return {
    get provider() {
      return current.provider;
    },
    get signOutPath() {
      return current.signOutPath;
    },
    get keys() {
      return set.keys;
    },
    metadata: async (ctx, next) => {
      await current.metadata(ctx, next);
    },
    endpoints: async (ctx, next) => {
      await current.endpoints(ctx, next);
    },
    follow,
    start() {
      started = true;
      schedule();
    },
    stop() {
      started = false;
      clearTimeout(timer);
    },
  };
}
