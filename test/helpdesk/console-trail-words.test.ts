import type { AuditType } from '#src/audit/events.js';
import { KIND_GROUPS, trailKind, typesOf } from '#src/helpdesk/console/trail-kinds.js';
import { storyOf } from '#src/helpdesk/console/trail-words.js';
import { DETAILS } from '../account/audit-samples.js';
import { tellOwner, trailRow } from '../web/helpdesk-samples.js';

const TYPES = Object.keys(DETAILS) as AuditType[];

it.each(TYPES)('%s has words, with every code', (type) => {
  for (const detail of DETAILS[type]) {
    expect([detail, storyOf(trailRow(type, detail), tellOwner).event]).not.toEqual([detail, 'other']);
  }
});

it.each([
  ['a kind of tomorrow', 'sign_in.by_thought', {}],
  ['what every object has', 'constructor', {}],
  ['a cause of tomorrow', 'sign_in.otp_refused', { cause: 'telepathy' }],
])('%s is named by its kind', (_, type, detail) => {
  expect(storyOf(trailRow(type, detail), tellOwner)).toEqual({ words: 'trail', event: 'other', values: { type } });
});

it.each(TYPES)('%s of a version that wrote nothing more has words', (type) => {
  const { values = {} } = storyOf(trailRow(type, {}), tellOwner);
  expect(Object.values(values).filter((value) => !['string', 'number'].includes(typeof value))).toEqual([]);
});

it('every kind of event is in one choice, and every choice holds some', () => {
  const choices = KIND_GROUPS.flatMap(([, kinds]): readonly string[] => kinds);
  expect(new Set(choices).size).toBe(choices.length);
  const held = choices.flatMap((choice) => {
    const kind = trailKind(choice);
    return kind === undefined ? [] : typesOf(kind);
  });
  expect([...held].sort()).toEqual([...TYPES].sort());
  for (const choice of choices) expect([choice, trailKind(choice)]).toEqual([choice, choice]);
  expect(trailKind('constructor')).toBeUndefined();
});
