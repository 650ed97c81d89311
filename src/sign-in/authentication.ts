import { AAL2, PHISHING_RESISTANT } from '../clients/authentication-class.js';
import type { Attempt } from './attempt.js';

/** How somebody proved who they are, in the words of the tokens. */
export interface Authentication {
  /** Of the second factor proved last: the one that `auth_time` tells of. */
  readonly acr: string;
  /** RFC 8176. */
  readonly amr: readonly string[];
}

type Proof = Pick<Attempt, 'factorMethod' | 'passwordAt' | 'passkeyAt' | 'sessionAmr'>;

/** A recovery code has no name of its own in RFC 8176. A passkey verified its user, by a PIN or a body's mark. */
function factorNames({ factorMethod }: Proof): readonly string[] {
  switch (factorMethod) {
    case 'device_passkey':
      return ['hwk', 'user'];
    case 'synced_passkey':
      return ['swk', 'user'];
    case 'recovery_code':
      return [];
    case 'otp':
    case undefined:
      return ['otp'];
  }
}

/** What stands beside the factor: the password typed here, nothing, or what the session was begun with. */
function firstNames({ passwordAt, passkeyAt, sessionAmr }: Proof): readonly string[] {
  if (passwordAt !== undefined) return ['pwd'];
  if (passkeyAt !== undefined) return [];
  return sessionAmr.includes('pwd') ? ['pwd'] : sessionAmr.filter((name) => name !== 'mfa');
}

/** What the tokens say of an attempt in which everything was proved: never more than what happened. */
export function authenticationOf(proof: Proof): Authentication {
  const isPasskey = proof.factorMethod === 'device_passkey' || proof.factorMethod === 'synced_passkey';
  return {
    acr: isPasskey ? PHISHING_RESISTANT : AAL2,
    amr: [...new Set([...firstNames(proof), ...factorNames(proof), 'mfa'])],
  };
}
