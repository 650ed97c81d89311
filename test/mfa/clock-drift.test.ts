import { secondsAfter } from '#src/kernel/clock.js';
import type { DriftSighting } from '#src/devices/device.js';
import { diagnose, REACH_STEPS } from '#src/mfa/clock-drift.js';
import { findStrayStep, newSecret, stepAt } from '#src/mfa/totp.js';
import { totp } from '../support/totp.js';

const start = new Date('2026-11-23T01:15:42Z');

interface Phone {
  readonly driftSeconds: number;
  readonly at: Date;
}

/** What a code typed from a phone whose clock is off means on the clock of the server. */
function sightingOf({ driftSeconds, at }: Phone): DriftSighting {
  const step = stepAt(secondsAfter(at, driftSeconds));
  return { offsetSteps: step - stepAt(at), step, seenAt: at };
}

/** The same, found from the code itself. */
function foundFrom(secret: string, { driftSeconds, at }: Phone): DriftSighting | undefined {
  const step = findStrayStep(secret, totp(secret, secondsAfter(at, driftSeconds)), {
    now: at,
    reachSteps: REACH_STEPS,
  });
  return step === undefined ? undefined : { offsetSteps: step - stepAt(at), step, seenAt: at };
}

/** A secret that never shows a code twice within the reach, so that no chance match disturbs the tables. */
function plainSecret(): string {
  for (;;) {
    const secret = newSecret();
    const codes = Array.from({ length: 2 * REACH_STEPS + 40 }, (_, index) =>
      totp(secret, secondsAfter(start, (index - REACH_STEPS - 20) * 30)),
    );
    if (new Set(codes).size === codes.length) return secret;
  }
}

const minutes = Array.from({ length: 261 }, (_, index) => index - 130).filter((drift) => Math.abs(drift) >= 2);

function expectTold(driftSeconds: number, first: DriftSighting, second: DriftSighting): void {
  expect(diagnose(undefined, first)).toBeUndefined();
  const told = diagnose(first, second) ?? Number.NaN;
  expect(Math.abs(told - driftSeconds / 60)).toBeLessThanOrEqual(1);
  expect(Math.sign(told)).toBe(Math.sign(driftSeconds));
}

describe('a clock that runs wrong', () => {
  it.each(minutes)('by %i minutes is told after two codes, never after one', (drift) => {
    for (const oddSeconds of [0, 7, 23, 29]) {
      for (const laterSeconds of [30, 35, 599]) {
        const driftSeconds = drift * 60 - Math.sign(drift) * oddSeconds;
        const later = secondsAfter(start, laterSeconds);
        expectTold(driftSeconds, sightingOf({ driftSeconds, at: start }), sightingOf({ driftSeconds, at: later }));
      }
    }
  });

  const secret = plainSecret();
  it.each([-130, -61, -7, -2, 2, 3, 45, 61, 130])('by %i minutes is found from the codes alone', (drift) => {
    const driftSeconds = drift * 60;
    const first = foundFrom(secret, { driftSeconds, at: start });
    const second = foundFrom(secret, { driftSeconds, at: secondsAfter(start, 35) });
    expect([first, second]).toEqual([
      sightingOf({ driftSeconds, at: start }),
      sightingOf({ driftSeconds, at: secondsAfter(start, 35) }),
    ]);
  });

  it.each([131, -131, 140, 600])('by %i minutes is not looked for', (drift) => {
    expect(foundFrom(secret, { driftSeconds: drift * 60, at: start })).toBeUndefined();
  });

  it.each([0, 20, -20])('by %i seconds is no drift: the window takes it', (driftSeconds) => {
    expect(foundFrom(secret, { driftSeconds, at: start })).toBeUndefined();
  });
});

const sighting = (offsetSteps: number, step: number, secondsLater = 0): DriftSighting => ({
  offsetSteps,
  step,
  seenAt: secondsAfter(start, secondsLater),
});

describe('two codes', () => {
  it.each([
    ['the same code twice', sighting(20, 1_000), sighting(20, 1_000, 5), undefined],
    ['the same code, later', sighting(20, 1_000), sighting(19, 1_000, 30), undefined],
    ['the same offset', sighting(20, 1_000), sighting(20, 1_001, 30), 10],
    ['offsets one step apart', sighting(20, 1_000), sighting(21, 1_002, 30), 10],
    ['offsets one step apart, behind', sighting(-20, 1_000), sighting(-21, 1_000 - 1, 30), -10],
    ['offsets two steps apart', sighting(20, 1_000), sighting(22, 1_003, 30), undefined],
    ['opposite offsets', sighting(20, 1_000), sighting(-20, 961, 30), undefined],
    ['ten minutes apart', sighting(20, 1_000), sighting(20, 1_020, 600), 10],
    ['more than ten minutes apart', sighting(20, 1_000), sighting(20, 1_021, 601), undefined],
    ['the least drift, ahead', sighting(2, 1_000), sighting(2, 1_001, 30), 1],
    ['the least drift, behind', sighting(-2, 1_000), sighting(-2, 1_001, 30), -1],
    ['two and three steps', sighting(2, 1_000), sighting(3, 1_002, 30), 1],
    ['two and three steps behind', sighting(-3, 1_000), sighting(-2, 1_002, 30), -1],
  ])('%s', (_, earlier, later, told) => {
    expect(diagnose(earlier, later)).toBe(told);
  });

  it('never say zero minutes', () => {
    for (let offset = -REACH_STEPS; offset <= REACH_STEPS; offset += 1) {
      if (Math.abs(offset) < 2) continue;
      const told = diagnose(sighting(offset, 1_000), sighting(offset, 1_001, 30)) ?? 0;
      expect(Math.sign(told)).toBe(Math.sign(offset));
    }
  });
});
