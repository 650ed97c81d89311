import type { Account } from '../accounts/accounts.js';
import type { RelyingParties } from '../clients/relying-parties.js';
import { secondsUntil, type Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import { lastThreeOf } from '../accounts/nip.js';
import { pickFields, queryValue } from '../web/form.js';
import type { PageWriter } from '../web/page.js';
import type { PageError } from '../web/pages.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import type { DeviceRequests, Exchange, WaitingDevice } from './device-requests.js';
import type { LimitedCodes } from './limited-codes.js';
import { normaliseUserCode, writtenUserCode } from './user-codes.js';

const PATH = '/device';
const ONE = `${PATH}/:uid`;

export interface DeviceLoginRouteParts {
  readonly devices: DeviceRequests;
  readonly limitedCodes: LimitedCodes;
  readonly relyingParties: RelyingParties;
  readonly accountOf: (id: AccountId) => Promise<Account>;
  readonly write: PageWriter;
  readonly clock: Clock;
}

const exchangeOf = ({ req, res, state }: PageContext): Exchange => ({ req, res, browserId: state.browserId });
const uidOf = (ctx: PageContext): string => (ctx.params as { uid: string }).uid;

/**
 * Letting a device in that has no browser of its own (RFC 8628): the code that it shows, a login where one is needed, and a
 * question that names the application and warns. They need no login by themselves: the code's passage asks for it.
 */
export function deviceLoginRoutes(parts: DeviceLoginRouteParts): Route[] {
  const { devices, limitedCodes, relyingParties, accountOf, write, clock } = parts;

  const showCode = (
    ctx: PageContext,
    typed: string | undefined,
    shown?: { error: PageError; status: number },
  ): void => {
    const code = typed === undefined ? undefined : normaliseUserCode(typed);
    // What cannot be a code came in a link that somebody made up, or is shown again as it was typed.
    const userCode = code === undefined ? shown && typed : writtenUserCode(code);
    const fromLink = shown === undefined && userCode !== undefined;
    write(ctx, 'device/code', { userCode, fromLink, error: shown?.error }, { status: shown?.status ?? 200 });
  };
  const wrong = (reason?: 'expired' | 'answered'): { error: PageError; status: number } => ({
    error: { code: 'code_invalid', field: 'user_code', userCode: reason },
    status: 422,
  });

  async function showQuestion(ctx: PageContext, device: WaitingDevice): Promise<void> {
    const account = await accountOf(device.accountId);
    const { userCode, claims, resources, staysSeconds } = device;
    write(ctx, 'device/confirm', {
      uid: uidOf(ctx),
      userCode: writtenUserCode(userCode),
      service: relyingParties.find(device.clientId)?.name ?? device.clientId,
      name: account.name,
      nipEnding: lastThreeOf(account.nip),
      claims,
      resources,
      staysSeconds,
    });
  }
  const over = (ctx: PageContext): void => {
    write(ctx, 'device/over', { cause: 'gone' }, { status: 410 });
  };

  async function answer(ctx: PageContext, isApproved: boolean): Promise<void> {
    const location = await devices.answer(exchangeOf(ctx), uidOf(ctx), isApproved);
    redirect(ctx, location ?? `${PATH}/${uidOf(ctx)}`);
  }

  return [
    {
      method: 'GET',
      path: PATH,
      access: 'anyone',
      handle(ctx) {
        showCode(ctx, queryValue(ctx, 'user_code'));
      },
    },
    {
      method: 'POST',
      path: PATH,
      access: 'anyone',
      async handle(ctx, fields) {
        const { user_code: typed } = pickFields(fields, ['user_code']);
        const userCode = normaliseUserCode(typed);
        if (userCode === undefined) {
          showCode(ctx, typed, { error: { code: 'invalid_input', field: 'user_code' }, status: 422 });
          return;
        }
        const tried = await limitedCodes.open(exchangeOf(ctx), { userCode, address: ctx.state.address });
        switch (tried.kind) {
          case 'opened':
            redirect(ctx, tried.location);
            return;
          case 'throttled': {
            const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), tried.until));
            ctx.set('Retry-After', String(retryAfterSeconds));
            showCode(ctx, typed, { error: { code: 'throttled', retryAfterSeconds }, status: 429 });
            return;
          }
          case 'unknown':
            showCode(ctx, typed, wrong());
            return;
          case 'expired':
          case 'answered':
            showCode(ctx, typed, wrong(tried.kind));
        }
      },
    },
    {
      method: 'GET',
      path: `${PATH}/done`,
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'device/done', {});
      },
    },
    {
      method: 'GET',
      path: `${PATH}/refused`,
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'device/refused', {});
      },
    },
    {
      method: 'GET',
      path: ONE,
      access: 'anyone',
      async handle(ctx) {
        const standing = await devices.find(exchangeOf(ctx), uidOf(ctx));
        switch (standing.kind) {
          case 'waiting':
            await showQuestion(ctx, standing.device);
            return;
          case 'approved':
            redirect(ctx, `${PATH}/done`);
            return;
          case 'refused':
            redirect(ctx, `${PATH}/refused`);
            return;
          case 'gone':
            over(ctx);
        }
      },
    },
    {
      method: 'POST',
      path: `${ONE}/approve`,
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        await answer(ctx, true);
      },
    },
    {
      method: 'POST',
      path: `${ONE}/refuse`,
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        await answer(ctx, false);
      },
    },
  ];
}
