import { folded } from '#src/helpdesk/console/folded.js';
import type { Attempt } from '#src/helpdesk/desk/diagnosis.js';

const at = new Date('2026-11-23T01:15:00Z');
const tried = (outcome: Attempt['outcome'], more: Partial<Attempt> = {}): Attempt => ({
  at,
  step: 'code',
  during: 'sign_in',
  outcome,
  browser: '',
  system: '',
  ...more,
});
const countsOf = (attempts: readonly Attempt[]): unknown[] =>
  folded(attempts).map(({ step, outcome, count }) => `${step} ${outcome} ${String(count)}`);

it('folds what was refused for the same reason in a row, at its latest', () => {
  const earlier = new Date(at.getTime() - 60_000);
  const lines = folded([tried('wrong'), tried('wrong', { at: earlier }), tried('reused'), tried('wrong')]);
  expect(lines.map(({ count }) => count)).toEqual([2, 1, 1]);
  expect(lines[0]?.at).toBe(at);
});

it('keeps apart what is not the same, and everything that went well', () => {
  expect(
    countsOf([tried('accepted'), tried('accepted'), tried('wrong'), tried('wrong', { step: 'password' })]),
  ).toEqual(['code accepted 1', 'code accepted 1', 'code wrong 1', 'password wrong 1']);
  expect(folded([tried('clock_drift', { minutes: 3 }), tried('clock_drift', { minutes: 4 })])).toHaveLength(2);
  expect(folded([])).toEqual([]);
});
