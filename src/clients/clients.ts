import type { Audit } from '../audit/audit.js';
import type { AuditEvent } from '../audit/events.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { KeyedDigest } from '../security/digests.js';
import { randomId } from '../security/secrets.js';
import type { Database, Queryable } from '../storage/database.js';
import { bumpRevision } from '../storage/revisions.js';
import type { LiveClientRegistry } from './client-registry.js';
import { usesSecret, type ClientRegistration, type ClientRules } from './client-schema.js';
import { secretDigest } from './client-secrets.js';
import { parseClients, type ClientProblem, type WrittenClient } from './clients-file.js';
import { clientsStore, type ClientRow, type ClientSource, type FileChanges } from './clients-store.js';

export type { ClientRow, ClientSource, FileChanges } from './clients-store.js';

/** Who changes a registration; nobody for a command and for the file. */
export type By = Pick<AuditEvent, 'actorId' | 'requestId' | 'agent'>;

/** A client with all that is known of it. */
export interface ClientRecord extends ClientRow {
  /** Absent when the rules of today refuse what was accepted once: then nobody can log in by it. */
  readonly registration: ClientRegistration | undefined;
  readonly problems: readonly ClientProblem[];
}

export type Added =
  | {
      readonly kind: 'added';
      /** False: it stood there already and was changed. */
      readonly isNew: boolean;
      readonly client: ClientRegistration;
      /** One that was made for it, told this once. */
      readonly secret: string | undefined;
    }
  | { readonly kind: 'refused'; readonly problems: readonly ClientProblem[] }
  /** The id is taken; one of the file is changed there. */
  | { readonly kind: 'taken'; readonly of: 'file' | 'other' };

export type Rotated =
  /** Told this once. The former one is good until then. */
  | { readonly kind: 'rotated'; readonly secret: string; readonly formerUntil: Date }
  | { readonly kind: 'unknown' }
  /** It proves itself in another way. */
  | { readonly kind: 'has_none' };

export type Switched = 'done' | 'already' | 'unknown';

/** What is done to clients, each in the caller's transaction, while nothing else changes them. */
export interface ClientEdits {
  readonly tx: Queryable;
  find(clientId: string): Promise<ClientRecord | undefined>;
  /** What all clients are called, also those that nobody logs in by, and the built-in ones. */
  names(): Promise<readonly string[]>;
  /** Registers a client, or with `replace` changes one that is not of the file. A secret is made where it needs one. */
  add(written: unknown, options: AddOptions): Promise<Added>;
  /** Nobody logs in by it any more, and its tokens end for good: they are dead when it is enabled again, too. */
  disable(clientId: string, by?: By): Promise<Switched>;
  enable(clientId: string, by?: By): Promise<Switched>;
  /** A new secret; the one before goes on for `overlapSeconds`, so that the relying party can change over. */
  rotateSecret(clientId: string, options: { overlapSeconds: number; by?: By }): Promise<Rotated>;
}

export interface AddOptions {
  readonly source: ClientSource;
  readonly by?: By;
  readonly replace?: boolean;
  /** Registered, and nobody logs in by it until it is enabled. */
  readonly isWaiting?: boolean;
  /** The invitation by which it registered itself. */
  readonly invitation?: string;
}

/** Relying parties, in their table. Every process follows within seconds (ADR 0026). */
export interface Clients extends Omit<ClientEdits, 'tx' | 'names'> {
  /** Reads the table into the registry of this process. */
  reload(): Promise<void>;
  /** Makes the table hold the file's clients as the file has them. Clients that came otherwise stay. */
  loadFile(written: readonly WrittenClient[]): Promise<FileChanges>;
  list(): Promise<readonly ClientRecord[]>;
  /** Several of them in one transaction, with whatever else belongs to it. */
  change<T>(work: (edits: ClientEdits) => Promise<T>): Promise<T>;
}

