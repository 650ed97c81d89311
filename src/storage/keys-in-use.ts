export { countUnderPeppers, findKeysInUse, type KeysInUse, type UnderPepper } from './keys-in-use-store.js';
