import { secondsUntil, type Clock } from '../../kernel/clock.js';
import type { Metrics } from '../../metrics/metrics.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { PersonForm, PersonPage, Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { Owner } from '../own-change.js';
import type { BeginAnswer, ConfirmAnswer, Journey, NewApp } from './new-app.js';

const START: Readonly<Record<Journey, string>> = { add: '/account/devices/add', move: '/account/devices/move' };
const APP: Readonly<Record<Journey, string>> = { add: '/account/devices/add/app', move: '/account/devices/move/app' };

export interface NewAppRouteParts {
  readonly newApp: NewApp;
  readonly write: PageWriter;
  readonly metrics: Pick<Metrics, 'otp'>;
  readonly clock: Clock;
}

const ownerOf = (ctx: PageContext, { id, sessionUid }: Person): Owner => ({
  accountId: id,
  sessionUid,
  visitor: visitorOf(ctx),
});

/** One more authenticator app, or one in place of an old phone: begun by a POST, shown by a GET, confirmed by a code. */
export function newAppRoutes({ newApp, write, metrics, clock }: NewAppRouteParts): Route[] {
  const begun = (ctx: PageContext, journey: Journey, { kind }: BeginAnswer): void => {
    // Five are registered, or the old phone is gone: the page before tells what is possible.
    redirect(ctx, kind === 'begun' ? APP[journey] : kind === 'full' ? START[journey] : '/account/devices');
  };

  async function show(
    ctx: PageContext,
    { person, journey, ...refused }: { person: Person; journey: Journey } & Partial<Refused>,
  ): Promise<void> {
    const offer = await newApp.offer({ accountId: person.id, sessionUid: person.sessionUid }, journey);
    if (offer === undefined) {
      if (refused.status === undefined) redirect(ctx, START[journey]);
      else expire(ctx, person, journey);
      return;
    }
    const { secret, uri, qr, replaces = '' } = offer;
    const page = { secret, otpauthUri: uri, qr, deviceName: refused.deviceName, error: refused.error };
    const options = { person, status: refused.status ?? 200 };
    if (journey === 'add') write(ctx, 'account/devices/add/app', page, options);
    else write(ctx, 'account/devices/move/app', { ...page, replaces }, options);
  }

  const expire = (ctx: PageContext, person: Person, journey: Journey): void => {
    write(ctx, 'expired', { cause: 'waited', kept: 'nothing', restartHref: START[journey] }, { person, status: 410 });
  };

  interface Refused {
    readonly error: PageError;
    readonly deviceName: string;
    readonly status: number;
  }

  /** The refusal to show on the page itself; undefined where the answer leads elsewhere. */
  function refusalOf(ctx: PageContext, answer: ConfirmAnswer): Omit<Refused, 'deviceName'> | undefined {
    switch (answer.kind) {
      case 'name_invalid':
        return { status: 422, error: { code: 'invalid_input', field: 'device_name' } };
      case 'name_taken':
        return { status: 422, error: { code: 'invalid_input', field: 'device_name', reason: 'taken' } };
      case 'otp_invalid':
        return { status: 422, error: { code: answer.kind, again: answer.again } };
      case 'otp_reused':
        return { status: 422, error: { code: answer.kind } };
      case 'clock_drift':
        return { status: 422, error: { code: 'clock_drift', driftMinutes: answer.minutes } };
      case 'throttled': {
        const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), answer.until));
        ctx.set('Retry-After', String(retryAfterSeconds));
        return { status: 429, error: { code: 'throttled', limit: 'codes', retryAfterSeconds } };
      }
      case 'accepted':
      case 'gone':
      case 'full':
      case 'disabled':
      case 'signed_out':
        return undefined;
    }
  }

  const page = (journey: Journey): PersonPage => ({
    method: 'GET',
    path: APP[journey],
    access: 'person',
    fresh: true,
    handle: (ctx, person) => show(ctx, { person, journey }),
  });

  const confirmation = (journey: Journey): PersonForm => ({
    method: 'POST',
    path: APP[journey],
    access: 'person',
    fresh: true,
    async handle(ctx, fields, person) {
      const { otp, device_name: deviceName } = pickFields(fields, ['otp', 'device_name']);
      const answer = await newApp.confirm(ownerOf(ctx, person), { journey, otp, deviceName });
      const refused = refusalOf(ctx, answer);
      if (answer.kind === 'accepted') metrics.otp('accepted');
      else if (refused !== undefined && refused.error.code !== 'invalid_input') metrics.otp(refused.error.code);
      if (refused !== undefined) await show(ctx, { person, journey, ...refused, deviceName });
      else if (answer.kind === 'gone' || answer.kind === 'disabled') expire(ctx, person, journey);
      else {
        if (answer.kind === 'accepted') leaveNotice(ctx, journey === 'add' ? 'device_added' : 'device_moved');
        redirect(ctx, answer.kind === 'full' ? START[journey] : '/account/devices');
      }
    },
  });

  return [
    {
      method: 'POST',
      path: START.add,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        begun(ctx, 'add', await newApp.begin(ownerOf(ctx, person)));
      },
    },
    page('add'),
    confirmation('add'),
    {
      method: 'POST',
      path: START.move,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { device } = pickFields(fields, ['device']);
        begun(ctx, 'move', await newApp.begin(ownerOf(ctx, person), device));
      },
    },
    page('move'),
    confirmation('move'),
  ];
}
