import { secondsAfter } from '../../kernel/clock.js';
import type { Database, Queryable } from '../../storage/database.js';

/** Tokens of days live for 48 hours and are kept two hours longer (token-store.ts): three days ahead hold them. */
const DAYS_AHEAD = 3;
const DAY_SECONDS = 86_400;

/** Any number that no other advisory lock of the program uses. */
const LOCK = 7_041_001;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);
const dayAfter = (day: string): string => dayOf(secondsAfter(new Date(`${day}T00:00:00Z`), DAY_SECONDS));
const nameOf = (day: string): string => `oidc_tokens_${day.replaceAll('-', '')}`;

/** Days that have a partition, oldest first. */
async function existing(tx: Queryable): Promise<readonly string[]> {
  const rows = await tx.query(
    `SELECT c.relname AS name
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'oidc_tokens'::regclass AND c.relname ~ '^oidc_tokens_[0-9]{8}$'
      ORDER BY c.relname`,
  );
  return rows.map((row) => (row.name as string).replace(/^oidc_tokens_(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
}

// Only digits and dashes of a date reach these texts: DDL takes no parameters. Made apart and then attached, which
// does not stop those who use the other partitions.
async function create(tx: Queryable, day: string): Promise<void> {
  // Rows of a day that had no partition stay where they are until they are purged.
  const [strays] = await tx.query('SELECT 1 AS found FROM oidc_tokens_default WHERE drop_on = $1::date LIMIT 1', [day]);
  if (strays !== undefined) return;
  const name = nameOf(day);
  await tx.query(`CREATE TABLE ${name} (LIKE oidc_tokens INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await tx.query(`ALTER TABLE oidc_tokens ATTACH PARTITION ${name} FOR VALUES FROM ('${day}') TO ('${dayAfter(day)}')`);
}

async function drop(tx: Queryable, day: string): Promise<void> {
  await tx.query(`ALTER TABLE oidc_tokens DETACH PARTITION ${nameOf(day)}`);
  await tx.query(`DROP TABLE ${nameOf(day)}`);
}

/**
 * Makes the partitions of today and the days to come, and drops those whose tokens nobody can use any more. Harmless
 * when there is nothing to do; several processes do it once. Needs the role that owns the tables. Without it tokens
 * go to the default partition and all works, only the purge has more to do.
 */
export async function keepTokenPartitions(
  db: Database,
  now: Date,
): Promise<{ readonly created: readonly string[]; readonly dropped: readonly string[] }> {
  const wanted = Array.from({ length: DAYS_AHEAD + 1 }, (_, ahead) => dayOf(secondsAfter(now, ahead * DAY_SECONDS)));
  const inOneTransaction = (work: (tx: Queryable, days: readonly string[]) => Promise<boolean>): Promise<boolean> =>
    db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      return work(tx, await existing(tx));
    });

  const created: string[] = [];
  for (const day of wanted) {
    const made = await inOneTransaction(async (tx, days) => {
      if (days.includes(day)) return false;
      await create(tx, day);
      return (await existing(tx)).includes(day);
    });
    if (made) created.push(day);
  }

  // A day is kept one day longer, for processes whose clocks do not quite agree.
  const oldest = dayOf(secondsAfter(now, -DAY_SECONDS));
  const dropped: string[] = [];
  for (const day of (await existing(db)).filter((each) => each < oldest)) {
    const gone = await inOneTransaction(async (tx, days) => {
      if (!days.includes(day)) return false;
      await drop(tx, day);
      return true;
    });
    if (gone) dropped.push(day);
  }
  return { created, dropped };
}
