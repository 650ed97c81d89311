import type { Row } from '../../storage/database.js';
import type { PersonStatus } from './desk.js';

/** How an account stands, from the columns that say so. */
export function statusOf(row: Row): PersonStatus {
  if (row.disabled_at !== null) return 'disabled';
  if (row.status !== 'active') return 'inactive';
  if (row.frozen_at !== null) return 'frozen';
  return row.activated_at === null ? 'not_activated' : 'active';
}
