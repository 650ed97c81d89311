import type { ClientError, ClientErrors } from '../../clients/client-errors.js';
import type { ClientEdits, Clients } from '../../clients/clients.js';
import type { Database } from '../../storage/database.js';
import type { Idempotency, KeyReused, RepeatableCall } from '../idempotency.js';
import { lineOf, viewOf, type ClientLine, type ClientView } from '../../clients/client-view.js';
import { byOf, type Forbidden, type OperatorAsked, type Operators } from './operators.js';

/** Who wants something of a client. */
export interface ClientAsked extends OperatorAsked {
  readonly repeatable?: RepeatableCall;
}

/** One thing that is wrong with a registration: where (`redirect_uris`, `x.acr`; empty for the whole), and what. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** What became of an order; without what is told once. */
type Order =
  | { readonly kind: 'done'; readonly clientId: string; readonly formerUntil?: string }
  | { readonly kind: 'refused'; readonly problems: readonly FieldProblem[] }
  | { readonly kind: 'taken' | 'not_found' | 'of_file' | 'already' | 'no_secret' }
  | Forbidden;

export type ClientAnswer =
  | {
      readonly kind: 'done';
      readonly client: ClientView;
      /** A secret that was made, told this once: not when the same call is repeated. */
      readonly secret: string | undefined;
      /** After a new secret: until when the former one goes on. */
      readonly formerUntil: Date | undefined;
    }
  | Exclude<Order, { readonly kind: 'done' }>
  | KeyReused;

/** Relying parties, for operators (ADR 0031). Whether somebody is one is asked in the transaction that acts. */
export interface ClientDesk {
  list(asked: ClientAsked): Promise<{ readonly kind: 'listed'; readonly clients: readonly ClientLine[] } | Forbidden>;
  find(
    asked: ClientAsked,
    clientId: string,
  ): Promise<{ readonly kind: 'found'; readonly client: ClientView } | { readonly kind: 'not_found' } | Forbidden>;
  /** Which client a request was refused, and why, by the number that its error page showed. */
  findRequest(
    asked: ClientAsked,
    requestId: string,
  ): Promise<
    | { readonly kind: 'found'; readonly client: ClientView; readonly error: ClientError }
    | { readonly kind: 'not_found' }
    | Forbidden
  >;
  /** Registers a new client; a secret is made for one that needs it. */
  register(asked: ClientAsked, written: object): Promise<ClientAnswer>;
  /** Puts another registration in the place of one that is not of the clients file. */
  replace(asked: ClientAsked, clientId: string, written: object): Promise<ClientAnswer>;
  disable(asked: ClientAsked, clientId: string): Promise<ClientAnswer>;
  enable(asked: ClientAsked, clientId: string): Promise<ClientAnswer>;
  rotateSecret(asked: ClientAsked, clientId: string, overlapSeconds: number): Promise<ClientAnswer>;
}

export interface ClientDeskParts {
  readonly db: Database;
  readonly clients: Clients;
  readonly errors: ClientErrors;
  readonly idempotency: Idempotency;
  readonly operators: Operators;
}

const NOT_REPEATED: RepeatableCall = { caller: '', key: undefined, request: '' };

