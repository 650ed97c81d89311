import { epochSeconds, secondsAfter, secondsUntil, systemClock } from '#src/kernel/clock.js';

const at = (text: string): Date => new Date(text);

describe('clock', () => {
  it('tells what time it is', () => {
    const before = new Date();
    const now = systemClock.now();
    expect(now >= before && now <= new Date()).toBe(true);
  });

  it.each([
    ['2026-11-23T01:15:42.999Z', 1_795_396_542],
    ['1970-01-01T00:00:00Z', 0],
    ['1969-12-31T23:59:59.999Z', -1],
  ])('counts the whole seconds until %s', (text, seconds) => {
    expect(epochSeconds(at(text))).toBe(seconds);
  });

  it('goes forward and back', () => {
    expect(secondsAfter(at('2026-12-31T23:59:30Z'), 45)).toEqual(at('2027-01-01T00:00:15Z'));
    expect(secondsAfter(at('2027-01-01T00:00:15Z'), -45)).toEqual(at('2026-12-31T23:59:30Z'));
  });

  it.each([
    ['2026-11-23T01:15:43Z', 1],
    ['2026-11-23T01:15:43.001Z', 2],
    ['2026-11-23T01:15:42Z', 0],
    ['2026-11-23T01:15:40Z', -2],
  ])('rounds a wait until %s up, so that nobody comes back too early', (until, seconds) => {
    expect(secondsUntil(at('2026-11-23T01:15:42Z'), at(until))).toBe(seconds);
  });
});
