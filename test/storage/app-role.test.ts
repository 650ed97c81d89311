import { randomBytes } from 'node:crypto';
import { readCheckpoints } from '#src/audit/checkpoints.js';
import { verifyTrail } from '#src/audit/verify.js';
import { withBulkSession } from '#src/storage/copy.js';
import type { Database } from '#src/storage/database.js';
import { grantTo, isRoleName } from '#src/storage/migrate.js';
import { openPostgres } from '#src/storage/postgres.js';
import { addAgencies } from '../accounts/people.js';
import { logIn } from '../faults/working-day.js';
import { addEmployees } from '../support/employees.js';
import { startSite, type TestSite } from '../support/site.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { writeToldClients } from '../support/told-site.js';
import { Visitor } from '../support/visitor.js';

/** the program works as a role that can add to the audit trail and change nothing in it. */
const ROLE = `sso_app_${randomBytes(4).toString('hex')}`;
let owned: TestDatabase;
let owner: Database;
let app: Database;
let site: TestSite;
let clients: Awaited<ReturnType<typeof writeToldClients>>;

beforeAll(async () => {
  owned = await createTestDatabase();
  owner = openPostgres({ url: owned.url, maxConnections: 2, onIdleError: () => undefined });
  const password = randomBytes(12).toString('hex');
  await owner.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${password}'`);
  await grantTo(owned.url, ROLE);
  const url = new URL(owned.url);
  url.username = ROLE;
  url.password = password;
  app = openPostgres({ url: url.href, maxConnections: 2, onIdleError: () => undefined });
  clients = await writeToldClients('https://rp.contoh.example/logout');
  const urls = { DATABASE_URL: url.href, MIGRATION_DATABASE_URL: owned.url };
  site = await startSite({ ...urls, CLIENTS_FILE: clients.file, DEMO: 'false' });
});
afterAll(async () => {
  await site.stop();
  await clients.remove();
  await app.close();
  await owner.query(`DROP OWNED BY ${ROLE}`);
  await owner.query(`DROP ROLE ${ROLE}`);
  await owner.close();
  await owned.drop();
});

it('serves a login, seals it, and has the months made by the owner', async () => {
  const { services, port } = site.running;
  expect(await app.query('SELECT current_user AS name')).toEqual([{ name: ROLE }]);
  await addAgencies(services.db);
  const [employee] = await addEmployees(services, { count: 1, state: 'enrolled' });
  if (employee === undefined) throw new Error('nobody');
  const visitor = new Visitor({ issuer: site.origin, ports: [port] });
  await logIn(visitor, employee);
  visitor.close();
  await services.sealer.stop();
  const rows = await owner.query(
    `SELECT DISTINCT tableoid::regclass::text AS place FROM audit_events WHERE type = 'sign_in.completed'`,
  );
  expect(rows).toEqual([{ place: expect.stringMatching(/^audit_events_\d{4}_\d{2}$/) as unknown }]);
  const verdict = await withBulkSession(services.databaseUrl, async (session) =>
    verifyTrail({
      session,
      checkpoints: services.auditCheckpoints,
      kept: await readCheckpoints(services.config.auditCheckpointFile),
      anchors: services.auditAnchors,
      droppable: undefined,
    }),
  );
  expect(verdict.breach).toBeUndefined();
});

describe('as that role', () => {
  const month = `audit_events_${new Date().toISOString().slice(0, 7).replace('-', '_')}`;
  it.each([
    ...['audit_events', 'audit_events_default', month, 'audit_seals', 'audit_checkpoints', 'audit_prunings'].flatMap(
      (table) => [`UPDATE ${table} SET at = now()`, `DELETE FROM ${table}`, `TRUNCATE ${table}`, `DROP TABLE ${table}`],
    ),
    'UPDATE audit_seals SET hash = hash',
    'UPDATE audit_unsealed SET event_at = now()',
    'TRUNCATE audit_unsealed',
    `INSERT INTO audit_prunings SELECT 1, '', now(), now(), '', ''`,
    `INSERT INTO ${month} SELECT * FROM audit_events`,
    `SELECT * FROM ${month}`,
    `ALTER TABLE audit_events DETACH PARTITION ${month}`,
    'ALTER TABLE audit_events DISABLE TRIGGER ALL',
    'CREATE TABLE mine (x int)',
    'CREATE INDEX mine ON audit_events (at)',
    'DELETE FROM schema_migrations',
    `COPY audit_events (type) FROM PROGRAM 'true'`,
  ])('%s is refused', async (statement) => {
    // An UPDATE of a column that is not there would be refused for that.
    const text = statement.replace('UPDATE audit_seals SET at', 'UPDATE audit_seals SET event_at');
    await expect(app.query(text)).rejects.toMatchObject({ code: '42501' });
  });
});

it('is given the same by every further migration, and takes only the name of a role', async () => {
  const rights = () =>
    owner.query(
      `SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = $1 ORDER BY 1, 2`,
      [ROLE],
    );
  const before = await rights();
  await owner.query(`GRANT ALL ON audit_events TO ${ROLE}`);
  await grantTo(owned.url, ROLE);
  expect(await rights()).toEqual(before);
  for (const name of ['x; DROP TABLE accounts', 'X', '"x"', '', '1x']) expect(isRoleName(name)).toBe(false);
});
