import type { EndUnderWay } from '../accounts/freezing.js';
import { failAll } from './reset-store.js';

/** Ends every password reset under way: the account was frozen, or the mailbox it began with is no longer its own. */
export const endPasswordResets: EndUnderWay = failAll;
