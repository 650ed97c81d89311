import { Option, type Command } from 'commander';
import { needsAgency, ROLES, type Role } from '../accounts/role.js';
import { grantRole, revokeRole, rolesOf } from '../accounts/roles.js';
import { agencyCode } from '../kernel/ids.js';
import { moment } from './moment.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

interface RoleOptions {
  readonly nip: string;
  readonly role: Role;
  readonly agency?: string;
}

/** `roles grant|revoke|list` */
export function addRolesCommands(program: Command, run: RunWithServices): void {
  const roles = program.command('roles').description('what people may do for others');
  const roleCommand = (name: string, description: string): Command =>
    roles
      .command(name)
      .description(description)
      .requiredOption('--nip <nip>', '18 digits')
      .option('--agency <code>', 'the agency whose people the role reaches; for helpdesk and agency_admin');
  const role = (): Option => new Option('--role <role>', 'the role').choices(ROLES);

  roleCommand('grant', 'give a person a role')
    .addOption(role().makeOptionMandatory())
    .action(async (options: RoleOptions, command: Command) => {
      const change = wanted(options, command);
      await run(async ({ db, audit, clock, underWay }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const outcome = await db.transaction(async (tx) => {
          const granting = await grantRole(tx, { ...change, accountId: account.id, now: clock.now() });
          if (granting.kind === 'granted') {
            // What one officer began for an ordinary account must not end in an officer's (docs/adr/0019).
            for (const end of underWay) await end(tx, account.id);
            const detail = { role: change.role, grant: granting.grantId };
            await audit.record(tx, {
              type: 'role.granted',
              detail,
              accountId: account.id,
              agencyCode: change.agencyCode,
            });
          }
          return granting.kind;
        });
        if (outcome === 'unknown_agency') {
          console.error('no agency has this code');
          return 1;
        }
        console.log(outcome === 'granted' ? 'granted' : 'held already, nothing changed');
        return 0;
      });
    });

  roleCommand('revoke', 'take a role from a person')
    .addOption(role().makeOptionMandatory())
    .action(async (options: RoleOptions, command: Command) => {
      const change = wanted(options, command);
      await run(async ({ db, audit, clock }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const outcome = await db.transaction(async (tx) => {
          const revoking = await revokeRole(tx, { ...change, accountId: account.id, now: clock.now() });
          if (revoking.kind === 'revoked') {
            const detail = { role: change.role, grant: revoking.grantId };
            await audit.record(tx, {
              type: 'role.revoked',
              detail,
              accountId: account.id,
              agencyCode: change.agencyCode,
            });
          }
          return revoking.kind;
        });
        if (outcome === 'not_held') {
          console.error('the person does not hold this role');
          return 1;
        }
        console.log('revoked');
        return 0;
      });
    });

  roleCommand('list', 'the roles a person holds')
    .addOption(role())
    .action((options: Partial<RoleOptions> & { nip: string }) =>
      run(async ({ db }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        for (const grant of await rolesOf(db, account.id)) {
          if (options.role !== undefined && grant.role !== options.role) continue;
          if (options.agency !== undefined && grant.agency?.code !== options.agency) continue;
          const reach = grant.agency === undefined ? 'all agencies' : `${grant.agency.code} ${grant.agency.name}`;
          console.log(`${grant.role}\t${reach}\t${moment(grant.grantedAt)}`);
        }
        return 0;
      }),
    );
}

/** A role of an agency needs one; a national role has none. Anything else is wrong usage. */
function wanted({ role, agency }: RoleOptions, command: Command) {
  if (needsAgency(role) && agency === undefined) command.error(`the role ${role} needs --agency`, { exitCode: 2 });
  if (!needsAgency(role) && agency !== undefined) command.error(`the role ${role} has no agency`, { exitCode: 2 });
  return { role, agencyCode: agency === undefined ? undefined : agencyCode(agency) };
}
