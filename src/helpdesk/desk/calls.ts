import { z } from 'zod';
import { EMPLOYMENTS } from '../../accounts/account.js';
import { ROLES } from '../../accounts/role.js';
import type { Database } from '../../storage/database.js';
import { answer, defineCall, type Call, type PersonCaller } from '../api/call.js';
import { CURSOR } from '../api/cursor.js';
import { AGENCY as AGENCY_CODE } from '../act-requests.js';
import type { Idempotency } from '../idempotency.js';
import type { Refusals } from '../refusals.js';
import { PERSON_STATUSES, type Desk, type DeskOfficer, type PersonView } from './desk.js';
import { ADVICE, CAUSES, OUTCOMES, PASSAGES, STEPS, type Attempt, type Finding } from './diagnosis.js';
import type { Grants } from './grants.js';

const TIME = z.iso.datetime();
const AGENCY = z.object({ code: z.string(), name: z.string() });
const STATUS = z
  .enum(PERSON_STATUSES)
  .describe(
    'The strongest that holds: `inactive` by the personnel system, `disabled` by an officer, `frozen` until an officer has looked at it, `not_activated` while there never was a password, else `active`.',
  );
const WAIT = TIME.nullable().describe('Until then no other is looked at; null: at once.');

const SEARCH = z.union([
  z.strictObject({
    nip: z.string().max(256).describe('18 digits, of today or of before; spaces and dots may stand in it.'),
  }),
  z.strictObject({
    query: z.string().max(256).describe('Three letters or more of a name; each word may be the beginning of one.'),
    agency: AGENCY_CODE.optional().describe('With all units below it. Unless given: that of your role.'),
    cursor: CURSOR.optional(),
  }),
]);

const FOUND = z
  .object({
    accounts: z.array(z.object({ id: z.uuid(), name: z.string(), agency: AGENCY, status: STATUS })),
    next_cursor: z.string().nullable().describe('Null on the last page.'),
  })
  .describe('At most 50 people; for a NIP at most one.');

const PERSON = z
  .object({
    id: z.uuid(),
    nip: z.string(),
    name: z.string(),
    agency: AGENCY,
    employment: z.enum(EMPLOYMENTS),
    status: STATUS,
    activated_at: TIME.nullable(),
    last_login_at: TIME.nullable(),
    devices: z.array(
      z.object({
        id: z.uuid(),
        kind: z.enum(['totp', 'passkey']),
        name: z.string(),
        added_at: TIME.nullable(),
        last_used_at: TIME.nullable(),
        closed: z.boolean().describe('Too many wrong codes: it proves nothing any more.'),
      }),
    ),
    recovery_codes: z.object({ left: z.int(), count: z.int() }).nullable(),
    sessions: z.array(
      z.object({
        started_at: TIME,
        last_seen_at: TIME,
        browser: z.string(),
        system: z.string(),
        network: z.string().describe('Of the address, e.g. `203.0.113.x`.'),
      }),
    ),
    session_count: z.int(),
    password: z.object({ set: z.boolean(), disabled: z.boolean(), wait_until: WAIT }),
    code_wait_until: WAIT,
    email: z.object({ hint: z.string(), proved: z.boolean() }).nullable(),
    last_mail: z.object({ at: TIME, fate: z.enum(['sent', 'waiting', 'failed']) }).nullable(),
    cases: z.array(z.object({ cause: z.string(), since: TIME })),
    waiting_reset: z.object({ due_at: TIME }).nullable(),
    contact_change: z.object({ state: z.enum(['asked', 'waiting', 'invited']), opens_at: TIME }).nullable(),
    roles: z.array(z.object({ role: z.enum(ROLES), agency: AGENCY.nullable() })),
  })
  .describe('How the account stands. No secret, no whole address.');

const FINDING = z.object({
  cause: z.enum(CAUSES),
  tell: z.enum(ADVICE).describe('What to tell the person.'),
  reset_needed: z.boolean().describe('Whether a reset of the second factors is what helps.'),
  at: TIME.optional().describe('Of `just_reset`: when; `officer` by whom, nobody where it was who runs the server.'),
  officer: z.string().optional(),
  minutes: z.int().optional().describe('Of `clock_drift`: how far the phone is ahead; negative when it is behind.'),
  until: TIME.optional().describe('Of `waiting`.'),
  waits_for: z.enum(['password', 'code']).optional(),
});

