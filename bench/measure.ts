/** What things cost: processor time by /proc and by the server's own metrics, times by the client's clock. */
import { readdir, readFile } from 'node:fs/promises';
import { hash, verify } from '@node-rs/argon2';

/** Nanoseconds on a processor of every thread of a process; undefined when it has ended. */
async function nanosecondsOf(pid: number): Promise<number | undefined> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => undefined);
  if (threads === undefined) return undefined;
  const times = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')),
  );
  return times.reduce((sum, text) => sum + Number(text.split(' ', 1)[0]), 0);
}

/** The process and all that descend from it. */
async function familyOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The name stands in parentheses and may hold anything: the fields begin behind the last one.
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isOfFamily = (pid: number): boolean => {
    let at: number | undefined = pid;
    while (at !== undefined && at > 1) {
      if (at === root) return true;
      at = parents.get(at);
    }
    return false;
  };
  return [...parents.keys()].filter(isOfFamily);
}

/** Reads the processor seconds that a process and its children have used; undefined where the system does not tell. */
export type CpuMeter = () => Promise<number | undefined>;

/** Children that end between two readings lose what they used since the first. */
export function cpuMeter(findRoot: () => Promise<number | undefined>): CpuMeter {
  const seen = new Map<number, number>();
  return async () => {
    const root = await findRoot();
    if (root === undefined) return undefined;
    for (const pid of await familyOf(root)) {
      const nanoseconds = await nanosecondsOf(pid);
      if (nanoseconds !== undefined) seen.set(pid, nanoseconds);
    }
    return seen.size === 0 ? undefined : [...seen.values()].reduce((sum, each) => sum + each, 0) / 1e9;
  };
}

/** Argon2id as the server does it (ADR 0009). */
const PARAMETERS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
const HASHES = 10;

export const hashPassword = (password: string): Promise<string> => hash(password, PARAMETERS);

/** Processor seconds of one password hash at this moment: the unit of everything else. */
export async function measureHash(): Promise<number> {
  const stored = await hashPassword('any');
  const before = process.cpuUsage();
  for (let done = 0; done < HASHES; done += 1) await verify(stored, 'any');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / HASHES;
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Does the work so many times, some at once; answers how long each took, in milliseconds. */
export async function repeat(
  times: number,
  atOnce: number,
  work: (index: number, lane: number) => Promise<void>,
): Promise<number[]> {
  const took: number[] = [];
  let next = 0;
  const run = async (_: unknown, lane: number): Promise<void> => {
    while (next < times) {
      const index = next;
      next += 1;
      const began = performance.now();
      await work(index, lane);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  return took;
}
