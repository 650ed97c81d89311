import { Readable } from 'node:stream';
import { secondsUntil, type Clock } from '../../kernel/clock.js';
import { agentOf } from '../../web/agent.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import type { HeldLine, PageError } from '../../web/pages.js';
import type { Person } from '../../web/person.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import { LEFT_OUT } from './holdings.js';
import type { HeldValue, MyData } from './my-data.js';

const PATH = '/account/data';

const LEFT_OUT_KINDS = [...new Set(Object.values(LEFT_OUT).map(({ kind }) => kind))];

export interface DataRouteParts {
  readonly myData: MyData;
  /** What a service is called, by its client id. */
  readonly nameOf: (clientId: string) => string | undefined;
  readonly write: PageWriter;
  readonly clock: Clock;
}

/** What is held about the person: to read, and as a file. */
export function dataRoutes({ myData, nameOf, write, clock }: DataRouteParts): Route[] {
  function lineOf({ label, shown, value }: HeldValue): HeldLine {
    if (value instanceof Date) return { label, at: value };
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    if (shown === 'word') return { label, word: text };
    if (shown === 'service') return { label, text: nameOf(text) ?? text };
    if (shown !== 'agent') return { label, text };
    const { browser, system } = agentOf(text);
    return { label, text: [browser, system].filter((word) => word !== '').join(', ') };
  }

  async function show(ctx: PageContext, person: Person, error?: PageError): Promise<void> {
    const sections = (await myData.read(person.id)).map(({ name, rows, hasMore }) => ({
      name,
      rows: rows.map((row) => row.map(lineOf)),
      hasMore,
    }));
    write(
      ctx,
      'account/data',
      { sections, leftOut: LEFT_OUT_KINDS, error },
      { person, status: error === undefined ? 200 : 429 },
    );
  }

  return [
    { method: 'GET', path: PATH, access: 'person', fresh: true, handle: (ctx, person) => show(ctx, person) },
    {
      method: 'POST',
      path: `${PATH}/file`,
      access: 'person',
      fresh: true,
      page: PATH,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        const answer = await myData.file(person.id, visitorOf(ctx));
        if (answer.kind === 'throttled') {
          const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), answer.until));
          ctx.set('Retry-After', String(retryAfterSeconds));
          await show(ctx, person, { code: 'throttled', retryAfterSeconds });
          return;
        }
        ctx.set('Content-Disposition', 'attachment; filename="data-saya-sso-asn.json"');
        ctx.body = Readable.from(answer.parts, { objectMode: false });
        ctx.type = 'application/json; charset=utf-8';
      },
    },
  ];
}
