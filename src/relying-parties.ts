import type { JsonWebKey } from 'node:crypto';
import type { Config } from './config/settings.js';
import { clientRegistry, type ClientRegistry } from './clients/client-registry.js';
import { entryOf } from './clients/client-secrets.js';
import { loadClients } from './clients/clients-file.js';
import { adminResourceOf } from './clients/admin-resource.js';
import type { KeyedDigest } from './security/digests.js';

/** The registrations in the clients file cannot be used. */
export class ClientsRefused extends Error {
  constructor(problems: readonly { client: string; field: string; problem: string }[]) {
    super(problems.map(({ client, field, problem }) => `${client} ${field} ${problem}`).join('; '));
    this.name = 'ClientsRefused';
  }
}

export interface RelyingPartiesLoaded {
  readonly registry: ClientRegistry;
  /** Private keys of the sample relying parties, by client id; empty outside demo mode. */
  readonly demoKeys: ReadonlyMap<string, JsonWebKey>;
}

/** Reads the clients file. Throws {@link ClientsRefused} with every problem in it at once. */
export async function loadRelyingParties(
  config: Config,
  { keyed, brand }: { keyed: KeyedDigest; brand: { name: string; portal: string } },
): Promise<RelyingPartiesLoaded> {
  const loaded = await loadClients(config.clientsFile, {
    issuer: config.issuer,
    adminResource: adminResourceOf(config.adminOrigin),
    production: config.production,
    demoSecret: config.demo ? keyed('demo clients', config.issuerText) : undefined,
  });
  if (loaded.kind === 'refused') throw new ClientsRefused(loaded.problems);
  const own = {
    issuer: config.issuer,
    name: brand.portal,
    console: { origin: config.adminOrigin, name: `Helpdesk ${brand.name}` },
  };
  const entries = loaded.clients.map((client) => entryOf(client, keyed));
  const registry = clientRegistry(entries, own, keyed);
  return { registry, demoKeys: loaded.demoKeys };
}
