import { secondsUntil, type Clock } from '../../kernel/clock.js';
import { attemptId, type AttemptId } from '../../kernel/ids.js';
import { Refusal } from '../../kernel/refusal.js';
import type { KnownBrowsers } from '../../throttle/known-browsers.js';
import type { PostedFields } from '../../web/form.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { FormRoute, GetRoute } from '../../web/route-table.js';
import { rememberBrowser, visitorOf } from '../../web/visitor.js';
import type { Attempt } from '../attempt.js';
import type { Interactions } from '../interactions.js';
import type { Step } from '../journey.js';
import type { RelyingParties } from '../../clients/relying-parties.js';
import type { SignIn } from '../sign-in.js';

export const PATHS: Record<Exclude<Step, 'done'>, string> = {
  password: '',
  'second-factor': '/otp',
  'passkey-missing': '/passkey-missing',
  'factors-closed': '/closed',
  'prove-mailbox': '/mailbox',
  'enrol-device': '/enrol',
  'save-codes': '/recovery-codes',
  'change-password': '/change-password',
};

type AskedStep = keyof typeof PATHS;

/** An attempt of this browser, as its pages are given it. */
export interface Here {
  readonly ctx: PageContext;
  readonly uid: AttemptId;
  readonly attempt: Attempt;
  /** It is our own account pages that ask, before a change. */
  readonly isOwnAccount: boolean;
  /** What every page of this attempt is given. */
  readonly page: { readonly uid: string; readonly service: string };
}

export interface WalkParts {
  readonly signIn: SignIn;
  readonly interactions: Interactions;
  readonly relyingParties: RelyingParties;
  readonly knownBrowsers: KnownBrowsers;
  readonly clock: Clock;
}

/** How a browser goes through a sign-in: which page is due, and how to get there. */
export interface Walk {
  /** The path's attempt. Throws the refusal `flow_expired` when it is not this browser's, or no longer there. */
  readonly open: (ctx: PageContext) => Promise<Here & { readonly step: Step }>;
  /** Where an attempt of this browser is shown. */
  readonly at: (ctx: PageContext, attempt: Attempt) => Here;
  /** The uid in the path, of an attempt that this browser holds; the attempt itself is not read. */
  readonly held: (ctx: PageContext) => AttemptId;
  /** True when the attempt is finished: the browser is on its way already. */
  readonly leaveFinished: (here: Here) => Promise<boolean>;
  /** Goes on from the attempt as it is now: as this request left it, else as it is read. */
  readonly proceed: (ctx: PageContext, known?: Attempt) => Promise<void>;
  /** A page of the journey: shown when it is the next step, else the browser is sent to the one that is. */
  readonly page: (step: AskedStep, show: (here: Here) => Promise<void> | void) => GetRoute;
  /** A form of one step; posted out of turn it changes nothing and leads to the step that is due. */
  readonly form: (
    step: AskedStep,
    path: string,
    take: (here: Here, fields: PostedFields) => Promise<void> | void,
  ) => FormRoute;
  /** Seconds until then, told in `Retry-After` too. */
  readonly retryAfter: (ctx: PageContext, until: Date) => number;
}

const uidOf = (ctx: PageContext): AttemptId => attemptId((ctx.params as { uid: string }).uid);

export function createWalk(parts: WalkParts): Walk {
  const { signIn, interactions, relyingParties, clock } = parts;

  function at(ctx: PageContext, attempt: Attempt): Here {
    const { uid } = attempt;
    const party = relyingParties.find(attempt.clientId);
    ctx.state.formOrigins.push(...(party?.formOrigins ?? []));
    const isOwnAccount = party?.isOwnAccount === true;
    return { ctx, uid, attempt, isOwnAccount, page: { uid, service: party?.name ?? '' } };
  }

  async function open(ctx: PageContext): Promise<Here & { readonly step: Step }> {
    const opened = await signIn.open(ctx, uidOf(ctx), ctx.state.browserId);
    if (opened === undefined) throw new Refusal('flow_expired');
    return { ...at(ctx, opened.attempt), step: opened.step };
  }

  /** Another tab, or the first half of a double tap, has finished this attempt: ask again, the session is good now. */
  async function leaveFinished({ ctx, uid, attempt }: Here): Promise<boolean> {
    if (attempt.finishedAt === undefined) return false;
    const request = await interactions.authorizationRequest(uid);
    if (request === undefined) throw new Refusal('flow_expired');
    redirect(ctx, request);
    return true;
  }

  /**
   * Another tab has signed in: an attempt that lacked nothing but a session asks the provider again. Pages only: who
   * posts a name and a password may be somebody else.
   */
  async function leaveOvertaken({ ctx, uid, attempt: { accountId, reasons } }: Here): Promise<boolean> {
    if (accountId !== undefined || reasons.some((reason) => reason !== 'no_session')) return false;
    if (!(await interactions.isSignedIn(ctx))) return false;
    const request = await interactions.authorizationRequest(uid);
    if (request !== undefined) redirect(ctx, request);
    return request !== undefined;
  }

  async function proceed(ctx: PageContext, known?: Attempt): Promise<void> {
    const here = known === undefined ? await open(ctx) : at(ctx, known);
    if (await leaveFinished(here)) return;
    const { attempt, uid } = here;
    const onward = await signIn.proceed(ctx, attempt, visitorOf(ctx));
    if (onward === undefined) throw new Refusal('flow_expired');
    if (onward.kind === 'resume') rememberBrowser(ctx, parts.knownBrowsers, onward.accountId);
    redirect(ctx, onward.kind === 'resume' ? onward.location : `/sign-in/${uid}${PATHS[onward.step]}`);
  }

  return {
    open,
    at,
    held(ctx) {
      const uid = uidOf(ctx);
      if (!interactions.holds(ctx, uid)) throw new Refusal('flow_expired');
      return uid;
    },
    leaveFinished,
    proceed,
    page: (step, show) => ({
      method: 'GET',
      path: `/sign-in/:uid${PATHS[step]}`,
      access: 'anyone',
      async handle(ctx) {
        const here = await open(ctx);
        if ((await leaveFinished(here)) || (await leaveOvertaken(here))) return;
        if (here.step === step) await show(here);
        else await proceed(ctx, here.attempt);
      },
    }),

    form: (step, path, take) => ({
      method: 'POST',
      path: `/sign-in/:uid${path}`,
      access: 'anyone',
      async handle(ctx, fields) {
        const here = await open(ctx);
        if (await leaveFinished(here)) return;
        if (here.step === step) await take(here, fields);
        else await proceed(ctx, here.attempt);
      },
    }),

    retryAfter(ctx, until) {
      const seconds = Math.max(1, secondsUntil(clock.now(), until));
      ctx.set('Retry-After', String(seconds));
      return seconds;
    },
  };
}
