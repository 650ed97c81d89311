import fc from 'fast-check';
import { openHttpHouse } from './reset/over-http.js';
import { emptyTally, play } from './reset/player.js';
import { sequences } from './reset/steps.js';

const SEED = 20_261_124;
const SEQUENCES = 300;

let house: Awaited<ReturnType<typeof openHttpHouse>>;
beforeAll(async () => {
  house = await openHttpHouse();
});
afterAll(() => house.close());

describe('password reset over HTTP, modelled (R-01)', () => {
  it('changes a password only where the rules say so, and signs nobody in', async () => {
    const tally = emptyTally();
    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => play(await house.driver(), await house.addTwo(), steps, tally)),
      { seed: SEED, numRuns: SEQUENCES },
    );
    expect(tally.byReset.A + tally.byReset.B).toBeGreaterThan(50);
  }, 180_000);
});
