/** What is measured, and what was promised for it (docs/performance.md). */
import { Visitor } from '../test/support/visitor.js';
import { logIn, waitForCodes, type Person } from './people.js';
import {
  authorization,
  clientCredentials,
  introspect,
  redeem,
  refresh,
  userinfo,
  type Tokens,
} from './relying-party.js';
import type { Server } from './server.js';

export interface Ceremony {
  readonly name: string;
  /** At most so many statements. */
  readonly statements: number;
  /** How often in a round. */
  readonly times: number;
  /** Waits for what a round needs. */
  readonly prepare?: () => Promise<void>;
  /** Once; `lane` is the same for those that come one after the other. */
  readonly run: (index: number, lane: number) => Promise<void>;
}

/** One person who is logged in, for each of those that run at once. */
interface Lane {
  readonly visitor: Visitor;
  tokens: Tokens;
}

const at = <Item>(items: readonly Item[], index: number): Item => {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('nobody is there');
  return item;
};

/** All ceremonies, in the order of the report. Logs in one person for each lane. */
export async function prepareCeremonies(
  people: readonly Person[],
  { server, lanes: count }: { server: Server; lanes: number },
): Promise<readonly Ceremony[]> {
  const { issuer, port } = server;
  await waitForCodes(people);
  const lanes: Lane[] = [];
  for (const person of people.slice(0, count)) lanes.push(await logIn(person, server));
  const channel = new Visitor({ issuer, ports: [port] });

  return [
    {
      name: 'full login',
      statements: 18,
      times: people.length,
      prepare: () => waitForCodes(people),
      async run(index) {
        (await logIn(at(people, index), server)).visitor.close();
      },
    },
    {
      name: 'single sign-on',
      statements: 10,
      times: 200,
      async run(_index, lane) {
        const { visitor } = at(lanes, lane);
        const { path, verifier } = authorization('second');
        await redeem(channel, { answer: await visitor.ask(path), verifier, client: 'second' });
      },
    },
    {
      name: 'refresh',
      statements: 6,
      times: 300,
      async run(_index, lane) {
        const mine = at(lanes, lane);
        mine.tokens = await refresh(channel, mine.tokens);
      },
    },
    {
      name: 'userinfo',
      statements: 3,
      times: 500,
      run: (_index, lane) => userinfo(channel, at(lanes, lane).tokens),
    },
    {
      name: 'introspection',
      statements: 3,
      times: 500,
      run: (_index, lane) => introspect(channel, at(lanes, lane).tokens),
    },
    {
      name: 'client credentials',
      statements: 1,
      times: 500,
      run: () => clientCredentials(channel),
    },
  ];
}
