import { secondsAfter } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { selectOfficerReset, type OfficerReset } from './officer-reset-store.js';

export type { OfficerReset } from './officer-reset-store.js';

/** For so long the account pages tell of it: the mailbox that was told may be the stolen channel. */
const TOLD_SECONDS = 30 * 24 * 3600;

/** An officer's reset of the second factors that the account pages still tell of. */
export const toldOfficerReset = (db: Queryable, account: AccountId, now: Date): Promise<OfficerReset | undefined> =>
  selectOfficerReset(db, account, secondsAfter(now, -TOLD_SECONDS));
