import { FEW_CODES, type CodesLeft, type RecoveryCodeSets } from '../../devices/recovery-code-sets.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { RecoveryCodes } from '../../mfa/recovery-codes.js';
import type { SealedBox } from '../../security/sealed-box.js';
import type { SealedPlace } from '../../security/sealed-place.js';
import type { Database } from '../../storage/database.js';
import { addressBucket } from '../../throttle/address.js';
import type { Owner, OwnChange } from '../own-change.js';
import * as store from './unsaved-code-store.js';

/** How long codes just made can be shown, in the session that made them. */
const UNSAVED_SECONDS = 15 * 60;

export interface CodesState {
  /** Undefined: there is no set. */
  readonly left: CodesLeft | undefined;
  /** Few or none are left: a lost phone would mean the personnel office. */
  readonly few: boolean;
  /** Codes just made here wait to be saved. */
  readonly unsaved: boolean;
}

export interface ShownCodes {
  readonly codes: readonly string[];
  readonly createdAt: Date;
}

export type RenewAnswer =
  /** They can be shown. Also when they were made before and are not saved: nothing new is made then. */
  { readonly kind: 'made' } | { readonly kind: 'signed_out' };

type Here = Pick<Owner, 'accountId' | 'sessionUid'>;

/** A person's recovery codes on our own pages: counted, and issued anew as a set. */
export interface CodeRenewal {
  stateOf(here: Here): Promise<CodesState>;
  /**
   * Makes a new set; the old one dies with it, in one transaction, and so does every other session. Throws
   * `Busy` when the hash queue is full.
   */
  renew(owner: Owner): Promise<RenewAnswer>;
  /** The codes made here, for 15 minutes or until they are said to be saved. */
  show(here: Here): Promise<ShownCodes | undefined>;
  saved(here: Here): Promise<void>;
}

/** The sealed codes are bound to a session and its account. */
export const SEALED_UNSAVED_CODES: SealedPlace = {
  table: 'unsaved_recovery_codes',
  column: 'codes',
  row: ['session_uid', 'account_id'],
  context: (sessionUid = '', accountId = '') => `unsaved_recovery_codes|${sessionUid}|${accountId}`,
};
const { context } = SEALED_UNSAVED_CODES;

export function createCodeRenewal(parts: {
  db: Database;
  recoveryCodes: RecoveryCodes;
  recoveryCodeSets: RecoveryCodeSets;
  ownChange: OwnChange;
  box: SealedBox;
  clock: Clock;
}): CodeRenewal {
  const { db, recoveryCodes, recoveryCodeSets, ownChange, box, clock } = parts;
  const placeOf = ({ accountId, sessionUid }: Here) => ({
    accountId,
    sessionUid,
    notBefore: secondsAfter(clock.now(), -UNSAVED_SECONDS),
  });

  return {
    async stateOf(here) {
      const left = await recoveryCodeSets.left(db, here.accountId);
      return {
        left,
        few: left === undefined || left.left <= FEW_CODES,
        unsaved: (await store.findUnsaved(db, placeOf(here))) !== undefined,
      };
    },

    async renew(owner) {
      const { accountId, sessionUid, visitor } = owner;
      const { requestId, agent } = visitor;
      if ((await store.findUnsaved(db, placeOf(owner))) !== undefined) return { kind: 'made' };
      // Ten slow hashes, made before any row is held.
      const prepared = await recoveryCodes.prepare(addressBucket(visitor.address));
      const answer = await ownChange.run<RenewAnswer>(owner, async (tx, account) => {
        // The other half of a double tap has made them.
        if ((await store.findUnsaved(tx, placeOf(owner))) !== undefined) return { kind: 'made' };
        await recoveryCodes.issue(tx, accountId, prepared);
        const set = await recoveryCodeSets.find(tx, accountId);
        if (set === undefined) throw new Error('a set of recovery codes vanished in its own transaction');
        const sealed = box.seal(JSON.stringify(prepared.codes), context(sessionUid, accountId));
        await store.keepUnsaved(tx, { accountId, sessionUid, setId: set.id, sealed, now: clock.now() });
        const detail = { count: prepared.codes.length };
        await ownChange.complete(tx, {
          owner,
          account,
          events: [{ type: 'recovery_codes.issued', detail, accountId, requestId, agent }],
          mail: 'recovery-codes-renewed',
          data: {},
        });
        return { kind: 'made' };
      });
      return answer ?? { kind: 'signed_out' };
    },

    async show(here) {
      const unsaved = await store.findUnsaved(db, placeOf(here));
      if (unsaved === undefined) return undefined;
      const codes = box.open(unsaved.sealed, context(here.sessionUid, here.accountId)).toString();
      return { codes: JSON.parse(codes) as readonly string[], createdAt: unsaved.createdAt };
    },

    saved: (here) => store.dropUnsaved(db, here),
  };
}
