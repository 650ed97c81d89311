/**
 * What may be forgotten at any moment without harm: captcha answers, soft rate buckets, caches.
 * Implementations reject with {@link KeyValueUnavailable} when the store does not answer in time.
 */
export interface KeyValue {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Reads and deletes in one step: of many racing callers, one gets the value. */
  take(key: string): Promise<string | undefined>;
  /** Adds one and answers the new count. The time to live starts with the first increment. */
  increment(key: string, ttlSeconds: number): Promise<number>;
  /** Adds a member to a set and answers how many distinct members it has. The time to live starts with the first. */
  addDistinct(key: string, member: string, ttlSeconds: number): Promise<number>;
  countDistinct(key: string): Promise<number>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

export class KeyValueUnavailable extends Error {
  constructor(cause: unknown) {
    super('the key-value store did not answer', { cause });
    this.name = 'KeyValueUnavailable';
  }
}
