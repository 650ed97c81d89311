import type { JsonWebKey } from 'node:crypto';
import type { Config } from './config/settings.js';
import { adminResourceOf } from './clients/admin-resource.js';
import type { ClientRules } from './clients/client-schema.js';
import { loadClients, type WrittenClient } from './clients/clients-file.js';
import { mutualTlsRules } from './mutual-tls.js';
import type { KeyedDigest } from './security/digests.js';

/** The registrations in the clients file cannot be used. */
export class ClientsRefused extends Error {
  constructor(problems: readonly { client: string; field: string; problem: string }[]) {
    super(problems.map(({ client, field, problem }) => `${client} ${field} ${problem}`).join('; '));
    this.name = 'ClientsRefused';
  }
}

/** What this installation asks of every registration. */
export const clientRules = (config: Config): ClientRules => ({
  issuer: config.issuer,
  adminResource: adminResourceOf(config.adminOrigin),
  production: config.production,
  mutualTls: mutualTlsRules(config),
});

export interface ClientsFile {
  /** Every client of the file, for the table of clients. */
  readonly written: readonly WrittenClient[];
  /** Private keys of the sample relying parties, by client id; empty outside demo mode. */
  readonly demoKeys: ReadonlyMap<string, JsonWebKey>;
}

/** Reads the clients file. Throws {@link ClientsRefused} with every problem in it at once. */
export async function readClientsFile(config: Config, { keyed }: { keyed: KeyedDigest }): Promise<ClientsFile> {
  const loaded = await loadClients(config.clientsFile, {
    ...clientRules(config),
    demoSecret: config.demo ? keyed('demo clients', config.issuerText) : undefined,
  });
  if (loaded.kind === 'refused') throw new ClientsRefused(loaded.problems);
  return { written: loaded.written, demoKeys: loaded.demoKeys };
}
