import { z } from 'zod';
import { AGENCY } from './act-requests.js';
import { answer, defineCall, type Call } from './api/call.js';
import type { Alarms } from './acts/alarms.js';
import type { TwoOfficers } from './two-officers.js';

const NAMED = z.object({ id: z.uuid(), name: z.string() });
const ALARM = z.object({
  id: z.uuid(),
  kind: z
    .enum(['burst', 'off_hours', 'pattern', 'quota', 'mass', 'appointment'])
    .describe(
      'Five resets in ten minutes; at night or at the weekend; as accounts are taken over; a quota used up; twenty people in an hour; a new officer.',
    ),
  officer: NAMED,
  agency: z.object({ code: z.string(), name: z.string() }),
  account: NAMED.optional(),
  raised_at: z.string(),
});

/** What administrators see of what officers do, and what they demand of them (docs/adr/0019). */
export const watchCalls = ({
  alarms,
  twoOfficers,
}: {
  readonly alarms: Alarms;
  readonly twoOfficers: TwoOfficers;
}): readonly Call[] => [
  defineCall({
    method: 'GET',
    path: '/alarms',
    action: 'alarms.list',
    summary: 'What nobody has looked at yet, in the agencies that the caller administers; nothing about themselves',
    scope: 'accounts:read',
    callers: 'person',
    kind: 'read',
    answers: { 200: z.object({ alarms: z.array(ALARM) }) },
    problems: [],
    async handle({ caller }) {
      const unseen = await alarms.unseen(caller.accountId);
      return answer(200, {
        alarms: unseen.map(({ raisedAt, ...alarm }) => ({ ...alarm, raised_at: raisedAt.toISOString() })),
      });
    },
  }),
  defineCall({
    method: 'POST',
    path: '/alarms/{alarm_id}/seen',
    action: 'alarms.seen',
    summary: 'Put an alarm away',
    scope: 'accounts:write',
    callers: 'person',
    kind: 'write',
    answers: { 200: z.object({ status: z.literal('seen') }) },
    problems: ['not_found'],
    async handle({ caller, params, requestId }) {
      const wasSeen = await alarms.putAway(caller, params.alarm_id, { requestId });
      return wasSeen ? answer(200, { status: 'seen' }) : { problem: 'not_found' };
    },
  }),
  defineCall({
    method: 'POST',
    path: '/agencies/{code}/two-officers',
    action: 'agencies.two_officers',
    summary: 'Demand a second officer for every act on people of an agency and of those below it, or no longer',
    scope: 'accounts:write',
    callers: 'person',
    kind: 'write',
    body: z.strictObject({ on: z.boolean() }),
    answers: { 200: z.object({ two_officers: z.boolean() }) },
    problems: ['not_found'],
    async handle({ caller, params, body: { on }, requestId }) {
      const isCode = AGENCY.safeParse(params.code).success;
      const isSet = isCode && (await twoOfficers.set({ caller, agency: params.code, on, trace: { requestId } }));
      return isSet ? answer(200, { two_officers: on }) : { problem: 'not_found' };
    },
  }),
];
