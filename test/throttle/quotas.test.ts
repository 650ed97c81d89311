import { randomBytes } from 'node:crypto';
import { secondsAfter } from '#src/kernel/clock.js';
import { MAIL_QUOTAS, type Quota } from '#src/throttle/policies.js';
import { giveBackQuotas, mailPlaces, spendQuotas, type QuotaPlace } from '#src/throttle/quotas.js';
import { openTestDatabase } from '../support/test-database.js';

const start = new Date('2026-11-20T00:30:00Z');
const at = (seconds: number): Date => secondsAfter(start, seconds);
const hourly: Quota = { scope: 'test', limit: 3, windowSeconds: 3_600 };

let db: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());

const spend = (places: readonly QuotaPlace[], now: Date) => db.transaction((tx) => spendQuotas(tx, { places, now }));
const fresh = (): QuotaPlace[] => [{ quota: hourly, key: randomBytes(32) }];

describe('a quota', () => {
  it('slides exactly: a place is free again one window after it was taken', async () => {
    const places = fresh();
    for (const second of [0, 100, 200]) expect(await spend(places, at(second))).toEqual({ kind: 'spent' });
    expect(await spend(places, at(300))).toEqual({ kind: 'exhausted', until: at(3_600) });
    expect(await spend(places, at(3_599))).toEqual({ kind: 'exhausted', until: at(3_600) });
    expect(await spend(places, at(3_600))).toEqual({ kind: 'spent' });
    expect(await spend(places, at(3_601))).toEqual({ kind: 'exhausted', until: at(3_700) });
  });

  it('gives exactly its limit to many racing for it', async () => {
    const places = fresh();
    const answers = await Promise.all(Array.from({ length: 60 }, () => spend(places, start)));
    expect(answers.filter((answer) => answer.kind === 'spent')).toHaveLength(3);
  });

  it('has the very place again that was given back', async () => {
    const places = fresh();
    for (const second of [0, 100, 200]) await spend(places, at(second));
    await giveBackQuotas(db, { places, spentAt: at(100) });
    await giveBackQuotas(db, { places, spentAt: at(100) });
    expect(await spend(places, at(300))).toEqual({ kind: 'spent' });
    expect(await spend(places, at(301))).toEqual({ kind: 'exhausted', until: at(3_600) });
    expect(await spend(places, at(3_600))).toEqual({ kind: 'spent' });
    expect(await spend(places, at(3_601))).toEqual({ kind: 'exhausted', until: at(3_800) });
  });

  it('gives back one of two places taken at the same moment', async () => {
    const places = fresh();
    for (let i = 0; i < 3; i += 1) await spend(places, start);
    await giveBackQuotas(db, { places, spentAt: start });
    expect(await spend(places, at(1))).toEqual({ kind: 'spent' });
    expect(await spend(places, at(2))).toEqual({ kind: 'exhausted', until: at(3_600) });
  });
});

describe('several quotas', () => {
  it('are spent together or not at all, and answer the latest of their times', async () => {
    const [wide, narrow, slow] = [randomBytes(32), randomBytes(32), randomBytes(32)].map((key, index) => ({
      quota: { scope: `test-${index}`, limit: [3, 1, 1][index] ?? 0, windowSeconds: [60, 600, 6_000][index] ?? 0 },
      key,
    })) as [QuotaPlace, QuotaPlace, QuotaPlace];
    await spend([narrow], at(0));
    await spend([slow], at(10));
    for (let second = 20; second < 30; second += 1) {
      expect(await spend([wide, narrow, slow], at(second))).toEqual({ kind: 'exhausted', until: at(6_010) });
    }
    for (const second of [30, 31, 32]) expect(await spend([wide], at(second))).toEqual({ kind: 'spent' });
  });

  it('do not wait for one another, in whatever order they are named', async () => {
    const places = Array.from({ length: 6 }, (_, index) => ({
      quota: { scope: `order-${index}`, limit: 40, windowSeconds: 60 },
      key: randomBytes(32),
    }));
    const backwards = [...places].reverse();
    const answers = await Promise.all(
      Array.from({ length: 80 }, async (_, index) => {
        const answer = await spend(index % 2 === 0 ? places : backwards, at(index % 7));
        if (index % 8 === 0) await giveBackQuotas(db, { places: backwards, spentAt: at(index % 7) });
        return answer;
      }),
    );
    expect(answers.filter((answer) => answer.kind === 'spent').length).toBeGreaterThanOrEqual(40);
  });
});

describe('mails (R-23)', () => {
  /** Asks for a mail every minute and counts those allowed. */
  async function mailsAllowed(minutes: number, sources: readonly Buffer[]): Promise<number> {
    const account = randomBytes(32);
    let allowed = 0;
    for (let minute = 0; minute < minutes; minute += 1) {
      const address = sources[minute % sources.length] ?? randomBytes(32);
      const answer = await spend(mailPlaces({ account, address }), at(minute * 60));
      if (answer.kind === 'spent') allowed += 1;
    }
    return allowed;
  }
  const source = (): Buffer => randomBytes(32);

  it.each([
    ['3 an hour from one source', 60, 1, 3],
    ['6 a day from one source', 12 * 60, 1, 6],
    ['6 an hour from all', 60, 5, 6],
    ['20 a day from all', 12 * 60, 5, 20],
  ])('%s', async (_, minutes, sources, allowed) => {
    expect(await mailsAllowed(minutes, Array.from({ length: sources }, source))).toBe(allowed);
  });

  it('300 an hour from one address, whomever they are for', async () => {
    const address = source();
    const full: QuotaPlace = { quota: MAIL_QUOTAS.address, key: address };
    for (let mail = 0; mail < 299; mail += 1) await spend([full], at(mail));
    expect(await spend(mailPlaces({ account: source(), address }), at(300))).toEqual({ kind: 'spent' });
    const refused = source();
    expect(await spend(mailPlaces({ account: refused, address }), at(301))).toEqual({
      kind: 'exhausted',
      until: at(3_600),
    });
    expect(await spend(mailPlaces({ account: refused, address: source() }), at(302))).toEqual({ kind: 'spent' });
  });
});
