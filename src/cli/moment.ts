import { timesIn } from '../web/locale.js';

const { iso } = timesIn('en');

/** `2026-11-23 07:30 WIB (2026-11-23T00:30:00.000Z)`: as people say it, and as the logs do. */
export const moment = (at: Date): string => `${iso(at).slice(0, 16).replace('T', ' ')} WIB (${at.toISOString()})`;
