import { z } from 'zod';
import { answer, defineCall, type Call } from '../api/call.js';
import type { TrailRow } from './search-store.js';
import type { TrailSearches } from './search.js';

const PAGE = 50;
const TIME = z.iso.datetime();
const PERSON = z.object({
  id: z.string(),
  name: z.string().nullable().describe('Null for an id that no account has.'),
});

const EVENTS = z.object({
  events: z.array(
    z.object({
      id: z.string(),
      at: TIME,
      event: z.string().describe('Its kind. More kinds may come.'),
      account: PERSON.nullable().describe('Whom it happened to.'),
      actor: PERSON.nullable().describe('Who did it, when that is somebody else.'),
      agency: z.string().nullable().describe('The code of the agency it is filed under.'),
      client: z.string().nullable(),
      request: z.string().nullable(),
      detail: z.record(z.string(), z.unknown()).describe('Ids, counts and codes only.'),
    }),
  ),
  from: TIME,
  to: TIME,
  next_cursor: z
    .string()
    .nullable()
    .describe('Null on the last page. A page before it may hold fewer events, or none.'),
});

const QUERY = z.strictObject({
  account: z.string().max(256).optional().describe('Only what happened to this account. Helpdesk must name one.'),
  actor: z.string().max(256).optional().describe('Only what this account did.'),
  types: z.string().max(2000).optional().describe('Only these kinds of event, separated by commas.'),
  from: z.iso.datetime({ offset: true }).optional().describe('From this moment on; 30 days before `to` unless given.'),
  to: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Before this moment; now unless given. At most a year after `from`.'),
  cursor: z.string().max(256).optional().describe('For the next page of the same question.'),
});

const PROBLEMS = {
  backwards: { parameter: 'from', detail: 'lies behind `to`' },
  too_long: { parameter: 'from', detail: 'more than a year before `to`' },
  cursor: { parameter: 'cursor', detail: 'was not given for this question' },
};

const personBody = (person: TrailRow['account']) =>
  person === undefined ? null : { id: person.id, name: person.name ?? null };

const eventBody = ({ id, at, type, account, actor, agencyCode, clientId, requestId, detail }: TrailRow) => ({
  id,
  at: at.toISOString(),
  event: type,
  account: personBody(account),
  actor: personBody(actor),
  agency: agencyCode ?? null,
  client: clientId ?? null,
  request: requestId ?? null,
  detail,
});

const dateOf = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));

/** `GET /audit`: the trail within one's own scope. */
export const trailCalls = (searches: TrailSearches): readonly Call[] => [
  defineCall({
    method: 'GET',
    path: '/audit',
    action: 'audit.search',
    summary: 'Read the audit trail within your scope, newest first',
    scope: 'audit:read',
    callers: 'person',
    kind: 'read',
    query: QUERY,
    answers: { 200: EVENTS },
    problems: ['not_found', 'forbidden', 'throttled'],
    async handle({ caller, query, requestId }) {
      const found = await searches.search({
        scope: { kind: 'officer', accountId: caller.accountId },
        accountId: query.account,
        actorId: query.actor,
        types: query.types?.split(',').filter((type) => type !== ''),
        from: dateOf(query.from),
        to: dateOf(query.to),
        cursor: query.cursor,
        limit: PAGE,
        asked: { clientId: caller.clientId, requestId },
      });
      switch (found.kind) {
        case 'found':
          return answer(200, {
            events: found.events.map(eventBody),
            from: found.range.from.toISOString(),
            to: found.range.to.toISOString(),
            next_cursor: found.next ?? null,
          });
        case 'throttled':
          return { problem: 'throttled', until: found.until };
        case 'invalid':
          return { problem: 'invalid_input', status: 422, errors: [PROBLEMS[found.problem]] };
        case 'not_found':
        case 'forbidden':
          return { problem: found.kind };
      }
    },
  }),
];
