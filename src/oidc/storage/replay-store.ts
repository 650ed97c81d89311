import { digest } from '../../security/digests.js';
import type { Queryable } from '../../storage/database.js';

export interface ReplayStore {
  /** Remembers an assertion or proof. False when it was seen before, whatever became of it (R-05, A30). */
  claim(id: string, expiresAt: Date): Promise<boolean>;
}

export function replayStore(db: Queryable): ReplayStore {
  return {
    async claim(id, expiresAt) {
      const claimed = await db.query(
        'INSERT INTO oidc_replays (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING 1 AS claimed',
        [digest(id), expiresAt],
      );
      return claimed.length === 1;
    },
  };
}