export function createClientDesk(parts: ClientDeskParts): ClientDesk {
  const { db, clients, errors, idempotency, operators } = parts;

  /** One order, once for its key, by who is an operator when it is carried out. */
  async function order(
    asked: ClientAsked,
    action: string,
    work: (edits: ClientEdits, tell: (secret: string | undefined) => void) => Promise<Order>,
  ): Promise<ClientAnswer> {
    let secret: string | undefined;
    const ordered = await clients.change(async (edits): Promise<Order | KeyReused> => {
      if (!(await operators.mayChange(edits.tx, asked, action))) return { kind: 'forbidden' };
      const call = { ...(asked.repeatable ?? NOT_REPEATED), keeps: ({ kind }: Order) => kind === 'done' };
      return idempotency.once<Order>(edits.tx, call, () =>
        work(edits, (made) => {
          secret = made;
        }),
      );
    });
    if (ordered.kind !== 'done') return ordered;
    const record = await clients.find(ordered.clientId);
    if (record === undefined) return { kind: 'not_found' };
    const { formerUntil } = ordered;
    return {
      kind: 'done',
      client: viewOf(record, await errors.ofClient(record.clientId)),
      secret,
      formerUntil: formerUntil === undefined ? undefined : new Date(formerUntil),
    };
  }

  const add = async (
    asked: ClientAsked,
    { edits, written, replace }: { edits: ClientEdits; written: object; replace: boolean },
    tell: (secret: string | undefined) => void,
  ): Promise<Order> => {
    const added = await edits.add(written, { source: 'console', by: byOf(asked), replace });
    if (added.kind === 'refused') {
      return { kind: 'refused', problems: added.problems.map(({ field, problem }) => ({ field, problem })) };
    }
    if (added.kind === 'taken') return { kind: 'taken' };
    tell(added.secret);
    return { kind: 'done', clientId: added.client.client_id };
  };

  const switching = (action: 'disable' | 'enable') => (asked: ClientAsked, clientId: string) =>
    order(asked, `clients.${action}`, async (edits) => {
      const switched = await edits[action](clientId, byOf(asked));
      if (switched === 'done') return { kind: 'done', clientId };
      return { kind: switched === 'unknown' ? 'not_found' : 'already' };
    });

  return {
    async list(asked) {
      if (!(await operators.maySee(db, asked, 'clients.list'))) return { kind: 'forbidden' };
      const [records, lately] = [await clients.list(), await errors.lastHour()];
      return { kind: 'listed', clients: records.map((record) => lineOf(record, lately)) };
    },

    async find(asked, clientId) {
      if (!(await operators.maySee(db, asked, 'clients.show'))) return { kind: 'forbidden' };
      const record = await clients.find(clientId);
      if (record === undefined) return { kind: 'not_found' };
      return { kind: 'found', client: viewOf(record, await errors.ofClient(clientId)) };
    },

    async findRequest(asked, requestId) {
      if (!(await operators.maySee(db, asked, 'clients.list'))) return { kind: 'forbidden' };
      const found = await errors.ofRequest(requestId);
      const record = found && (await clients.find(found.clientId));
      if (found === undefined || record === undefined) return { kind: 'not_found' };
      return { kind: 'found', client: viewOf(record, []), error: found.error };
    },

    register: (asked, written) =>
      order(asked, 'clients.register', (edits, tell) => add(asked, { edits, written, replace: false }, tell)),

    replace: (asked, clientId, written) =>
      order(asked, 'clients.replace', async (edits, tell) => {
        const before = await edits.find(clientId);
        if (before === undefined) return { kind: 'not_found' };
        if (before.source === 'file') return { kind: 'of_file' };
        const { client_id: id = clientId } = written as { readonly client_id?: unknown };
        if (id !== clientId) {
          return { kind: 'refused', problems: [{ field: 'client_id', problem: 'cannot be changed' }] };
        }
        return add(asked, { edits, written: { ...written, client_id: clientId }, replace: true }, tell);
      }),

    disable: switching('disable'),
    enable: switching('enable'),

    rotateSecret: (asked, clientId, overlapSeconds) =>
      order(asked, 'clients.rotate_secret', async (edits, tell) => {
        const rotated = await edits.rotateSecret(clientId, { overlapSeconds, by: byOf(asked) });
        if (rotated.kind === 'unknown') return { kind: 'not_found' };
        if (rotated.kind === 'has_none') return { kind: 'no_secret' };
        tell(rotated.secret);
        return { kind: 'done', clientId, formerUntil: rotated.formerUntil.toISOString() };
      }),
  };
}
