import { secondsUntil, type Clock } from '../../../kernel/clock.js';
import { Refusal } from '../../../kernel/refusal.js';
import { pickFields, queryValue } from '../../../web/form.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import { visitorOf } from '../../../web/visitor.js';
import { REASON } from '../../act-requests.js';
import type { PrintedBatch, SlipOfficer, UnitSlips } from '../../slips/unit-slips.js';
import { callOf } from './acts.js';

const PATH = '/helpdesk/aktivasi';
const UNIT = `${PATH}/:unit`;
const BATCH = `${UNIT}/slip/:batch`;
/** Where the act that made one leads to. */
const ONE = '/helpdesk/slip/:slip';

export interface ActivationRouteParts {
  readonly unitSlips: UnitSlips;
  readonly write: PageWriter;
  readonly clock: Clock;
}

/** Who has never activated, slips for them, and how far it has come. */
export function activationRoutes({ unitSlips, write, clock }: ActivationRouteParts): Route[] {
  const askedBy = (ctx: PageContext, { id, office }: Officer): SlipOfficer => ({
    id,
    office,
    clientId: callOf(ctx, { id }).caller.clientId,
    trace: visitorOf(ctx),
  });
  const param = (ctx: PageContext, name: 'unit' | 'batch' | 'slip'): string =>
    (ctx.params as Partial<Record<string, string>>)[name] ?? '';
  /** Unknown and out of scope are one answer. */
  function there<T>(found: T | undefined): T {
    if (found === undefined) throw new Refusal('not_found');
    return found;
  }
  const waitUntil = (until: Date): number => Math.max(1, secondsUntil(clock.now(), until));
  const baseOf = (unit: string): string => `${PATH}/${encodeURIComponent(unit)}`;

  function give(ctx: PageContext, { pdf }: PrintedBatch): void {
    const day = clock.now().toISOString().slice(0, 10);
    ctx.set('Content-Disposition', `attachment; filename="slip-aktivasi-${day}.pdf"`);
    ctx.type = 'application/pdf';
    ctx.body = pdf;
  }

  async function showProgress(ctx: PageContext, officer: Officer, code: string): Promise<void> {
    const { unit, units, weeks } = there(await unitSlips.progress(askedBy(ctx, officer), code));
    const data = {
      unitName: unit.name,
      base: baseOf(unit.code),
      units: units.map(({ code: below, ...line }) => ({ ...line, href: line.isItself ? undefined : baseOf(below) })),
      weeks,
    };
    write(ctx, 'helpdesk/activation', data, { officer });
  }

  async function showIssue(
    ctx: PageContext,
    officer: Officer,
    { reason, error, status = 200 }: { reason?: string; error?: PageError; status?: number } = {},
  ): Promise<void> {
    const { unit, people, atOnce } = there(await unitSlips.missing(askedBy(ctx, officer), param(ctx, 'unit')));
    const data = { unitName: unit.name, base: baseOf(unit.code), people, atOnce, reason, error };
    write(ctx, 'helpdesk/activation/issue', data, { officer, status });
  }

  return [
    {
      method: 'GET',
      path: PATH,
      access: 'officer',
      async handle(ctx, officer) {
        const units = there(await unitSlips.topUnits(askedBy(ctx, officer)));
        const [only, another] = units;
        if (only !== undefined && another === undefined) {
          await showProgress(ctx, officer, only.code);
          return;
        }
        const links = units.map(({ code, name }) => ({ name, href: baseOf(code) }));
        write(ctx, 'helpdesk/activation/units', { units: links }, { officer });
      },
    },
    {
      method: 'GET',
      path: UNIT,
      access: 'officer',
      handle: (ctx, officer) => showProgress(ctx, officer, param(ctx, 'unit')),
    },
    {
      method: 'GET',
      path: `${UNIT}/orang`,
      access: 'officer',
      async handle(ctx, officer) {
        const [name, id] = [queryValue(ctx, 'name'), queryValue(ctx, 'id')];
        const after = name === undefined || id === undefined ? undefined : { name, id };
        const answer = await unitSlips.waiting(askedBy(ctx, officer), param(ctx, 'unit'), after);
        if (answer.kind === 'not_found') throw new Refusal('not_found');
        if (answer.kind === 'throttled') throw new Refusal('throttled', { retryAfterSeconds: waitUntil(answer.until) });
        const { unit, people, next } = answer;
        const base = baseOf(unit.code);
        const nextHref = next && `${base}/orang?${new URLSearchParams({ ...next }).toString()}`;
        const data = { unitName: unit.name, base, people, nextHref, isFirst: after === undefined };
        write(ctx, 'helpdesk/activation/waiting', data, { officer });
      },
    },
    {
      method: 'GET',
      path: `${UNIT}/slip`,
      access: 'officer',
      fresh: true,
      handle: (ctx, officer) => showIssue(ctx, officer),
    },
    {
      method: 'POST',
      path: `${UNIT}/slip`,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const { reason: typed } = pickFields(fields, ['reason']);
        const reason = REASON.safeParse(typed);
        if (!reason.success) {
          const error = { code: 'invalid_input', field: 'reason' } as const;
          await showIssue(ctx, officer, { reason: typed, error, status: 422 });
          return;
        }
        const unit = param(ctx, 'unit');
        const answer = await unitSlips.issue(askedBy(ctx, officer), unit, reason.data);
        switch (answer.kind) {
          case 'not_found':
            throw new Refusal('not_found');
          case 'throttled': {
            const retryAfterSeconds = waitUntil(answer.until);
            ctx.set('Retry-After', String(retryAfterSeconds));
            const error = { code: 'throttled', limit: 'requests', retryAfterSeconds } as const;
            await showIssue(ctx, officer, { reason: typed, error, status: 429 });
            return;
          }
          case 'nobody':
            redirect(ctx, baseOf(unit));
            return;
          case 'issued':
            redirect(ctx, `${baseOf(unit)}/slip/${answer.batch}`);
        }
      },
    },
    {
      method: 'GET',
      path: BATCH,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const asked = askedBy(ctx, officer);
        const count = there(await unitSlips.countOf(asked, param(ctx, 'batch')));
        const { unit, people } = there(await unitSlips.missing(asked, param(ctx, 'unit')));
        const data = { unitName: unit.name, base: baseOf(unit.code), batch: param(ctx, 'batch'), count, people };
        write(ctx, 'helpdesk/activation/batch', data, { officer });
      },
    },
    {
      method: 'POST',
      path: BATCH,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        pickFields(fields, []);
        give(ctx, there(await unitSlips.printBatch(askedBy(ctx, officer), param(ctx, 'batch'))));
      },
    },
    {
      method: 'GET',
      path: ONE,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const { name } = there(await unitSlips.findOne(askedBy(ctx, officer), param(ctx, 'slip')));
        write(ctx, 'helpdesk/activation/one', { name, slip: param(ctx, 'slip') }, { officer });
      },
    },
    {
      method: 'POST',
      path: ONE,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        pickFields(fields, []);
        give(ctx, there(await unitSlips.printOne(askedBy(ctx, officer), param(ctx, 'slip'))));
      },
    },
  ];
}
