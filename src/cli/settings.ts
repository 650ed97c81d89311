import type { Command } from 'commander';
import { environment } from '../config/environment.js';
import { ConfigError, loadConfig } from '../config/load.js';
import { newKey } from '../config/development-secrets.js';
import { weaknesses } from '../clients/client-weaknesses.js';
import { loadClients } from '../clients/clients-file.js';
import { findUnreachable } from '../clients/client-reach.js';
import { loadFeedKeys } from '../provisioning/feed-signature.js';
import { loadAuthorities } from '../mutual-tls.js';
import { clientRules } from '../relying-parties.js';
import { createReachable } from '../security/reachable.js';
import { lineOf, printProblems } from './problems.js';

async function checkConfig(): Promise<number> {
  try {
    const config = loadConfig(environment);
    const loaded = await loadClients(config.clientsFile, {
      ...clientRules(config),
      demoSecret: undefined,
    });
    if (loaded.kind === 'refused') {
      for (const { client, field, problem } of loaded.problems) {
        process.stderr.write(`CLIENTS_FILE ${client}: ${field} ${problem}\n`);
      }
      return 1;
    }
    await loadAuthorities(config);
    if (config.feedKeysFile !== undefined) await loadFeedKeys(config.feedKeysFile);
    const reachable = createReachable({
      privateHosts: config.backchannelPrivateHosts,
      allowsLoopback: !config.production,
    });
    for (const client of loaded.clients) {
      for (const { field, warning } of [...weaknesses(client), ...(await findUnreachable(client, reachable))]) {
        process.stderr.write(`warning: ${client.client_id}: ${field} ${warning}\n`);
      }
    }
    process.stdout.write('The settings are good.\n');
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) printProblems(error);
    else process.stderr.write(`sso-asn: ${lineOf(error)}\n`);
    return 1;
  }
}

export function addSettingsCommands(program: Command): void {
  program
    .command('check-config')
    .description(
      'check every setting and CLIENTS_FILE, all problems at once; clients list and clients show judge what is registered',
    )
    .action(async () => {
      process.exitCode = await checkConfig();
    });
  program
    .command('secrets')
    .description('keys for ENCRYPTION_KEYS, PASSWORD_PEPPERS and COOKIE_KEYS')
    .command('new')
    .description('print a new key, kid:base64')
    .action(() => {
      process.stdout.write(`${newKey('k-')}\n`);
    });
}
