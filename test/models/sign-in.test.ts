import fc from 'fast-check';
import { addEmployees, type Employee } from '../support/employees.js';
import { openHouse, type House } from '../sign-in/house.js';
import {
  ACTIONS,
  due,
  keyOf,
  MAILS,
  next,
  START,
  type Action,
  type SlotName,
  type State,
  type Who,
} from './sign-in/model.js';
import { openWorld, type World } from './sign-in/world.js';

const SEED = 20_261_125;
const LONGEST = 6;
const RANDOM = 80;

let house: House;
const enrolled: Employee[] = [];
const fresh: Employee[] = [];
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

/** A browser with two people of its own. */
async function world(): Promise<World> {
  if (enrolled.length === 0) {
    enrolled.push(...(await addEmployees(house.services, { count: 100, state: 'enrolled' })));
    fresh.push(...(await addEmployees(house.services, { count: 100, state: 'password' })));
  }
  const [A, B] = [enrolled.pop(), fresh.pop()];
  if (A === undefined || B === undefined) throw new Error('nobody is left');
  return openWorld(house, { A, B });
}

async function play(actions: readonly Action[], on: World): Promise<World> {
  for (const [index, action] of actions.entries()) {
    await on.act(action).catch((error: unknown) => {
      const way = actions.slice(0, index + 1).map((each) => JSON.stringify(each));
      throw new Error(`${String(error)} after ${way.join(' ')}`, { cause: error });
    });
  }
  return on;
}

/** What somebody who wants to log in does next. */
function honest(state: State, slot: SlotName, as: Who): Action {
  switch (due(state, slot)) {
    case 'none':
    case 'spent':
      return { do: 'auth', slot };
    case 'password':
      return { do: 'password', slot, as };
    case 'otp':
      return { do: 'otp', slot, code: 'right' };
    case 'mailbox':
      return { do: 'mailbox', slot, code: 'right' };
    case 'enrol':
      return { do: 'enrol', slot, code: 'right' };
    case 'codes':
      return { do: 'saved', slot };
    case 'finished':
      return { do: 'resume', slot };
  }
}

const isMistake = (action: Action): boolean =>
  action.do === 'replay' ||
  (action.do === 'password' && action.as === 'wrong') ||
  ('code' in action && action.code !== 'right');

describe('sign-in, modelled (R-02, R-03)', () => {
  it('gives no code without both factors, in any order of up to six steps', async () => {
    const seen = new Set([keyOf(START)]);
    let layer: { state: State; way: readonly Action[] }[] = [{ state: START, way: [] }];
    let codes = 0;
    for (let length = 1; length <= LONGEST + 1; length += 1) {
      const found: typeof layer = [];
      for (const { state, way } of layer) {
        const moves = (action: Action): boolean => keyOf(next(state, action, undefined).state) !== keyOf(state);
        // What the model says changes nothing is tried in one go, and so also one after the other.
        const idle = ACTIONS.filter((action) => action.do !== 'replay' && !moves(action));
        const replays = ACTIONS.filter((action) => action.do === 'replay');
        const rested = await play([...way, ...replays, ...idle, ...replays], await world());
        codes += rested.codes;
        if (length > LONGEST) continue;
        for (const action of ACTIONS.filter(moves)) {
          codes += (await play([...way, action], await world())).codes;
          const reached = next(state, action, undefined).state;
          if (seen.has(keyOf(reached))) continue;
          seen.add(keyOf(reached));
          found.push({ state: reached, way: [...way, action] });
        }
      }
      layer = found;
    }
    expect(codes).toBeGreaterThan(50);
  }, 240_000);

  it('gives none in longer ways either', async () => {
    const slot = fc.constantFrom<SlotName>(0, 1);
    const onwards = fc.record({ onwards: slot, as: fc.constantFrom<Who>('A', 'B') });
    const anything = fc.constantFrom(...ACTIONS);
    const ways = fc.array(fc.oneof({ weight: 3, arbitrary: onwards }, { weight: 2, arbitrary: anything }), {
      minLength: 8,
      maxLength: 20,
    });
    let codes = 0;
    await fc.assert(
      fc.asyncProperty(ways, async (way) => {
        const on = await world();
        const mistakes = new Map<string, number>();
        for (const each of way) {
          const action = 'onwards' in each ? honest(on.state, each.onwards, each.as) : each;
          if (action.do === 'password' && action.as === 'B' && on.state.mails >= MAILS) continue;
          // Limits are not modelled: nobody here is wrong five times.
          const made = mistakes.get(action.do) ?? 0;
          if (made === 4) continue;
          if (isMistake(action)) mistakes.set(action.do, made + 1);
          await on.act(action);
        }
        codes += on.codes;
      }),
      { seed: SEED, numRuns: RANDOM },
    );
    expect(codes).toBeGreaterThan(RANDOM / 2);
  }, 180_000);
});
