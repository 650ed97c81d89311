import type { Environment } from './load.js';

/** The one place where the program reads its environment. */
export const environment: Environment = process.env;
