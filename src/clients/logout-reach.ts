import { isIP } from 'node:net';
import { Unreachable, type Reachable } from '../security/reachable.js';
import type { Weakness } from './client-weaknesses.js';
import type { ClientRegistration } from './client-schema.js';

const NEVER_TOLD = 'this client is never told of logouts';

const lookUp = (reachable: Reachable, hostname: string): Promise<Error | undefined> =>
  new Promise((resolve) => {
    reachable.lookup(hostname, { all: true }, (error) => {
      resolve(error ?? undefined);
    });
  });

/** Whether back-channel logout would call this client, as names resolve here and now. */
export async function findUnreachableLogout(
  client: ClientRegistration,
  reachable: Reachable,
): Promise<Weakness | undefined> {
  const field = 'backchannel_logout_uri';
  const url = client.backchannel_logout_uri === undefined ? null : URL.parse(client.backchannel_logout_uri);
  if (url === null) return undefined;
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    reachable.requireHost(hostname);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { field, warning: `its address is private and not in BACKCHANNEL_PRIVATE_HOSTS: ${NEVER_TOLD}` };
  }
  const error = isIP(hostname) === 0 ? await lookUp(reachable, hostname) : undefined;
  if (error === undefined) return undefined;
  return error instanceof Unreachable
    ? { field, warning: `${hostname} is at a private address and not in BACKCHANNEL_PRIVATE_HOSTS: ${NEVER_TOLD}` }
    : { field, warning: `${hostname} does not resolve here: ${NEVER_TOLD} while it stays so` };
}
