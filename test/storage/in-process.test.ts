import { secondsAfter } from '#src/kernel/clock.js';
import { openInProcess } from '#src/storage/in-process.js';
import { keyValueContract } from '../contracts/key-value.js';

describe('in-process key-value store', () => {
  keyValueContract(() => {
    let now = new Date('2026-11-20T07:30:00Z');
    return Promise.resolve({
      keyValue: openInProcess({ now: () => now }),
      pass: (seconds) => {
        now = secondsAfter(now, seconds);
        return Promise.resolve();
      },
    });
  });

  it('pushes out the oldest entry when it is full', async () => {
    const store = openInProcess({ now: () => new Date('2026-11-20T07:30:00Z') }, { maxEntries: 3 });
    for (const key of ['a', 'b', 'c', 'a', 'd']) await store.set(key, key, 60);
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.get(key)))).toEqual(['a', undefined, 'c', 'd']);
  });
});
