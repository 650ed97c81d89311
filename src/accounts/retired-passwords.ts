export { retirePasswords } from './retired-passwords-store.js';
