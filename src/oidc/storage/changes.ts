import { isDeepStrictEqual } from 'node:util';
import type { Changes, Json } from './session-store.js';

/** Without these keys. */
export const omit = (value: Json, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

/** What turns `before` into `after`, key by key. */
export const changes = (before: Json, after: Json): Changes => ({
  set: Object.fromEntries(Object.entries(after).filter(([key, value]) => !isDeepStrictEqual(before[key], value))),
  removed: Object.keys(before).filter((key) => !(key in after)),
});

export const isEmpty = ({ set, removed }: Changes): boolean => Object.keys(set).length === 0 && removed.length === 0;
