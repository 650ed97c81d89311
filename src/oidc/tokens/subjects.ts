import type { ClientRegistry } from '../../clients/client-registry.js';
import { sectorOf } from '../../clients/sector.js';
import type { AccountId } from '../../kernel/ids.js';
import type { KeyedDigest } from '../../security/digests.js';

/** How a client knows a person: the `sub` of every token and answer that it gets (R-14, ADR 0029). */
export interface Subjects {
  /** The account id, or for a client with pairwise subjects one of its own that leads to no other. */
  at(clientId: string, account: AccountId): string;
}

/** The first 122 bits of a digest in the form of a random UUID (RFC 9562 section 5.4), as every `sub` looks. */
function uuidOf(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function createSubjects(parts: {
  readonly keyed: KeyedDigest;
  readonly registry: Pick<ClientRegistry, 'registration'>;
}): Subjects {
  const { keyed, registry } = parts;
  return {
    at(clientId, account) {
      const client = registry.registration(clientId);
      const sector = client === undefined ? undefined : sectorOf(client);
      return sector === undefined ? account : uuidOf(keyed('pairwise subject', `${sector}|${account}`));
    },
  };
}
