/** A has an authenticator; B has a password and none yet. */
export type Who = 'A' | 'B';
export type SlotName = 0 | 1;

/** What somebody does in one browser with two sign-ins open. */
export type Action =
  | { do: 'auth'; slot: SlotName }
  | { do: 'password'; slot: SlotName; as: Who | 'wrong' }
  | { do: 'otp'; slot: SlotName; code: 'right' | 'wrong' | 'used' }
  | { do: 'mailbox'; slot: SlotName; code: 'right' | 'wrong' }
  /** The code of the key on the page; without such a page, of a key of one's own. */
  | { do: 'enrol'; slot: SlotName; code: 'right' | 'wrong' }
  | { do: 'saved'; slot: SlotName }
  | { do: 'resume'; slot: SlotName }
  /** With the other sign-in's cookie. */
  | { do: 'resume as the other'; slot: SlotName }
  | { do: 'open as the other'; slot: SlotName }
  | { do: 'replay'; slot: SlotName }
  | { do: 'back'; slot: SlotName }
  | { do: 'prompt none' };

const SLOTS: readonly SlotName[] = [0, 1];

export const ACTIONS: readonly Action[] = [
  ...SLOTS.flatMap((slot): Action[] => [
    { do: 'auth', slot },
    ...(['A', 'B', 'wrong'] as const).map((as): Action => ({ do: 'password', slot, as })),
    ...(['right', 'wrong', 'used'] as const).map((code): Action => ({ do: 'otp', slot, code })),
    ...(['right', 'wrong'] as const).map((code): Action => ({ do: 'mailbox', slot, code })),
    ...(['right', 'wrong'] as const).map((code): Action => ({ do: 'enrol', slot, code })),
    { do: 'saved', slot },
    { do: 'resume', slot },
    { do: 'resume as the other', slot },
    { do: 'open as the other', slot },
    { do: 'replay', slot },
    { do: 'back', slot },
  ]),
  { do: 'prompt none' },
];

/** How far one sign-in is. `finished`: we have vouched, the browser has not gone back yet. */
export type Phase = 'none' | 'password' | 'otp' | 'mailbox' | 'enrol' | 'codes' | 'finished' | 'spent';

export interface Slot {
  readonly phase: Phase;
  readonly who: Who | undefined;
  readonly passwordAt: number;
  readonly factorAt: number;
  /** Which of the mails to B has the code that it waits for. */
  readonly mail: number;
}

export interface State {
  readonly slots: readonly [Slot, Slot];
  /** Who is signed in in this browser, and when the second factor was given. */
  readonly session: { readonly who: Who; readonly factorAt: number } | undefined;
  readonly enrolledB: boolean;
  /** Codes mailed to B. */
  readonly mails: number;
  /** Whether the last of them is still to be typed: then the next sign-in of B waits for it too. */
  readonly isMailOpen: boolean;
  readonly seconds: number;
}

const EMPTY: Slot = { phase: 'none', who: undefined, passwordAt: 0, factorAt: 0, mail: 0 };
export const START: State = {
  slots: [EMPTY, EMPTY],
  session: undefined,
  enrolledB: false,
  mails: 0,
  isMailOpen: false,
  seconds: 0,
};

/** A right password opens the page for the code for so long. */
const PASSWORD_SECONDS = 300;
/** Time that passes before a code is typed, so that it is a new one. */
export const STEP_SECONDS = 31;
/** From one source within an hour. */
export const MAILS = 3;

/** What must come of an action: the state after it, and whose code a service gets, with the time of the factor. */
export interface Outcome {
  readonly state: State;
  readonly code?: { readonly who: Who; readonly factorAt: number };
}

/** What the program itself would say of a slot now: time and another sign-in may have moved it. */
export function due(state: State, slot: SlotName): Phase {
  const { phase, who, passwordAt } = state.slots[slot];
  const waits = phase === 'mailbox' || phase === 'enrol';
  const step = waits && who === 'B' && state.enrolledB ? 'otp' : phase;
  return step === 'otp' && state.seconds - passwordAt > PASSWORD_SECONDS ? 'password' : step;
}

function put(state: State, slot: SlotName, change: Partial<Slot>): State {
  const slots = state.slots.map((each, index) => (index === slot ? { ...each, ...change } : each));
  return { ...state, slots: slots as unknown as State['slots'] };
}

/** A code that was mailed to this browser and not typed is not mailed again. */
export const mailed = (state: State): State =>
  state.isMailOpen ? state : { ...state, mails: state.mails + 1, isMailOpen: true };

