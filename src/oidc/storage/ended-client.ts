import type { ClientRegistry } from '../../clients/client-registry.js';
import type { StoredToken } from './token-store.js';

/** Whether the client of a token is gone, or was gone at some time since it was issued: then the token is dead (ADR 0026). */
export function hasEnded(registry: ClientRegistry, { clientId, payload }: StoredToken): boolean {
  return clientId !== undefined && !registry.tokenLives(clientId, Number(payload.iat ?? 0));
}
