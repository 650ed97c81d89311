import { setImmediate } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Busy, createHashQueue, type HashQueueOptions } from '#src/security/hash-queue.js';

const open = (options: Partial<HashQueueOptions> = {}) =>
  createHashQueue({ concurrency: 2, maxWaiting: 3, maxWaitMs: 60_000, retryAfterSeconds: () => 17, ...options });

/** Work that ends when it is told to. */
function job() {
  let end = (): void => undefined;
  const done = new Promise<string>((resolve) => {
    end = () => {
      resolve('hash');
    };
  });
  const state = { started: false };
  const work = (): Promise<string> => {
    state.started = true;
    return done;
  };
  return { work, end, state };
}

const jobs = (count: number) => Array.from({ length: count }, job);
const started = (all: readonly ReturnType<typeof job>[]): number => all.filter(({ state }) => state.started).length;

describe('hash queue (R-25)', () => {
  it('runs so many at once, lets so many wait, and sends the rest away with Retry-After', async () => {
    const queue = open();
    const all = jobs(8);
    const outcomes = all.map(({ work }) => queue.run(work).catch((error: unknown) => error));
    expect(await Promise.all(outcomes.slice(5))).toEqual([
      expect.objectContaining({ name: 'Busy', retryAfterSeconds: 17 }),
      expect.objectContaining({ name: 'Busy', retryAfterSeconds: 17 }),
      expect.objectContaining({ name: 'Busy', retryAfterSeconds: 17 }),
    ]);
    expect(started(all)).toBe(2);
    expect(queue.depth()).toBe(3);
    for (const { end } of all) end();
    expect(await Promise.all(outcomes.slice(0, 5))).toEqual(['hash', 'hash', 'hash', 'hash', 'hash']);
    expect(started(all)).toBe(5);
    expect(queue.depth()).toBe(0);
  });

  it('serves in the order of coming, each as soon as one is done', async () => {
    const queue = open({ concurrency: 1 });
    const all = jobs(4);
    const outcomes = all.map(({ work }) => queue.run(work));
    await setImmediate();
    for (const [index, { end }] of all.entries()) {
      expect(started(all)).toBe(index + 1);
      end();
      await outcomes[index];
      await setImmediate();
    }
  });

  it('serves those who wait in turn, whoever asks most, and keeps half of the places for others (A40)', async () => {
    const queue = open({ concurrency: 1, maxWaiting: 8 });
    const order: string[] = [];
    const running = job();
    const first = queue.run(running.work, 'greedy');
    const ask = (from: string): Promise<unknown> =>
      queue
        .run(() => {
          order.push(from);
          return Promise.resolve();
        }, from)
        .catch((error: unknown) => error);
    const greedy = Array.from({ length: 6 }, () => ask('greedy'));
    const others = [ask('one'), ask('two'), ask('one')];
    expect((await Promise.all(greedy.slice(4))).every((outcome) => outcome instanceof Busy)).toBe(true);
    running.end();
    await Promise.all([first, ...greedy, ...others]);
    expect(order).toEqual(['greedy', 'one', 'two', 'greedy', 'one', 'greedy', 'greedy']);
    expect(queue.depth()).toBe(0);
  });

  it('asks anew how long to stay away, so that a crowd does not come back at once', async () => {
    let seconds = 5;
    const queue = open({ concurrency: 1, maxWaiting: 0, retryAfterSeconds: () => seconds++ });
    const running = job();
    const first = queue.run(running.work);
    const refused = await Promise.allSettled([queue.run(job().work), queue.run(job().work)]);
    expect(refused.map((outcome) => (outcome as PromiseRejectedResult).reason as Busy)).toEqual([
      expect.objectContaining({ retryAfterSeconds: 5 }),
      expect.objectContaining({ retryAfterSeconds: 6 }),
    ]);
    running.end();
    await first;
  });

  it('lets nobody wait longer than the deadline, and serves those behind', async () => {
    jest.useFakeTimers();
    try {
      const queue = open({ concurrency: 1, maxWaitMs: 2_000 });
      const [running, late, behind] = [job(), job(), job()];
      const first = queue.run(running.work);
      const refused = queue.run(late.work).catch((error: unknown) => error);
      jest.advanceTimersByTime(1_999);
      const second = queue.run(behind.work);
      expect(queue.depth()).toBe(2);
      jest.advanceTimersByTime(1);
      expect(await refused).toBeInstanceOf(Busy);
      expect(queue.depth()).toBe(1);
      running.end();
      behind.end();
      expect(await Promise.all([first, second])).toEqual(['hash', 'hash']);
      expect(late.state.started).toBe(false);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('loses no place to work that fails or throws at once', async () => {
    const queue = open({ concurrency: 2, maxWaiting: 100 });
    const failing = Array.from({ length: 50 }, (_, index) =>
      queue.run(() => {
        if (index % 2 === 0) throw new Error('at once');
        return Promise.reject(new Error('later'));
      }),
    );
    expect((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected')).toBe(true);
    const all = jobs(3);
    const outcomes = all.map(({ work }) => queue.run(work));
    await setImmediate();
    expect(started(all)).toBe(2);
    for (const { end } of all) end();
    await Promise.all(outcomes);
    expect(queue.depth()).toBe(0);
  });
});
