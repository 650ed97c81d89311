export { countUnderPeppers, findKeysInUse, type UnderPepper } from './keys-in-use-store.js';
