import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tell, TELLINGS, TOLD_TYPES } from '#src/account/activity/tellings.js';
import { DETAILS, STORIES } from './audit-samples.js';

/** The kinds of event as the source of the audit trail lists them. */
const TYPES = [
  ...readFileSync(join(process.cwd(), 'src', 'audit', 'events.ts'), 'utf8').matchAll(/^ {2}'([a-z_.]+)':/gm),
].map((match) => match[1] ?? '');

const NAMED = { service: 'MyASN', device: { kind: 'totp', name: 'Ponsel kerja' }, hasActor: true } as const;

describe('what people are told of the audit trail', () => {
  it('every kind of event is told, or named as not for people with the reason', () => {
    expect(TYPES.length).toBeGreaterThan(30);
    expect(Object.keys(TELLINGS).sort()).toEqual([...TYPES].sort());
    for (const [type, telling] of Object.entries(TELLINGS)) {
      if (typeof telling !== 'function') expect([type, telling.untold.length > 10]).toEqual([type, true]);
    }
  });

  it('asks the trail for those alone that are told', () => {
    expect(TOLD_TYPES.filter((type) => typeof TELLINGS[type] !== 'function')).toEqual([]);
    expect(TOLD_TYPES).toContain('sign_in.completed');
    expect(TOLD_TYPES).not.toContain('sign_in.password_accepted');
  });

  it.each(TOLD_TYPES)('%s: every cause is told', (type) => {
    for (const detail of DETAILS[type] as readonly Readonly<Record<string, unknown>>[]) {
      // Its reset is told: one thing that happened is one line.
      if (detail.reason === 'helpdesk_reset' || detail.reason === 'self_reset') continue;
      expect([detail, tell({ type, detail }, NAMED)?.event]).toEqual([detail, expect.stringMatching(/^[a-z_]+$/)]);
    }
  });

  it('marks what was refused', () => {
    const refused = STORIES.filter((story) => story.refused).map(({ event }) => event);
    expect(refused).toEqual(expect.arrayContaining(['password_wrong', 'code_clock_slow', 'reset_code_wrong']));
    for (const event of ['signed_in', 'device_added', 'password_changed', 'mfa_reset']) {
      expect(refused).not.toContain(event);
    }
  });

  it.each([
    ['a kind of tomorrow', 'sign_in.by_thought', {}],
    ['what every object has', 'constructor', {}],
    ['a cause of tomorrow', 'sign_in.otp_refused', { cause: 'telepathy' }],
    ['a cause that every object has', 'sign_in.otp_refused', { cause: 'toString' }],
    ['no cause', 'reset.code_refused', {}],
    ['a role of tomorrow', 'role.granted', { role: 'king', grant: 'g1' }],
  ])('does not show %s', (_, type, detail) => {
    expect(tell({ type, detail }, NAMED)).toBeUndefined();
  });

  it('a clock is told by its minutes once they are known', () => {
    const of = (detail: Record<string, unknown>) =>
      tell({ type: 'sign_in.otp_refused', detail: { cause: 'drift', ...detail } }, NAMED);
    expect(of({ drift_minutes: -7 })).toEqual({ event: 'code_clock_slow', refused: true, values: { minutes: 7 } });
    expect(of({ drift_minutes: 61 })).toEqual({ event: 'code_clock_fast', refused: true, values: { minutes: 61 } });
    expect(of({})).toEqual({ event: 'code_clock', refused: true });
    expect(of({ drift_minutes: 'many' })).toEqual({ event: 'code_clock', refused: true });
  });
});