export interface ClientsParts {
  readonly db: Database;
  readonly registry: LiveClientRegistry;
  readonly rules: ClientRules;
  readonly keyed: KeyedDigest;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

export function createClients(parts: ClientsParts): Clients {
  const { db, registry, rules, keyed, audit, clock, log } = parts;

  const recordOf = (row: ClientRow): ClientRecord => {
    const parsed = parseClients([row.written], { ...rules, demoSecret: undefined });
    return parsed.kind === 'loaded'
      ? { ...row, registration: parsed.clients[0], problems: [] }
      : { ...row, registration: undefined, problems: parsed.problems };
  };
  const records = async (): Promise<readonly ClientRecord[]> => (await clientsStore(db).list()).map(recordOf);

  const reload = async (): Promise<void> => {
    const known = await records();
    for (const { clientId, problems } of known) {
      if (problems.length > 0) log.error('a client is not accepted any more', { client_id: clientId, problems });
    }
    registry.replace(
      known.flatMap(({ registration, secrets, disabledAt, leftAt, endedAt }) =>
        registration === undefined || disabledAt !== undefined || leftAt !== undefined
          ? []
          : [{ registration, secrets, endedAt }],
      ),
      known.flatMap(({ clientId, written, disabledAt, leftAt }) => {
        const since = disabledAt ?? leftAt;
        const { client_name: name = clientId } = written as { readonly client_name?: string };
        return since === undefined ? [] : [{ clientId, name, since }];
      }),
    );
  };

  /** Changes the table; every process, this one first, reads it anew when something has changed. */
  const change = async <T>(work: (tx: Queryable) => Promise<{ result: T; changed: boolean }>): Promise<T> => {
    const { result, changed } = await db.transaction(async (tx) => {
      await clientsStore(tx).hold();
      const done = await work(tx);
      if (done.changed) await bumpRevision(tx, 'clients');
      return done;
    });
    if (changed) await reload();
    return result;
  };

  const giveSecret = async (tx: Queryable, clientId: string, given?: string): Promise<string | undefined> => {
    const secret = given ?? randomId(32);
    await clientsStore(tx).insertSecret(clientId, { digest: secretDigest(keyed, clientId, secret), now: clock.now() });
    return given === undefined ? secret : undefined;
  };

  const setDisabled = async (tx: Queryable, clientId: string, isDisabled: boolean, by: By = {}): Promise<Switched> => {
    const store = clientsStore(tx);
    if (await store.setDisabled(clientId, isDisabled ? clock.now() : undefined)) {
      await audit.record(tx, { type: isDisabled ? 'client.disabled' : 'client.enabled', detail: {}, clientId, ...by });
      return 'done';
    }
    return (await store.find(clientId)) === undefined ? 'unknown' : 'already';
  };

  const add = async (
    tx: Queryable,
    given: unknown,
    { source, by = {}, replace = false, isWaiting = false, invitation }: AddOptions,
  ): Promise<Added> => {
    const parsed = parseClients([given], { ...rules, demoSecret: undefined });
    if (parsed.kind === 'refused') return { kind: 'refused', problems: parsed.problems };
    const [[registration], [written]] = [parsed.clients, parsed.written];
    if (registration === undefined || written === undefined) throw new Error('a client was lost on the way');
    const { clientId, metadata } = written;
    const store = clientsStore(tx);
    const is = { clientId, written: metadata, now: clock.now() };
    const isNew = await store.insert({ ...is, source, disabledAt: isWaiting ? is.now : undefined });
    if (!isNew && !(replace && (await store.replace(is)))) {
      return { kind: 'taken', of: (await store.find(clientId))?.source === 'file' ? 'file' : 'other' };
    }
    let secret: string | undefined;
    if (!usesSecret(registration)) await store.deleteSecrets(clientId);
    else if (written.secret !== undefined || (await store.find(clientId))?.secrets.length === 0) {
      await store.deleteSecrets(clientId);
      secret = await giveSecret(tx, clientId, written.secret);
    }
    const detail = { source, ...(invitation === undefined ? {} : { invitation }) };
    await audit.record(tx, { type: isNew ? 'client.added' : 'client.changed', detail, clientId, ...by });
    return { kind: 'added', isNew, client: registration, secret };
  };

  const rotateSecret = async (
    tx: Queryable,
    clientId: string,
    { overlapSeconds, by = {} }: { overlapSeconds: number; by?: By },
  ): Promise<Rotated> => {
    const store = clientsStore(tx);
    const row = await store.find(clientId);
    const registration = row && recordOf(row).registration;
    if (registration === undefined) return { kind: 'unknown' };
    if (!usesSecret(registration)) return { kind: 'has_none' };
    const formerUntil = secondsAfter(clock.now(), overlapSeconds);
    await store.expireSecrets(clientId, formerUntil);
    const secret = await giveSecret(tx, clientId);
    if (secret === undefined) throw new Error('no secret was made');
    const detail = { overlap_seconds: overlapSeconds };
    await audit.record(tx, { type: 'client.secret_rotated', detail, clientId, ...by });
    return { kind: 'rotated', secret, formerUntil };
  };

  const findIn = async (db: Queryable, clientId: string): Promise<ClientRecord | undefined> => {
    const row = await clientsStore(db).find(clientId);
    return row && recordOf(row);
  };

  const edit = <T>(work: (edits: ClientEdits) => Promise<T>): Promise<T> =>
    change(async (tx) => {
      let changed = false;
      const noting = async <Done>(doing: Promise<Done>, isChange: (done: Done) => boolean): Promise<Done> => {
        const done = await doing;
        changed ||= isChange(done);
        return done;
      };
      const result = await work({
        tx,
        find: (id) => findIn(tx, id),
        names: async () => {
          const known = [...registry.registrations(), ...(await clientsStore(tx).list()).map(({ written }) => written)];
          return known.map((client) => (client as { readonly client_name: string }).client_name);
        },
        add: (given, options) => noting(add(tx, given, options), ({ kind }) => kind === 'added'),
        disable: (id, by) => noting(setDisabled(tx, id, true, by), (done) => done === 'done'),
        enable: (id, by) => noting(setDisabled(tx, id, false, by), (done) => done === 'done'),
        rotateSecret: (id, options) => noting(rotateSecret(tx, id, options), ({ kind }) => kind === 'rotated'),
      });
      return { result, changed };
    });

  return {
    reload,
    list: records,
    find: (clientId) => findIn(db, clientId),

    async loadFile(written) {
      const entries = written.map(({ clientId, metadata, secret }) => ({
        clientId,
        written: metadata,
        secret: secret === undefined ? undefined : secretDigest(keyed, clientId, secret),
      }));
      const changes = await change(async (tx) => {
        const store = clientsStore(tx);
        const found = await store.replaceFile(entries, clock.now());
        const newSecrets = await store.replaceFileSecrets(entries, clock.now());
        const changed = [...new Set([...found.changed, ...newSecrets])].filter((id) => !found.added.includes(id));
        const events = (type: 'client.added' | 'client.changed' | 'client.removed', ids: readonly string[]) =>
          ids.map((clientId) => ({ type, detail: { source: 'file' as const }, clientId }));
        await audit.record(
          tx,
          ...events('client.added', found.added),
          ...events('client.changed', changed),
          ...events('client.removed', found.removed),
        );
        const result = { ...found, changed };
        return { result, changed: Object.values(result).some((ids) => ids.length > 0) };
      });
      for (const { clientId, source, disabledAt } of await clientsStore(db).list()) {
        if (source === 'file' && disabledAt !== undefined) {
          log.warn('a client of the clients file is disabled', { client_id: clientId, disabled_at: disabledAt });
        }
      }
      return changes;
    },

    change: edit,
    add: (given, options) => edit((edits) => edits.add(given, options)),
    disable: (clientId, by) => edit((edits) => edits.disable(clientId, by)),
    enable: (clientId, by) => edit((edits) => edits.enable(clientId, by)),
    rotateSecret: (clientId, options) => edit((edits) => edits.rotateSecret(clientId, options)),
  };
}
