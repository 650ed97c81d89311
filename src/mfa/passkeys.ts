import { randomBytes, randomUUID } from 'node:crypto';
import type { Account } from '../accounts/accounts.js';
import { lastThreeOf } from '../accounts/nip.js';
import type { Passkey } from '../devices/passkey.js';
import type { PasskeyRegistry } from '../devices/passkey-registry.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { deviceId, type AccountId, type DeviceId } from '../kernel/ids.js';
import { sameBytes, type KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import { putChallenge, takeChallenge } from './passkey-challenge-store.js';
import {
  CEREMONY_SECONDS,
  creationOptions,
  readAssertion,
  readCreation,
  requestOptions,
  verifyAssertion,
  verifyCreation,
  type CreationOptions,
  type RelyingPartyIdentity,
  type RequestOptions,
} from './passkeys-webauthn.js';

export type { CreationOptions, RequestOptions } from './passkeys-webauthn.js';

/** Why a passkey was refused. For the audit trail; to whoever posts, all are one answer. */
export type PasskeyRefusal =
  /** The challenge was answered before, is too old, or belongs to another ceremony. */
  | 'challenge'
  /** No active passkey has this credential id. */
  | 'unknown'
  /** It belongs to somebody else. */
  | 'person'
  /** Signature, origin, host, user verification or form. */
  | 'invalid'
  /** Its counter has not risen: there are two of it. */
  | 'copied';

export type PasskeyVerdict =
  | { readonly kind: 'accepted'; readonly passkey: Passkey }
  /** `passkey` where it is known whose it would have been. */
  | { readonly kind: 'refused'; readonly cause: PasskeyRefusal; readonly passkey: Passkey | undefined };

export type PasskeyRegistration =
  | { readonly kind: 'registered'; readonly device: DeviceId }
  /** The other half of a double tap has done it. */
  | { readonly kind: 'known' }
  | { readonly kind: 'barred' }
  | { readonly kind: 'refused'; readonly cause: 'challenge' | 'invalid' };

/**
 * Registering and using passkeys (WebAuthn Level 3, sections 7.1 and 7.2), always with user verification. A `ceremony`
 * names what a challenge is bound to: one sign-in, or one account and session.
 */
export interface Passkeys {
  /** Makes the challenge for a new passkey; what the browser's script needs. */
  beginRegistration(db: Queryable, to: { account: Account; ceremony: string }): Promise<CreationOptions>;
  /** Binds the new passkey, unless the caller, who holds the account and has counted its devices, bars it. */
  register(
    tx: Queryable,
    made: { account: Account; ceremony: string; credential: string; name: string; mayBind: boolean },
  ): Promise<PasskeyRegistration>;
  /** Whether what a browser made for a new passkey has been bound to this account already. */
  isBound(db: Queryable, accountId: AccountId, credential: string): Promise<boolean>;
  /** Makes the challenge for a use: of any passkey of this account, or of whichever the person chooses. */
  beginUse(db: Queryable, to: { ceremony: string; accountId?: AccountId | undefined }): Promise<RequestOptions>;
  /**
   * Judges a use and spends challenge and counter, in the caller's transaction. Commit whatever the verdict. Without
   * `accountId` the passkey itself says whose it is.
   */
  check(
    tx: Queryable,
    use: { ceremony: string; credential: string; accountId?: AccountId | undefined },
  ): Promise<PasskeyVerdict>;
}

export function createPasskeys(parts: {
  registry: PasskeyRegistry;
  rp: RelyingPartyIdentity;
  keyed: KeyedDigest;
  clock: Clock;
}): Passkeys {
  const { registry, rp, keyed, clock } = parts;

  async function openChallenge(db: Queryable, ceremony: string): Promise<Buffer> {
    const challenge = randomBytes(32);
    await putChallenge(db, { ceremony, challenge, expiresAt: secondsAfter(clock.now(), CEREMONY_SECONDS) });
    return challenge;
  }

  /** The same for all passkeys of an account, so that an authenticator keeps one for it; opaque, never the `sub`. */
  const handleOf = (account: AccountId): Buffer => keyed('passkey user', account);

  return {
    async beginRegistration(db, { account, ceremony }) {
      const challenge = await openChallenge(db, ceremony);
      const user = { handle: handleOf(account.id), label: `NIP …${lastThreeOf(account.nip)}`, name: account.name };
      return creationOptions(rp, user, { challenge, known: await registry.activeOf(db, account.id) });
    },

    async register(tx, { account, ceremony, credential, name, mayBind }) {
      const challenge = await takeChallenge(tx, ceremony, clock.now());
      const typed = readCreation(credential);
      if (typed === undefined) return { kind: 'refused', cause: 'invalid' };
      if (challenge === undefined) {
        const bound = await registry.find(tx, typed.credentialId);
        return bound?.accountId === account.id ? { kind: 'known' } : { kind: 'refused', cause: 'challenge' };
      }
      if (!mayBind) return { kind: 'barred' };
      const made = await verifyCreation(rp, typed, challenge);
      if (made === undefined) return { kind: 'refused', cause: 'invalid' };
      const device = deviceId(randomUUID());
      const added = await registry.add(tx, {
        ...made,
        deviceId: device,
        accountId: account.id,
        userHandle: handleOf(account.id),
        name,
      });
      return added ? { kind: 'registered', device } : { kind: 'refused', cause: 'invalid' };
    },

    async isBound(db, accountId, credential) {
      const typed = readCreation(credential);
      return typed !== undefined && (await registry.find(db, typed.credentialId))?.accountId === accountId;
    },

    async beginUse(db, { ceremony, accountId }) {
      const challenge = await openChallenge(db, ceremony);
      return requestOptions(rp, {
        challenge,
        allowed: accountId === undefined ? [] : await registry.activeOf(db, accountId),
      });
    },

    async check(tx, { ceremony, credential, accountId }) {
      const challenge = await takeChallenge(tx, ceremony, clock.now());
      const typed = readAssertion(credential);
      const passkey = typed === undefined ? undefined : await registry.find(tx, typed.credentialId);
      const refused = (cause: PasskeyRefusal): PasskeyVerdict => ({ kind: 'refused', cause, passkey });
      if (challenge === undefined) return refused('challenge');
      if (typed === undefined) return refused('invalid');
      if (passkey === undefined) return refused('unknown');
      if (accountId !== undefined && passkey.accountId !== accountId) return refused('person');
      // Where the passkey says whose it is, it must say so itself (WebAuthn Level 3, section 7.2, step 6).
      const { userHandle } = typed;
      if (userHandle === undefined ? accountId === undefined : !sameBytes(userHandle, passkey.userHandle)) {
        return refused('person');
      }
      const assertion = await verifyAssertion(rp, typed, { challenge, passkey });
      if (assertion === undefined) return refused('invalid');
      if (await registry.use(tx, { device: passkey.deviceId, ...assertion })) return { kind: 'accepted', passkey };
      // Removed at this very moment is no copy.
      const still = await registry.find(tx, passkey.credentialId);
      return refused(still === undefined ? 'unknown' : 'copied');
    },
  };
}
