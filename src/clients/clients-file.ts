import type { JsonWebKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { clientSchema, type ClientRegistration, type ClientRules } from './client-schema.js';
import { unstorable } from './storable.js';
import { DEMO_CLIENT_IDS, demoKey, demoRegistration } from './demo-clients.js';

/** Something in the clients file that is not accepted. */
export interface ClientProblem {
  /** The client's id, or its place in the file (`#3`) when it has none; empty when it concerns the whole file. */
  readonly client: string;
  /** As in the file: `redirect_uris`, `x.acr`; empty when it concerns the client as a whole. */
  readonly field: string;
  readonly problem: string;
}

/** A registration that was accepted, as it was written: what the table keeps. */
export interface WrittenClient {
  readonly clientId: string;
  /** Without the secret. */
  readonly metadata: object;
  readonly secret: string | undefined;
}

export type LoadedClients =
  | {
      readonly kind: 'loaded';
      readonly clients: readonly ClientRegistration[];
      /** The same as they were written, in the same order. */
      readonly written: readonly WrittenClient[];
      /** Private keys of the sample relying parties, by client id; empty outside demo mode. */
      readonly demoKeys: ReadonlyMap<string, JsonWebKey>;
    }
  | { readonly kind: 'refused'; readonly problems: readonly ClientProblem[] };

export interface LoadOptions extends ClientRules {
  /** The secret behind the keys of the sample relying parties, in demo mode only. */
  readonly demoSecret: Buffer | undefined;
}

const refused = (problem: string): LoadedClients => ({
  kind: 'refused',
  problems: [{ client: '', field: '', problem }],
});

function writtenOf({ client_id: clientId }: ClientRegistration, written: object): WrittenClient {
  const { client_secret: secret, ...metadata } = written as { client_secret?: string };
  return { clientId, metadata, secret };
}

const idOf = (entry: unknown): string | undefined => {
  const { client_id: id } = (entry ?? {}) as { client_id?: unknown };
  return typeof id === 'string' ? id : undefined;
};

/** Reads the relying parties. Refuses with every problem in the file at once, or not at all. */
export async function loadClients(file: string, options: LoadOptions): Promise<LoadedClients> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return refused(error instanceof SyntaxError ? 'the file is not JSON' : 'the file cannot be read');
  }
  return Array.isArray(content) ? parseClients(content, options) : refused('the file must hold an array of clients');
}

/** The same for clients already read. */
export function parseClients(entries: readonly unknown[], options: LoadOptions): LoadedClients {
  const schema = clientSchema(options);
  const clients: ClientRegistration[] = [];
  const written: WrittenClient[] = [];
  const problems: ClientProblem[] = [];
  const demoKeys = new Map<string, JsonWebKey>();

  entries.forEach((entry, index) => {
    const id = idOf(entry);
    const client = id ?? `#${index + 1}`;
    let registration = entry;
    if (options.demoSecret !== undefined && id !== undefined && DEMO_CLIENT_IDS.includes(id)) {
      const key = demoKey(options.demoSecret, id);
      demoKeys.set(id, key);
      registration = demoRegistration(entry as object, { clientId: id, origin: options.issuer.origin, key });
    }
    const lost = [...unstorable(registration)];
    const parsed = schema.safeParse(lost.length === 0 ? registration : undefined);
    if (lost.length > 0) problems.push(...lost.map(([field, problem]) => ({ client, field, problem })));
    else if (parsed.success) {
      clients.push(parsed.data);
      written.push(writtenOf(parsed.data, registration as object));
    } else {
      for (const { path, message, ...issue } of parsed.error.issues) {
        const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
        for (const key of unknown) {
          const field = [...path, ...(key === undefined ? [] : [key])].join('.');
          problems.push({ client, field, problem: key === undefined ? message : 'is not known' });
        }
      }
    }
    if (entries.findIndex((other) => idOf(other) === id) !== index && id !== undefined) {
      problems.push({ client, field: 'client_id', problem: 'is used twice' });
    }
  });
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'loaded', clients, written, demoKeys };
}
