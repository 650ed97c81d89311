import type { ClientDevelopers, Developer } from '../../clients/client-developers.js';
import type { ClientInvitations, Invitation } from '../../clients/client-invitations.js';
import type { Database } from '../../storage/database.js';
import { byOf, type Forbidden, type OperatorAsked, type Operators } from './operators.js';

type Changed = { readonly kind: 'done' } | { readonly kind: 'already' } | Forbidden;

/** Who builds clients, and who may register one, as operators decide (ADR 0031). */
export interface ClientPeopleDesk {
  developers(asked: OperatorAsked, clientId: string): Promise<readonly Developer[]>;
  nameDeveloper(asked: OperatorAsked, named: { clientId: string; accountId: string }): Promise<Changed>;
  dismissDeveloper(asked: OperatorAsked, dismissed: { clientId: string; accountId: string }): Promise<Changed>;
  invitations(
    asked: OperatorAsked,
  ): Promise<{ readonly kind: 'listed'; readonly invitations: readonly Invitation[] } | Forbidden>;
  /** The token is told this once. */
  invite(
    asked: OperatorAsked,
    order: { uses: number; hours: number; note: string },
  ): Promise<{ readonly kind: 'invited'; readonly token: string } | Forbidden>;
  endInvitation(asked: OperatorAsked, id: string): Promise<Changed>;
}

export function createClientPeopleDesk(parts: {
  readonly db: Database;
  readonly developers: ClientDevelopers;
  readonly invitations: ClientInvitations;
  readonly operators: Operators;
}): ClientPeopleDesk {
  const { db, developers, invitations, operators } = parts;
  const change = (
    asked: OperatorAsked,
    action: string,
    work: (tx: Parameters<Parameters<Database['transaction']>[0]>[0]) => Promise<boolean>,
  ): Promise<Changed> =>
    db.transaction(async (tx) => {
      if (!(await operators.mayChange(tx, asked, action))) return { kind: 'forbidden' };
      return { kind: (await work(tx)) ? 'done' : 'already' };
    });
  return {
    developers: async (asked, clientId) =>
      (await operators.maySee(db, asked, 'clients.show')) ? developers.ofClient(clientId) : [],
    nameDeveloper: (asked, named) =>
      change(asked, 'clients.name_developer', (tx) => developers.name(tx, { ...named, by: byOf(asked) })),
    dismissDeveloper: (asked, dismissed) =>
      change(asked, 'clients.dismiss_developer', (tx) => developers.dismiss(tx, { ...dismissed, by: byOf(asked) })),
    async invitations(asked) {
      if (!(await operators.maySee(db, asked, 'clients.invitations'))) return { kind: 'forbidden' };
      return { kind: 'listed', invitations: await invitations.list() };
    },
    invite: (asked, order) =>
      db.transaction(async (tx) => {
        if (!(await operators.mayChange(tx, asked, 'clients.invite'))) return { kind: 'forbidden' };
        const { token } = await invitations.invite(tx, { ...order, by: byOf(asked) });
        return { kind: 'invited', token };
      }),
    endInvitation: (asked, id) => change(asked, 'clients.end_invitation', (tx) => invitations.end(tx, id, byOf(asked))),
  };
}
