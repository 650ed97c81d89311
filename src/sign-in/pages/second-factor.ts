import type { AttemptId } from '../../kernel/ids.js';
import { Refusal } from '../../kernel/refusal.js';
import type { Visitor } from '../../throttle/visitor.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import { redirect } from '../../web/redirect.js';
import type { FormRoute, Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import { asksFactorOnly, usableOf, wantsPasskey } from '../attempt.js';
import type { Interactions } from '../interactions.js';
import type { PasskeySignIn } from '../passkey-sign-in.js';
import type { FactorOutcome, SecondFactor } from '../second-factor.js';
import type { FactorRefusals } from './factor-refusal.js';
import type { ShowPassword } from './password.js';
import type { Here, Walk } from './walk.js';

export interface SecondFactorRouteParts {
  readonly walk: Walk;
  readonly secondFactor: SecondFactor;
  readonly passkeySignIn: PasskeySignIn;
  readonly interactions: Pick<Interactions, 'decline'>;
  readonly refusals: FactorRefusals;
  readonly showPassword: ShowPassword;
  readonly write: PageWriter;
}

/** One-time code, recovery code, passkey: whatever the person has. */
export function secondFactorRoutes(parts: SecondFactorRouteParts): Route[] {
  const { walk, secondFactor, passkeySignIn, interactions, refusals, showPassword, write } = parts;
  const { page, at, open, proceed, leaveFinished } = walk;

  const showOtp = (here: Here, error?: PageError, status = 200): void => {
    const { attempt } = here;
    const devices = usableOf(attempt).map(({ name, kind }) => ({ name, kind }));
    write(
      here.ctx,
      'sign-in/otp',
      { ...here.page, devices, onlyPasskey: wantsPasskey(attempt), again: asksFactorOnly(attempt), error },
      { status: error === undefined ? 200 : status },
    );
  };

  /** A form that takes a second factor. The attempt is not read before: taking the factor reads and holds it. */
  function factorForm(
    path: string,
    field: 'otp' | 'recovery_code',
    take: (uid: AttemptId, typed: string, visitor: Visitor) => Promise<FactorOutcome>,
  ): FormRoute {
    return {
      method: 'POST',
      path: `/sign-in/:uid${path}`,
      access: 'anyone',
      async handle(ctx, fields) {
        const uid = walk.held(ctx);
        const { answer, attempt } = await take(uid, pickFields(fields, [field])[field], visitorOf(ctx));
        const refused = refusals.of(ctx, answer);
        if (attempt === undefined || refused === undefined) await proceed(ctx, attempt);
        else {
          // A sign-in that is over shows no field to tell it at.
          const atField = field === 'recovery_code' && refused.status === 422;
          const error = atField ? { ...refused.error, field } : refused.error;
          showOtp(at(ctx, attempt), error, refused.status);
        }
      },
    };
  }

  return [
    page('second-factor', (here) => {
      showOtp(here);
    }),
    factorForm('/otp', 'otp', (uid, typed, visitor) => secondFactor.submitOtp(uid, typed, visitor)),
    factorForm('/recovery-code', 'recovery_code', (uid, typed, visitor) =>
      secondFactor.submitRecoveryCode(uid, typed, visitor),
    ),

    {
      method: 'POST',
      path: '/sign-in/:uid/passkey/challenge',
      access: 'anyone',
      // For the script of the two pages that offer a passkey; anything but 200 has it read its page anew.
      async handle(ctx, fields) {
        pickFields(fields, []);
        const { attempt } = await open(ctx);
        const options = attempt.finishedAt === undefined ? await passkeySignIn.begin(attempt) : undefined;
        if (options === undefined) throw new Refusal('flow_expired', { reason: 'no passkey is due' });
        ctx.body = options;
      },
    },
    {
      method: 'POST',
      path: '/sign-in/:uid/passkey',
      access: 'anyone',
      async handle(ctx, fields) {
        const uid = walk.held(ctx);
        const { credential } = pickFields(fields, ['credential']);
        const { answer, attempt } = await passkeySignIn.submit(uid, credential, visitorOf(ctx));
        const refused = refusals.of(ctx, answer);
        if (attempt === undefined || refused === undefined) {
          await proceed(ctx, attempt);
          return;
        }
        // Where the button stood: beside the password, or in place of the code.
        const here = await open(ctx);
        if (here.step === 'password') showPassword(here, { ...refused, username: '' });
        else showOtp(here, refused.error, refused.status);
      },
    },
    page('passkey-missing', ({ ctx, page: common }) => {
      write(ctx, 'sign-in/passkey-missing', { ...common, error: { code: 'passkey_required' } });
    }),
    {
      method: 'POST',
      path: '/sign-in/:uid/decline',
      access: 'anyone',
      // The person has no passkey at hand and goes back to the service, which learns why.
      async handle(ctx, fields) {
        pickFields(fields, []);
        const here = await open(ctx);
        if (await leaveFinished(here)) return;
        const location = wantsPasskey(here.attempt) ? await interactions.decline(ctx, here.uid) : undefined;
        if (location === undefined) await proceed(ctx, here.attempt);
        else redirect(ctx, location);
      },
    },
  ];
}
