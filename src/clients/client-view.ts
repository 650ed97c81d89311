import { weaknesses, type Weakness } from './client-weaknesses.js';
import type { ClientError } from './client-errors.js';
import type { Carried } from './client-use.js';
import type { ClientRegistration } from './client-schema.js';
import type { ClientRecord, ClientSource } from './clients.js';

/** `waiting`: it registered itself, and no operator has enabled it yet. `refused`: the rules of today do not accept what was accepted once, and nobody logs in by it. */
export type ClientState = 'in_use' | 'waiting' | 'disabled' | 'refused';

/** A client in a list. */
export interface ClientLine {
  readonly clientId: string;
  readonly name: string;
  readonly source: ClientSource;
  readonly authentication: string;
  readonly state: ClientState;
  readonly lastUsedAt: Date | undefined;
  /** How many different things it was refused within the hour. */
  readonly errorsLastHour: number;
}

/** A client with all that operators and its developers may know; never a secret. */
export interface ClientView extends Omit<ClientLine, 'errorsLastHour'> {
  /** As it was written. */
  readonly written: object;
  /** With its defaults; undefined when it is refused. */
  readonly registration: ClientRegistration | undefined;
  readonly problems: readonly { readonly field: string; readonly problem: string }[];
  readonly weaknesses: readonly Weakness[];
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly disabledAt: Date | undefined;
  readonly secrets: readonly { readonly createdAt: Date; readonly expiresAt: Date | undefined }[];
  readonly lastCarried: Carried | undefined;
  readonly errors: readonly ClientError[];
}

/** Disabling ends what a client has; one that never began has no end. */
export const isWaiting = ({ disabledAt, endedAt }: ClientRecord): boolean =>
  disabledAt !== undefined && endedAt === undefined;

const stateOf = (record: ClientRecord): ClientState => {
  if (isWaiting(record)) return 'waiting';
  if (record.disabledAt !== undefined) return 'disabled';
  return record.registration === undefined ? 'refused' : 'in_use';
};

const basics = (record: ClientRecord) => {
  const { client_name: name, token_endpoint_auth_method: method } = (record.registration ?? record.written) as {
    readonly client_name?: string;
    readonly token_endpoint_auth_method?: string;
  };
  return {
    clientId: record.clientId,
    name: name ?? record.clientId,
    source: record.source,
    authentication: method ?? '',
    state: stateOf(record),
    lastUsedAt: record.lastUsedAt,
  };
};

export const lineOf = (record: ClientRecord, errors: ReadonlyMap<string, number>): ClientLine => ({
  ...basics(record),
  errorsLastHour: errors.get(record.clientId) ?? 0,
});

export const viewOf = (record: ClientRecord, errors: readonly ClientError[]): ClientView => ({
  ...basics(record),
  written: record.written,
  registration: record.registration,
  problems: record.problems.map(({ field, problem }) => ({ field, problem })),
  weaknesses: record.registration === undefined ? [] : weaknesses(record.registration),
  createdAt: record.createdAt,
  changedAt: record.changedAt,
  disabledAt: record.disabledAt,
  secrets: record.secrets.map(({ createdAt, expiresAt }) => ({ createdAt, expiresAt })),
  lastCarried: record.lastCarried,
  errors,
});
