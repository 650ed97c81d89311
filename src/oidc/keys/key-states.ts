import { secondsAfter } from '../../kernel/clock.js';

/** What decides over a key: times, and whether there is something to sign with. */
export interface KeyTimes {
  readonly kid: string;
  readonly alg: string;
  readonly createdAt: Date;
  readonly signingFrom: Date;
  /** The key that signed before it. */
  readonly follows: string | undefined;
  /** How long the key it follows stays published once this one signs. */
  readonly overlapSeconds: number;
  readonly revokedAt: Date | undefined;
  readonly hasPrivate: boolean;
}

/** published, signing, retired but still published, then gone; or revoked, and gone at once. */
export type KeyState =
  | { readonly kind: 'published'; readonly signsFrom: Date }
  | { readonly kind: 'signing'; readonly until: Date | undefined }
  | { readonly kind: 'retired'; readonly leavesAt: Date }
  | { readonly kind: 'dropped'; readonly at: Date }
  | { readonly kind: 'revoked'; readonly at: Date };

const latestFirst = (one: KeyTimes, other: KeyTimes): number => other.signingFrom.getTime() - one.signingFrom.getTime();

/**
 * Who signs: of those that are due the latest. None is due when another process, whose clock is ahead, has destroyed
 * the one before already: then it is the next one, which has been published long enough.
 */
function signerOf(alg: string, keys: readonly KeyTimes[], now: Date): KeyTimes | undefined {
  const able = keys
    .filter((key) => key.alg === alg && key.revokedAt === undefined && key.hasPrivate)
    .toSorted(latestFirst);
  return able.find(({ signingFrom }) => signingFrom <= now) ?? able.at(-1);
}

/** The key that took, or will take, over from this one; not one that was revoked before it ever signed. */
const successorOf = ({ kid }: KeyTimes, keys: readonly KeyTimes[]): KeyTimes | undefined =>
  keys.find(
    ({ follows, revokedAt, signingFrom }) => follows === kid && (revokedAt === undefined || revokedAt >= signingFrom),
  );

function stateOf(key: KeyTimes, keys: readonly KeyTimes[], now: Date): KeyState {
  if (key.revokedAt !== undefined) return { kind: 'revoked', at: key.revokedAt };
  const successor = successorOf(key, keys);
  if (signerOf(key.alg, keys, now) === key) return { kind: 'signing', until: successor?.signingFrom };
  if (key.signingFrom > now) return { kind: 'published', signsFrom: key.signingFrom };
  const leavesAt = secondsAfter(successor?.signingFrom ?? key.signingFrom, successor?.overlapSeconds ?? 0);
  return leavesAt > now ? { kind: 'retired', leavesAt } : { kind: 'dropped', at: leavesAt };
}

/** The state of every key at this moment, in the order given. */
export const keyStates = <Key extends KeyTimes>(
  keys: readonly Key[],
  now: Date,
): readonly { readonly key: Key; readonly state: KeyState }[] =>
  keys.map((key) => ({ key, state: stateOf(key, keys, now) }));

/** When the next one begins to sign or leaves, if nobody does anything. */
export function nextChange(keys: readonly KeyTimes[], now: Date): Date | undefined {
  const moments = keyStates(keys, now).flatMap(({ state }) => {
    if (state.kind === 'published') return [state.signsFrom];
    return state.kind === 'retired' ? [state.leavesAt] : [];
  });
  return moments.filter((at) => at > now).toSorted((one, other) => one.getTime() - other.getTime())[0];
}
