import { setTimeout as sleep } from 'node:timers/promises';
import { breaker } from '#src/storage/breaker.js';

const slowly = async (): Promise<never> => {
  await sleep(25);
  throw new Error('slow');
};
const quickly = (): Promise<never> => Promise.reject(new Error('quick'));
const well = (): Promise<string> => Promise.resolve('well');

describe('breaker', () => {
  it('refuses without asking after slow failures in a row, and asks again when the pause is over', async () => {
    const guarded = breaker({ slowMs: 20, failures: 2, pauseMs: 150 });
    await expect(guarded(slowly)).rejects.toThrow('slow');
    await expect(guarded(slowly)).rejects.toThrow('slow');
    await expect(guarded(well)).rejects.toThrow('paused');
    let answer: string | undefined;
    while (answer === undefined) {
      await sleep(5);
      answer = await guarded(well).catch(() => undefined);
    }
    expect(answer).toBe('well');
  });

  it('stays closed on quick failures, and where an answer came between the slow ones', async () => {
    const guarded = breaker({ slowMs: 20, failures: 2, pauseMs: 1_000 });
    for (let i = 0; i < 5; i += 1) await expect(guarded(quickly)).rejects.toThrow('quick');
    await expect(guarded(slowly)).rejects.toThrow('slow');
    expect(await guarded(well)).toBe('well');
    await expect(guarded(slowly)).rejects.toThrow('slow');
    expect(await guarded(well)).toBe('well');
  });
});
