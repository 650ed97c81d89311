import { isIP } from 'node:net';
import { Unreachable, type Reachable } from '../security/reachable.js';
import type { Weakness } from './client-weaknesses.js';
import type { ClientRegistration } from './client-schema.js';

/** What this program calls at addresses of a client, and what is lost when it cannot. */
const CALLED = [
  { field: 'backchannel_logout_uri', loss: 'this client is never told of logouts' },
  { field: 'jwks_uri', loss: 'the keys of this client cannot be read' },
] as const;

const lookUp = (reachable: Reachable, hostname: string): Promise<Error | undefined> =>
  new Promise((resolve) => {
    reachable.lookup(hostname, { all: true }, (error) => {
      resolve(error ?? undefined);
    });
  });

async function problemOf(address: string, reachable: Reachable): Promise<string | undefined> {
  const hostname = new URL(address).hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    reachable.requireHost(hostname);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return 'its address is private and not in BACKCHANNEL_PRIVATE_HOSTS';
  }
  const error = isIP(hostname) === 0 ? await lookUp(reachable, hostname) : undefined;
  if (error === undefined) return undefined;
  return error instanceof Unreachable
    ? `${hostname} is at a private address and not in BACKCHANNEL_PRIVATE_HOSTS`
    : `${hostname} does not resolve here`;
}

/** Which addresses of a client this program would not call, as names resolve here and now. */
export async function findUnreachable(client: ClientRegistration, reachable: Reachable): Promise<readonly Weakness[]> {
  const found = await Promise.all(
    CALLED.map(async ({ field, loss }): Promise<Weakness[]> => {
      const address = client[field];
      const problem = address === undefined ? undefined : await problemOf(address, reachable);
      return problem === undefined ? [] : [{ field, warning: `${problem}: ${loss}` }];
    }),
  );
  return found.flat();
}
