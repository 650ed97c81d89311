import type { Queryable, Row } from '../storage/database.js';
import type { ClientSecret } from './client-secrets.js';
import type { Carried } from './client-use.js';

/** Where a registration came from: the clients file, a command, the console, or dynamic registration. */
export type ClientSource = 'file' | 'command' | 'console' | 'registration';

export interface ClientRow {
  readonly clientId: string;
  readonly source: ClientSource;
  /** As it was written, without a secret. */
  readonly written: object;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly disabledAt: Date | undefined;
  /** Its entry left the clients file then. */
  readonly leftAt: Date | undefined;
  /** Tokens issued up to then are dead. */
  readonly endedAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  /** What its last tokens carried, as far as they could be read. */
  readonly lastCarried: Carried | undefined;
  /** Newest first. */
  readonly secrets: readonly (ClientSecret & { readonly createdAt: Date })[];
}

/** After everything that stands in the file. */
const LAST = 1_000_000;

const timeOf = (value: unknown): Date | undefined => (value === null ? undefined : new Date(value as string | Date));

interface SecretJson {
  readonly digest: string;
  readonly created_at: string;
  readonly expires_at: string | null;
}

const fromRow = (row: Row): ClientRow => ({
  clientId: row.client_id as string,
  source: row.source as ClientSource,
  written: row.metadata as object,
  createdAt: row.created_at as Date,
  changedAt: row.changed_at as Date,
  disabledAt: timeOf(row.disabled_at),
  leftAt: timeOf(row.left_at),
  endedAt: timeOf(row.ended_at),
  lastUsedAt: timeOf(row.last_used_at),
  lastCarried: (row.last_claims as Carried | null) ?? undefined,
  secrets: ((row.secrets ?? []) as SecretJson[]).map((secret) => ({
    digest: Buffer.from(secret.digest, 'hex'),
    createdAt: new Date(secret.created_at),
    expiresAt: timeOf(secret.expires_at),
  })),
});

const SELECT = `
  SELECT c.client_id, c.source, c.metadata, c.created_at, c.changed_at, c.disabled_at, c.left_at, c.ended_at,
         c.last_used_at, c.last_claims,
         (SELECT jsonb_agg(jsonb_build_object('digest', encode(s.digest, 'hex'), 'created_at', s.created_at,
                                              'expires_at', s.expires_at)
                           ORDER BY s.created_at DESC)
            FROM client_secrets s WHERE s.client_id = c.client_id) AS secrets
    FROM clients c`;

/** What the file says of one client. */
export interface FileEntry {
  readonly clientId: string;
  readonly written: object;
  readonly secret: Buffer | undefined;
}

