import { digest } from '../security/digests.js';

/** What an attempt keeps of the browser it began in: 128 random bits need no key (A22). */
export const browserDigest = (browserId: string | undefined): Buffer => digest(`attempt browser|${browserId ?? ''}`);
