import type { AccountId } from '../kernel/ids.js';
import type { KeyedDigest } from '../security/digests.js';
import type { FailureCounter } from '../throttle/failures.js';
import { PASSWORD_FAILURES } from '../throttle/policies.js';

/** What wrong passwords of an account are counted under, typed in browsers that it was never used in. */
export const passwordFailuresOf = (keyed: KeyedDigest, accountId: AccountId): FailureCounter => ({
  policy: PASSWORD_FAILURES,
  key: keyed('password of account', accountId),
});