export interface FileChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export function clientsStore(db: Queryable) {
  return {
    /** In the order of the file; what came otherwise after it. */
    async list(): Promise<readonly ClientRow[]> {
      return (await db.query(`${SELECT} ORDER BY c.position, c.created_at, c.client_id`)).map(fromRow);
    },

    async find(clientId: string): Promise<ClientRow | undefined> {
      const [row] = await db.query(`${SELECT} WHERE c.client_id = $1`, [clientId]);
      return row && fromRow(row);
    },

    /** Everything else that writes clients waits until the caller's transaction ends. */
    async hold(): Promise<void> {
      await db.query(`SELECT number FROM live_revisions WHERE name = 'clients' FOR UPDATE`);
    },

    /** The file's clients as they stand in it; those that have left it end. Writes only what differs. */
    async replaceFile(entries: readonly FileEntry[], now: Date): Promise<FileChanges> {
      const given = JSON.stringify(
        entries.map(({ clientId, written }, position) => ({ client_id: clientId, position, metadata: written })),
      );
      const written = await db.query(
        `INSERT INTO clients (client_id, source, position, metadata, created_at, changed_at)
         SELECT client_id, 'file', position, metadata, $2, $2
           FROM jsonb_to_recordset($1::jsonb) AS given (client_id text, position integer, metadata jsonb)
         ON CONFLICT (client_id) DO UPDATE
           SET source = 'file', position = EXCLUDED.position, metadata = EXCLUDED.metadata,
               changed_at = EXCLUDED.changed_at, left_at = NULL
           WHERE (clients.source, clients.position, clients.metadata, clients.left_at)
                 IS DISTINCT FROM ('file', EXCLUDED.position, EXCLUDED.metadata, NULL::timestamptz)
         RETURNING client_id, xmax = 0 AS added`,
        [given, now],
      );
      const removed = await db.query(
        `UPDATE clients SET left_at = $2, ended_at = $2
          WHERE source = 'file' AND left_at IS NULL AND client_id <> ALL ($1::text[])
         RETURNING client_id`,
        [entries.map(({ clientId }) => clientId), now],
      );
      const idsOf = (rows: readonly Row[]): string[] => rows.map((row) => row.client_id as string);
      return {
        added: idsOf(written.filter((row) => row.added === true)),
        changed: idsOf(written.filter((row) => row.added !== true)),
        removed: idsOf(removed),
      };
    },

    /** The secrets that stand in the file. One that was rotated away stays so, though the file still holds it. */
    async replaceFileSecrets(entries: readonly FileEntry[], now: Date): Promise<readonly string[]> {
      const given = JSON.stringify(
        entries.map(({ clientId, secret }) => ({ client_id: clientId, digest: secret?.toString('hex') ?? null })),
      );
      const rows = await db.query(
        `WITH given AS (
           SELECT client_id, decode(digest, 'hex') AS digest
             FROM jsonb_to_recordset($1::jsonb) AS given (client_id text, digest text)
         ), gone AS (
           DELETE FROM client_secrets s USING given g
            WHERE s.client_id = g.client_id AND s.of_file AND s.digest IS DISTINCT FROM g.digest
           RETURNING s.client_id
         ), come AS (
           INSERT INTO client_secrets (client_id, digest, created_at, of_file)
           SELECT client_id, digest, $2, true FROM given WHERE digest IS NOT NULL
           ON CONFLICT DO NOTHING
           RETURNING client_id
         )
         SELECT client_id FROM gone UNION SELECT client_id FROM come`,
        [given, now],
      );
      return rows.map((row) => row.client_id as string);
    },

    /** False when the id is taken. */
    async insert(client: {
      clientId: string;
      source: ClientSource;
      written: object;
      now: Date;
      disabledAt: Date | undefined;
    }): Promise<boolean> {
      const rows = await db.query(
        `INSERT INTO clients (client_id, source, position, metadata, created_at, changed_at, disabled_at)
         VALUES ($1, $2, ${LAST}, $3, $4, $4, $5)
         ON CONFLICT DO NOTHING
         RETURNING client_id`,
        [client.clientId, client.source, JSON.stringify(client.written), client.now, client.disabledAt ?? null],
      );
      return rows.length === 1;
    },

    /** False when there is none, or the file has it. */
    async replace(client: { clientId: string; written: object; now: Date }): Promise<boolean> {
      const rows = await db.query(
        `UPDATE clients SET metadata = $2, changed_at = $3 WHERE client_id = $1 AND source <> 'file' RETURNING client_id`,
        [client.clientId, JSON.stringify(client.written), client.now],
      );
      return rows.length === 1;
    },

    /** Tokens end with it for good. False when it was so already, or there is none. */
    async setDisabled(clientId: string, disabledAt: Date | undefined): Promise<boolean> {
      const rows = await db.query(
        `UPDATE clients SET disabled_at = $2, ended_at = coalesce($2, ended_at)
          WHERE client_id = $1 AND (disabled_at IS NULL) = ($2::timestamptz IS NOT NULL)
         RETURNING client_id`,
        [clientId, disabledAt ?? null],
      );
      return rows.length === 1;
    },

    /** The secrets in use end then. Those that end sooner do. */
    async expireSecrets(clientId: string, at: Date): Promise<void> {
      await db.query(
        `UPDATE client_secrets SET expires_at = $2 WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2)`,
        [clientId, at],
      );
    },

    async insertSecret(clientId: string, secret: { digest: Buffer; now: Date }): Promise<void> {
      await db.query('INSERT INTO client_secrets (client_id, digest, created_at, of_file) VALUES ($1, $2, $3, false)', [
        clientId,
        secret.digest,
        secret.now,
      ]);
    },

    async deleteSecrets(clientId: string): Promise<void> {
      await db.query('DELETE FROM client_secrets WHERE client_id = $1', [clientId]);
    },
  };
}