const DIAGNOSIS = z
  .object({
    main: FINDING,
    others: z.array(FINDING),
    attempts: z.array(
      z.object({
        at: TIME,
        step: z.enum(STEPS),
        during: z.enum(PASSAGES),
        outcome: z.enum(OUTCOMES),
        minutes: z.int().optional(),
        browser: z.string(),
        system: z.string(),
      }),
    ),
  })
  .describe('Why the person cannot log in, the most useful cause first; the last ten attempts, newest first.');

const GRANTS = z
  .object({
    roles: z.array(
      z.object({
        id: z.uuid(),
        role: z.enum(ROLES),
        agency: AGENCY.nullable(),
        account: z.object({ id: z.uuid(), name: z.string() }),
        granted_at: TIME,
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .describe('At most 50 roles that are held now.');

const timeOf = (at: Date | undefined): string | null => at?.toISOString() ?? null;

const personBody = (person: PersonView): z.input<typeof PERSON> => ({
  id: person.id,
  nip: person.nip,
  name: person.name,
  agency: person.agency,
  employment: person.employment,
  status: person.status,
  activated_at: timeOf(person.activatedAt),
  last_login_at: timeOf(person.lastLoginAt),
  devices: person.devices.map(({ id, kind, name, addedAt, lastUsedAt, closed }) => ({
    id,
    kind,
    name,
    added_at: timeOf(addedAt),
    last_used_at: timeOf(lastUsedAt),
    closed,
  })),
  recovery_codes: person.recoveryCodes ?? null,
  sessions: person.sessions.map(({ startedAt, lastSeenAt, browser, system, network }) => ({
    started_at: startedAt.toISOString(),
    last_seen_at: lastSeenAt.toISOString(),
    browser,
    system,
    network,
  })),
  session_count: person.sessionCount,
  password: {
    set: person.password.isSet,
    disabled: person.password.isDisabled,
    wait_until: timeOf(person.password.waitUntil),
  },
  code_wait_until: timeOf(person.codeWaitUntil),
  email: person.email ?? null,
  last_mail:
    person.lastMail === undefined ? null : { at: person.lastMail.at.toISOString(), fate: person.lastMail.fate },
  cases: person.cases.map(({ cause, since }) => ({ cause, since: since.toISOString() })),
  waiting_reset: person.waitingReset === undefined ? null : { due_at: person.waitingReset.dueAt.toISOString() },
  contact_change:
    person.contactChange === undefined
      ? null
      : { state: person.contactChange.state, opens_at: person.contactChange.opensAt.toISOString() },
  roles: person.roles.map(({ role, agency }) => ({ role, agency: agency ?? null })),
});

const findingBody = ({
  cause,
  tell,
  resetNeeded,
  minutes,
  until,
  waitsFor,
  at,
  officer,
}: Finding): z.input<typeof FINDING> => ({
  cause,
  tell,
  reset_needed: resetNeeded,
  minutes,
  until: until?.toISOString(),
  waits_for: waitsFor,
  at: at?.toISOString(),
  officer,
});

const attemptBody = ({ at, ...attempt }: Attempt) => ({ ...attempt, at: at.toISOString() });

const officerOf = ({ accountId, clientId }: PersonCaller, requestId: string): DeskOfficer => ({
  accountId,
  clientId,
  trace: { requestId },
});

/** What would do, by the place of what does not. */
const UNFIT = {
  nip: 'not 18 digits',
  query: 'three letters or more, and 100 characters at most',
  agency: 'needed, unless your role has exactly one',
  cursor: 'was not given for this request',
} as const;

export interface DeskCallParts {
  readonly desk: Desk;
  readonly grants: Grants;
  readonly idempotency: Idempotency;
  readonly refusals: Refusals;
  readonly db: Database;
}

const READ = { scope: 'accounts:read', callers: 'person', kind: 'read' } as const;

/** What officers read over the API. */
export function deskCalls({ desk, grants, idempotency, refusals, db }: DeskCallParts): readonly Call[] {
  return [
    defineCall({
      ...READ,
      method: 'POST',
      path: '/accounts/search',
      action: 'accounts.search',
      summary: 'Find somebody by NIP, or by name within one agency',
      body: SEARCH,
      answers: { 200: FOUND },
      problems: ['not_found', 'forbidden', 'throttled', 'idempotency_key_reused'],
      async handle({ caller, body, repeatable, requestId }) {
        const officer = officerOf(caller, requestId);
        if (repeatable.key !== undefined && !(await db.transaction((tx) => idempotency.isSame(tx, repeatable)))) {
          const { accountId: actorId, clientId, trace } = officer;
          await refusals.record(db, { action: 'accounts.search', cause: 'key_reused', actorId, clientId, trace });
          return { problem: 'idempotency_key_reused' };
        }
        const found = await desk.search(officer, body);
        switch (found.kind) {
          case 'found':
            return answer(200, {
              accounts: found.people.map(({ id, name, agency, status }) => ({ id, name, agency, status })),
              next_cursor: found.next ?? null,
            });
          case 'invalid':
            return {
              problem: 'invalid_input',
              status: 422,
              errors: [{ pointer: `#/${found.field}`, detail: UNFIT[found.field] }],
            };
          case 'throttled':
            return { problem: 'throttled', until: found.until };
          case 'forbidden':
          case 'not_found':
            return { problem: found.kind };
        }
      },
    }),

    defineCall({
      ...READ,
      method: 'GET',
      path: '/accounts/{id}',
      action: 'accounts.show',
      summary: 'See how an account stands',
      answers: { 200: PERSON },
      problems: ['not_found', 'throttled'],
      async handle({ caller, params, requestId }) {
        const shown = await desk.show(officerOf(caller, requestId), params.id);
        if (shown.kind === 'throttled') return { problem: 'throttled', until: shown.until };
        return shown.kind === 'shown' ? answer(200, personBody(shown.person)) : { problem: shown.kind };
      },
    }),

    defineCall({
      ...READ,
      method: 'GET',
      path: '/accounts/{id}/diagnosis',
      action: 'accounts.diagnose',
      summary: 'See why somebody cannot log in, and what to tell them',
      answers: { 200: DIAGNOSIS },
      problems: ['not_found', 'throttled'],
      async handle({ caller, params, requestId }) {
        const diagnosed = await desk.diagnose(officerOf(caller, requestId), params.id);
        if (diagnosed.kind === 'throttled') return { problem: 'throttled', until: diagnosed.until };
        if (diagnosed.kind === 'not_found') return { problem: 'not_found' };
        const { main, others, attempts } = diagnosed.diagnosis;
        return answer(200, {
          main: findingBody(main),
          others: others.map(findingBody),
          attempts: attempts.map(attemptBody),
        });
      },
    }),

    defineCall({
      ...READ,
      method: 'GET',
      path: '/roles',
      action: 'roles.list',
      summary: 'See who holds which role within your agencies',
      query: z.strictObject({
        agency: AGENCY_CODE.optional().describe('With all units below it.'),
        cursor: CURSOR.optional(),
      }),
      answers: { 200: GRANTS },
      problems: ['forbidden'],
      async handle({ caller, query, requestId }) {
        const listed = await grants.list(officerOf(caller, requestId), query);
        if (listed.kind === 'forbidden') return { problem: 'forbidden' };
        if (listed.kind === 'invalid') {
          return {
            problem: 'invalid_input',
            status: 422,
            errors: [{ parameter: listed.field, detail: UNFIT[listed.field] }],
          };
        }
        return answer(200, {
          roles: listed.grants.map(({ id, role, agency, accountId, name, grantedAt }) => ({
            id,
            role,
            agency: agency ?? null,
            account: { id: accountId, name },
            granted_at: grantedAt.toISOString(),
          })),
          next_cursor: listed.next ?? null,
        });
      },
    }),
  ];
}
