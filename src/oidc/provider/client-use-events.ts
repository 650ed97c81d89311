import type { ClientUse } from '../../clients/client-use.js';
import type { ProviderEvent } from './events.js';

/** What the provider's events say of the use of a client (ADR 0031). */
export function noteUse(use: Pick<ClientUse, 'used' | 'failed'>, event: ProviderEvent): void {
  switch (event.type) {
    case 'authorization.succeeded':
      use.used(event.clientId);
      break;
    case 'grant.succeeded':
      use.used(event.clientId, event.carried);
      break;
    case 'authorization.refused':
    case 'grant.refused':
    case 'endpoint.refused': {
      const { clientId } = event;
      if (clientId !== undefined) use.failed({ ...event, clientId });
    }
  }
}
