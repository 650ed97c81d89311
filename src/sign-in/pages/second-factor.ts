import type { Clock } from '../../kernel/clock.js';
import type { AttemptId } from '../../kernel/ids.js';
import { Refusal } from '../../kernel/refusal.js';
import { isRecoveryCode } from '../../mfa/recovery-codes.js';
import type { Visitor } from '../../throttle/visitor.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import { redirect } from '../../web/redirect.js';
import type { FormRoute, Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import { asksFactorOnly, usableOf, wantsPasskey } from '../attempt.js';
import type { Interactions } from '../interactions.js';
import type { PasskeySignIn } from '../passkey-sign-in.js';
import type { PresenceSignIn } from '../presence.js';
import type { FactorOutcome, SecondFactor } from '../second-factor.js';
import type { FactorRefusals, Refused } from './factor-refusal.js';
import type { ShowPassword } from './password.js';
import type { Here, Walk } from './walk.js';

export interface SecondFactorRouteParts {
  readonly walk: Walk;
  readonly secondFactor: SecondFactor;
  readonly passkeySignIn: PasskeySignIn;
  readonly presence: Pick<PresenceSignIn, 'isOffered'>;
  readonly interactions: Pick<Interactions, 'decline'>;
  readonly refusals: FactorRefusals;
  readonly showPassword: ShowPassword;
  readonly write: PageWriter;
  readonly clock: Clock;
}

/** One-time code, recovery code, passkey: whatever the person has. */
export function secondFactorRoutes(parts: SecondFactorRouteParts): Route[] {
  const { walk, secondFactor, passkeySignIn, presence, interactions, refusals, showPassword, write, clock } = parts;
  const { page, at, open, proceed, leaveFinished } = walk;

  const showOtp = (here: Here, refused?: Refused & { readonly mayUsePasskey?: boolean }): void => {
    const { attempt, isOwnAccount } = here;
    const { hasRecoveryCodes, waitingResetDueAt: dueAt } = attempt;
    const devices = usableOf(attempt).map(({ name, kind }) => ({ name, kind }));
    const { error, status = 200, mayUsePasskey } = refused ?? {};
    const onlyPasskey = wantsPasskey(attempt);
    const again = asksFactorOnly(attempt);
    const waitingResetDueAt = dueAt !== undefined && dueAt > clock.now() ? dueAt : undefined;
    const mayShowPresence = presence.isOffered(attempt);
    const about = {
      devices,
      onlyPasskey,
      again,
      ownAccount: isOwnAccount,
      hasRecoveryCodes,
      waitingResetDueAt,
      mayShowPresence,
    };
    // Who comes from the account pages still sees whose account it is.
    const name = again && isOwnAccount ? attempt.sessionName : undefined;
    const options = { status, ...(name === undefined ? {} : { person: { name } }) };
    write(here.ctx, 'sign-in/otp', { ...here.page, ...about, mayUsePasskey, error }, options);
  };

  /** Nobody types a code in vain that would not be looked at. A passkey is looked at always. */
  async function openOtp(here: Here): Promise<void> {
    const until = wantsPasskey(here.attempt) ? undefined : await secondFactor.findWait(here.attempt);
    if (until === undefined) showOtp(here);
    else showOtp(here, { ...refusals.throttled(here.ctx, until), mayUsePasskey: true });
  }

  /** A form that takes a second factor. The attempt is not read before: taking the factor reads and holds it. */
  function factorForm(
    path: string,
    field: 'otp' | 'recovery_code',
    take: (uid: AttemptId, typed: string, visitor: Visitor) => Promise<FactorOutcome>,
    isWhole: (typed: string) => boolean = () => true,
  ): FormRoute {
    return {
      method: 'POST',
      path: `/sign-in/:uid${path}`,
      access: 'anyone',
      async handle(ctx, fields) {
        const uid = walk.held(ctx);
        const typed = pickFields(fields, [field])[field];
        if (!isWhole(typed)) {
          const here = await open(ctx);
          if (here.step !== 'second-factor') await proceed(ctx, here.attempt);
          else showOtp(here, { error: { code: 'invalid_input', field }, status: 422 });
          return;
        }
        const { answer, attempt } = await take(uid, typed, visitorOf(ctx));
        const refused = refusals.of(ctx, answer);
        if (answer.kind === 'accepted' && answer.codesLeft !== undefined) {
          leaveNotice(ctx, 'recovery_code_used', { count: answer.codesLeft });
        }
        if (attempt === undefined || refused === undefined) await proceed(ctx, attempt);
        else {
          // A sign-in that is over shows no field to tell it at.
          const atField = field === 'recovery_code' && refused.status === 422;
          const error = atField ? { ...refused.error, field } : refused.error;
          showOtp(at(ctx, attempt), { error, status: refused.status });
        }
      },
    };
  }

  return [
    page('second-factor', openOtp),
    factorForm('/otp', 'otp', (uid, typed, visitor) => secondFactor.submitOtp(uid, typed, visitor)),
    factorForm(
      '/recovery-code',
      'recovery_code',
      (uid, typed, visitor) => secondFactor.submitRecoveryCode(uid, typed, visitor),
      isRecoveryCode,
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
        else showOtp(here, refused);
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
        const location = wantsPasskey(here.attempt) ? await interactions.decline(ctx, here.uid, 'unmet') : undefined;
        if (location === undefined) await proceed(ctx, here.attempt);
        else redirect(ctx, location);
      },
    },
  ];
}
