import { Command, Help, type Option } from 'commander';
import { addAccountsCommands } from './accounts.js';
import { addAgenciesCommands } from './agencies.js';
import { addAuditCommands } from './audit.js';
import { addBreachReport } from './breach-report.js';
import { addClientsCommands } from './clients.js';
import { addKeysCommands } from './keys.js';
import { addMfaCommands } from './mfa.js';
import { addMigrateCommand } from './migrate.js';
import { addRolesCommands } from './roles.js';
import { runWithServices } from './run.js';
import { addServeCommands } from './serve.js';
import { addSettingsCommands } from './settings.js';

/** Whether an option must be given stands in the help, not only in the refusal. */
function descriptionOf(this: Help, option: Option): string {
  const description = Help.prototype.optionDescription.call(this, option);
  return option.mandatory ? `${description} (required)` : description;
}

/** `sso-asn`: one command each; wrong usage exits with 2. */
export function createProgram(): Command {
  const program = new Command('sso-asn')
    .description('SSO ASN: the OpenID Connect provider of the civil service')
    .configureHelp({ optionDescription: descriptionOf })
    .showHelpAfterError('(sso-asn --help shows all commands)')
    .exitOverride((error) => {
      // --help and --version end well; everything else commander refuses is wrong usage.
      process.exit(error.exitCode === 0 ? 0 : 2);
    });
  addServeCommands(program);
  addMigrateCommand(program);
  addSettingsCommands(program);
  addAgenciesCommands(program, runWithServices);
  addAccountsCommands(program, runWithServices);
  addRolesCommands(program, runWithServices);
  addClientsCommands(program, runWithServices);
  addMfaCommands(program, runWithServices);
  addAuditCommands(program, runWithServices);
  addKeysCommands(program, runWithServices);
  addBreachReport(program, runWithServices);
  return program;
}
