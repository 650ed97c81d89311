import { z } from 'zod';
import { answer, defineCall, type Call } from './api/call.js';
import type { FeedDesk, FeedRunView } from './personnel-feed.js';

const MODE = z.enum(['full', 'delta']);

const FEED_QUERY = z.strictObject({
  mode: MODE.default('delta').describe(
    '`full`: the file is everybody in reach, and whoever is not in it has left. `delta`: only the people in it are touched.',
  ),
  dry_run: z.enum(['true', 'false']).default('false').describe('`true`: change nothing, report the same.'),
});

const ACCEPTED = z
  .object({ run: z.uuid() })
  .describe('The file is received; what becomes of it is told under its run.');

const REPORT = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  skipped: z.int().describe('Rows with a problem.'),
  left: z.int().describe('Became inactive.'),
  missing: z.int().describe('Of those: whom a full file does not name.'),
  kept: z.int().describe('Whom a full file does not name, but who stay: a row could not be read, and may be theirs.'),
  officers: z
    .int()
    .describe('Whom a full file does not name, but who stay: they hold a role, and this feed is bound to an agency.'),
  returned: z.int(),
  moved: z.int(),
  renumbered: z.int(),
  email_changed: z.int(),
  started_over: z
    .int()
    .describe("Accounts that are another person's from then on: without password, sessions, factors and roles."),
  flows: z.array(z.object({ from: z.string(), to: z.string(), people: z.int() })),
  unknown_columns: z.array(z.string()),
});

const RUN = z
  .object({
    run: z.uuid(),
    state: z.enum(['waiting', 'running', 'applied', 'refused', 'failed', 'interrupted']),
    mode: MODE,
    dry_run: z.boolean(),
    sha256: z.string().nullable().describe('Of the file, in hex.'),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    cause: z
      .string()
      .nullable()
      .describe(
        'Why it was refused as a whole: `too_many_inactive`, `agency_emptied`, `too_many_moved`, `too_many_readdressed`, `unsigned`, `bad_signature`, `other_mode`, `other_file`, `not_newer`, `unusable`, `busy`.',
      ),
    progress: z.object({ phase: z.string(), done: z.int(), total: z.int() }).nullable(),
    report: REPORT.nullable().describe(
      'Once it was found out: what changed, or what a refused file would have changed.',
    ),
    problems: z
      .array(z.object({ line: z.int(), column: z.string(), reason: z.string() }))
      .describe('The first 500 of the rows that were skipped; no value of theirs.'),
  })
  .describe('`interrupted`, `failed`: whole rows are in; the same file sent again finishes the work.');

const told = (run: FeedRunView): z.input<typeof RUN> => ({
  run: run.id,
  state: run.state,
  mode: run.mode,
  dry_run: run.dryRun,
  sha256: run.digest ?? null,
  started_at: run.startedAt.toISOString(),
  ended_at: run.endedAt?.toISOString() ?? null,
  cause: run.cause ?? null,
  progress: run.progress ?? null,
  report:
    run.report === undefined
      ? null
      : {
          ...run.report,
          email_changed: run.report.emailChanged,
          started_over: run.report.startedOver,
          flows: [...run.report.flows],
          unknown_columns: [...run.report.unknownColumns],
        },
  problems: [...run.problems],
});

/** `POST /personnel-feed` and `GET /personnel-feed/{run}`: for services that are registered as a feed. */
export const personnelFeedCalls = (desk: FeedDesk): readonly Call[] => [
  defineCall({
    method: 'POST',
    path: '/personnel-feed',
    action: 'personnel_feed_send',
    summary: 'Send a file of joiners, movers and leavers',
    scope: 'accounts:write',
    callers: 'service',
    kind: 'write',
    query: FEED_QUERY,
    file: {
      type: 'text/csv',
      description:
        'UTF-8 with a header row: `nip,name,email,employment,agency_code,status` and optionally `username,person_id,previous_nip`. A service that is bound to an agency reaches the people of that agency and of those below it.',
    },
    headers: { 'Feed-Signature': 'The signature of the file, where files must be signed (docs/personnel-feed.md).' },
    answers: { 202: ACCEPTED },
    problems: ['forbidden', 'conflict', 'idempotency_key_reused'],
    async handle({ caller, query, file, headers, repeatable, requestId }) {
      const taken = await desk.take({
        service: caller,
        chunks: file,
        mode: query.mode,
        dryRun: query.dry_run === 'true',
        signature: headers['Feed-Signature'],
        repeatable,
        requestId,
      });
      switch (taken.kind) {
        case 'accepted':
          return answer(202, { run: taken.id });
        case 'key_reused':
          return { problem: 'idempotency_key_reused' };
        case 'busy':
          return { problem: 'conflict' };
        case 'too_large':
          return { problem: 'invalid_input', status: 413 };
        case 'forbidden':
          return { problem: 'forbidden' };
      }
    },
  }),
  defineCall({
    method: 'GET',
    path: '/personnel-feed/{run}',
    action: 'personnel_feed_show',
    summary: 'What became of a file',
    scope: 'accounts:write',
    callers: 'service',
    kind: 'read',
    answers: { 200: RUN },
    problems: ['not_found'],
    async handle({ caller, params, requestId }) {
      const run = await desk.find(caller, params.run, requestId);
      return run === undefined ? { problem: 'not_found' } : answer(200, told(run));
    },
  }),
];
