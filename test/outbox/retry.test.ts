import { GIVE_UP_AFTER_SECONDS, retryAt, TO_MANY, WHILE_SOMEBODY_WAITS } from '#src/outbox/retry.js';

const now = new Date('2026-11-23T00:30:00Z');
const waitOf = (attempt: number, fraction = 0, waits = WHILE_SOMEBODY_WAITS): number =>
  (retryAt({ now, attempt, fraction, waits }).getTime() - now.getTime()) / 1000;

test.each([
  [1, 2],
  [2, 4],
  [3, 8],
  [4, 16],
  [5, 32],
  [6, 40],
  [50, 40],
  [51, 300],
  [1000, 300],
])('waits after failed attempt %i for %i seconds', (attempt, seconds) => {
  expect(waitOf(attempt)).toBe(seconds);
});

test('takes up to half of the wait away, so that a crowd does not come back at once', () => {
  expect(waitOf(6, 0.5)).toBe(30);
  expect(waitOf(6, 0.999)).toBeGreaterThan(20);
});

test('tries for longer than a mailed code lives before it slows down, and gives up after a day', () => {
  let quick = 0;
  for (let attempt = 1; waitOf(attempt) < 300; attempt += 1) quick += waitOf(attempt, 0.999);
  expect(quick).toBeGreaterThan(15 * 60);
  expect(GIVE_UP_AFTER_SECONDS).toBe(86_400);
});

test.each([
  [1, 5],
  [2, 10],
  [3, 20],
  [8, 640],
  [10, 2560],
  [11, 3600],
  [1000, 3600],
])('a relying party is told again after failed attempt %i in %i seconds (R-33)', (attempt, seconds) => {
  expect(waitOf(attempt, 0, TO_MANY)).toBe(seconds);
});
