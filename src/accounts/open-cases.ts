import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { findOpenCases, type OpenCase } from './open-case-store.js';

export type { OpenCase } from './open-case-store.js';

/** What officers still have to look at for an account, the oldest first. */
export const openCasesOf = (db: Queryable, accountId: AccountId): Promise<readonly OpenCase[]> =>
  findOpenCases(db, accountId);
