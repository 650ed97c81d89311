import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { KeyValue } from './key-value.js';

interface Entry {
  readonly value: string | Set<string>;
  readonly expiresAt: Date;
}

/**
 * The key-value store in this process's memory: all there is in embedded mode, and the stand-in where Redis is away.
 * Holds at most `maxEntries` keys; one more pushes out the oldest, which anything kept here must bear.
 */
export function openInProcess(clock: Clock, { maxEntries = 100_000 }: { readonly maxEntries?: number } = {}): KeyValue {
  const entries = new Map<string, Entry>();

  const find = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAt > clock.now()) return entry;
    entries.delete(key);
    return undefined;
  };
  const put = (key: string, value: Entry['value'], expiresAt: Date): void => {
    // A map walks its keys in the order of their arrival: the first is the oldest.
    entries.delete(key);
    entries.set(key, { value, expiresAt });
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
  };
  const text = (key: string): string | undefined => {
    const value = find(key)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const members = (key: string): Set<string> | undefined => {
    const value = find(key)?.value;
    return value instanceof Set ? value : undefined;
  };
  const expiry = (key: string, ttlSeconds: number): Date =>
    find(key)?.expiresAt ?? secondsAfter(clock.now(), ttlSeconds);

  return {
    get: (key) => Promise.resolve(text(key)),
    set: (key, value, ttlSeconds) => {
      put(key, value, secondsAfter(clock.now(), ttlSeconds));
      return Promise.resolve();
    },
    take: (key) => {
      const value = text(key);
      entries.delete(key);
      return Promise.resolve(value);
    },
    increment: (key, ttlSeconds) => {
      const count = Number(text(key) ?? 0) + 1;
      put(key, String(count), expiry(key, ttlSeconds));
      return Promise.resolve(count);
    },
    addDistinct: (key, member, ttlSeconds) => {
      const known = members(key) ?? new Set();
      put(key, known.add(member), expiry(key, ttlSeconds));
      return Promise.resolve(known.size);
    },
    countDistinct: (key) => Promise.resolve(members(key)?.size ?? 0),
    delete: (key) => {
      entries.delete(key);
      return Promise.resolve();
    },
    close: () => {
      entries.clear();
      return Promise.resolve();
    },
  };
}