/** Whether the code in the mail that this sign-in waits for can still be typed: it may have been, in the other one. */
const opensMail = ({ slots, mails, isMailOpen }: State, slot: SlotName): boolean =>
  isMailOpen && slots[slot].mail === mails;

/** Somebody else's session ends when a person is vouched for. */
function finish(state: State, slot: SlotName, change: Partial<Slot>): State {
  const after = put(state, slot, { ...change, phase: 'finished' });
  return state.session !== undefined && state.session.who !== after.slots[slot].who
    ? { ...after, session: undefined }
    : after;
}

/** An authorization request of a browser with a session is answered at once; else a sign-in begins. */
function authorize(state: State, slot: SlotName): Outcome {
  if (state.session !== undefined) return { state: put(state, slot, EMPTY), code: state.session };
  return { state: put(state, slot, { ...EMPTY, phase: 'password' }) };
}

function resume(state: State, slot: SlotName, into: SlotName = slot): Outcome {
  const { phase, who, factorAt } = state.slots[slot];
  if (phase === 'none' || phase === 'spent') return { state };
  // Nothing was proved: the request is looked at afresh.
  if (phase !== 'finished' || who === undefined) return authorize(put(state, slot, EMPTY), into);
  const spent = put(state, slot, { phase: 'spent' });
  if (state.session !== undefined && state.session.who !== who) return { state: spent };
  const session = { who, factorAt };
  return { state: { ...spent, session }, code: session };
}

const other = (slot: SlotName): SlotName => (slot === 0 ? 1 : 0);

/** Nobody has proved anything here, and another sign-in has made the session that it lacked. */
export const isOvertaken = ({ slots, session }: State, slot: SlotName): boolean =>
  slots[slot].phase === 'password' && slots[slot].who === undefined && session !== undefined;

/** `replayed` is what the slot's last post was. */
export function next(before: State, action: Action, replayed: Action | undefined): Outcome {
  if (action.do === 'prompt none')
    return before.session === undefined ? { state: before } : { state: before, code: before.session };
  const { slot } = action;
  const passes = (action.do === 'otp' || action.do === 'enrol') && action.code === 'right';
  const state = passes ? { ...before, seconds: before.seconds + STEP_SECONDS } : before;
  const phase = due(state, slot);
  const { seconds } = state;
  switch (action.do) {
    case 'auth':
      return authorize(state, slot);
    case 'password':
      if (phase !== 'password' || action.as === 'wrong') return { state };
      if (action.as === 'A' || state.enrolledB) {
        return { state: put(state, slot, { phase: 'otp', who: action.as, passwordAt: seconds }) };
      }
      return {
        state: put(mailed(state), slot, { phase: 'mailbox', who: 'B', passwordAt: seconds, mail: mailed(state).mails }),
      };
    case 'otp':
      return phase === 'otp' && action.code === 'right'
        ? { state: finish(state, slot, { factorAt: seconds }) }
        : { state };
    case 'mailbox':
      return phase === 'mailbox' && action.code === 'right' && opensMail(state, slot)
        ? { state: put({ ...state, isMailOpen: false }, slot, { phase: 'enrol' }) }
        : { state };
    case 'enrol':
      if (phase !== 'enrol' || action.code === 'wrong') return { state };
      return { state: put({ ...state, enrolledB: true }, slot, { phase: 'codes', factorAt: seconds }) };
    case 'saved':
      return phase === 'codes' ? { state: finish(state, slot, {}) } : { state };
    case 'resume':
      return resume(state, slot);
    case 'resume as the other':
      // The cookie decides, whatever the address says; without one there is nothing to resume.
      return resume(state, other(slot));
    case 'back':
      return phase === 'finished' || isOvertaken(state, slot) ? resume(state, slot) : { state };
    case 'open as the other':
      return { state };
    case 'replay':
      return replayed === undefined || replayed.do === 'replay' ? { state } : repeat(state, replayed);
  }
}

/** The same post once more: what it typed is spent or is judged as before. */
function repeat(state: State, post: Action): Outcome {
  if ('code' in post) return { state };
  return next(state, post, undefined);
}

/** States from which the same follows. Time is left out: six steps take less than a password holds. */
export function keyOf(state: State): string {
  const { slots, session, enrolledB, isMailOpen } = state;
  const names = slots.map(({ phase, who }, slot) => {
    const isOpen = phase === 'mailbox' && opensMail(state, slot as SlotName);
    return `${phase} ${who ?? ''} ${isOpen ? 'open' : ''}`;
  });
  return [...names, session?.who ?? 'nobody', enrolledB ? 'enrolled' : '', isMailOpen ? 'mailed' : ''].join('; ');
}
