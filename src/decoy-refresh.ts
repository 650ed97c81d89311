import type { Services } from './container.js';

/** An import brings a million hashes of another form in a minute; logins replace them over months. */
const EVERY_MS = 60_000;

/** Lets the decoys follow the stored hashes from now on, until `stop`. */
export async function keepDecoysFresh({ decoys, log }: Pick<Services, 'decoys' | 'log'>): Promise<{ stop(): void }> {
  await decoys.refresh();
  const timer = setInterval(() => {
    decoys.refresh().catch((error: unknown) => {
      log.warn('the forms of stored hashes cannot be read', {
        reason: error instanceof Error ? error.name : 'unknown',
      });
    });
  }, EVERY_MS);
  // Not a reason to stay for a process that cannot listen.
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
    },
  };
}
