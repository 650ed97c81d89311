import { z } from 'zod';
import type { Clock } from '../../kernel/clock.js';
import { answer, defineCall, type Call, type PersonCaller } from '../api/call.js';
import type { Problem } from '../api/problem.js';
import { TRAIL_FORMATS, trailFileName, WRITERS } from './export-format.js';
import { MAX_EXPORT_ROWS, type TrailExports } from './export.js';
import type { TrailQuestion, TrailRefusal } from './question.js';
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

const FILTERS = {
  account: z.string().max(256).optional().describe('Only what happened to this account. Helpdesk must name one.'),
  actor: z.string().max(256).optional().describe('Only what this account did.'),
  types: z.string().max(2000).optional().describe('Only these kinds of event, separated by commas.'),
  from: z.iso.datetime({ offset: true }).optional().describe('From this moment on; 30 days before `to` unless given.'),
  to: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Before this moment; now unless given. At most a year after `from`.'),
};

const QUERY = z.strictObject({
  ...FILTERS,
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

interface Asker {
  readonly caller: PersonCaller;
  readonly query: z.output<z.ZodObject<typeof FILTERS>>;
  readonly requestId: string;
}

const questionOf = ({ caller, query, requestId }: Asker): TrailQuestion => ({
  scope: { kind: 'officer', accountId: caller.accountId },
  accountId: query.account,
  actorId: query.actor,
  types: query.types?.split(',').filter((type) => type !== ''),
  from: dateOf(query.from),
  to: dateOf(query.to),
  asked: { clientId: caller.clientId, requestId },
});

function problemOf(refusal: TrailRefusal): Problem<'throttled' | 'invalid_input' | 'not_found' | 'forbidden'> {
  switch (refusal.kind) {
    case 'throttled':
      return { problem: 'throttled', until: refusal.until };
    case 'invalid':
      return { problem: 'invalid_input', status: 422, errors: [PROBLEMS[refusal.problem]] };
    case 'not_found':
    case 'forbidden':
      return { problem: refusal.kind };
  }
}

const REFUSALS = ['not_found', 'forbidden', 'throttled'] as const;
const { csv, jsonl } = WRITERS;

/** `GET /audit` and `GET /audit/export`: the trail within one's own scope. */
export const trailCalls = (parts: {
  searches: TrailSearches;
  exports: TrailExports;
  clock: Clock;
}): readonly Call[] => [
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
    problems: REFUSALS,
    async handle(asker) {
      const { cursor } = asker.query;
      const found = await parts.searches.search({ ...questionOf(asker), cursor, limit: PAGE });
      if (found.kind !== 'found') return problemOf(found);
      return answer(200, {
        events: found.events.map(eventBody),
        from: found.range.from.toISOString(),
        to: found.range.to.toISOString(),
        next_cursor: found.next ?? null,
      });
    },
  }),
  defineCall({
    method: 'GET',
    path: '/audit/export',
    action: 'audit.export',
    summary: 'The audit trail within your scope as a file, newest first',
    scope: 'audit:read',
    callers: 'person',
    // It takes a copy away: it wants what a write wants.
    kind: 'write',
    query: z.strictObject({ ...FILTERS, format: z.enum(TRAIL_FORMATS).describe('For spreadsheets, or for programs.') }),
    answers: {},
    files: {
      [csv.mediaType]: 'CSV that no spreadsheet runs, with a row of names.',
      [jsonl.mediaType]: `JSON Lines. A file of either kind holds at most ${MAX_EXPORT_ROWS} events; one that is not whole says so in its last line, and how to go on.`,
    },
    problems: REFUSALS,
    async handle(asker) {
      const { format } = asker.query;
      const file = await parts.exports.begin({ ...questionOf(asker), format });
      if (file.kind !== 'begun') return problemOf(file);
      return {
        file: file.pieces,
        mediaType: WRITERS[format].mediaType,
        name: trailFileName(format, parts.clock.now()),
      };
    },
  }),
];
