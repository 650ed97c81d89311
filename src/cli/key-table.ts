import type { ListedKey } from '../oidc/keys/key-rotation.js';
import type { KeyState } from '../oidc/keys/key-states.js';
import { moment } from './moment.js';
import { table } from './table.js';

function next(state: KeyState): string {
  switch (state.kind) {
    case 'published':
      return `signs from ${moment(state.signsFrom)}`;
    case 'signing':
      return state.until === undefined ? 'until another is made (keys rotate)' : `until ${moment(state.until)}`;
    case 'retired':
      return `verifies until ${moment(state.leavesAt)}`;
    case 'dropped':
      return `left the key set ${moment(state.at)}`;
    case 'revoked':
      return `gone since ${moment(state.at)}`;
  }
}

const PRIVATE = { true: 'sealed', false: 'destroyed' } as const;

/** One line for each signing key, newest first within an algorithm. */
export const keyTable = (keys: readonly ListedKey[]): readonly string[] =>
  table([
    ['ALG', 'KID', 'STATE', 'WHAT HAPPENS', 'PRIVATE HALF'],
    ...keys.map(({ alg, kid, state, hasPrivate }) => [alg, kid, state.kind, next(state), PRIVATE[`${hasPrivate}`]]),
  ]);
