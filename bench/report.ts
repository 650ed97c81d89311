/** Turns what was measured into what is read. */
import { median, quantile } from './measure.js';

/** One round of one ceremony. */
export interface Round {
  readonly times: number;
  /** Processor seconds in all; undefined where the system does not tell. */
  readonly cpu: { readonly node: number; readonly postgres: number | undefined; readonly redis: number | undefined };
  readonly statements: number;
  readonly tookMs: readonly number[];
}

/** What one ceremony costs: the median of its rounds, processor time in units of one password hash. */
export interface Cost {
  readonly name: string;
  readonly node: number;
  readonly postgres: number | undefined;
  readonly redis: number | undefined;
  readonly total: number;
  readonly statements: number;
  readonly statementsTarget: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Report {
  readonly at: string;
  readonly machine: string;
  readonly versions: readonly string[];
  /** Milliseconds of processor time of one password hash. */
  readonly hashMs: number;
  readonly costs: readonly Cost[];
  /** Shares of a login without its password hash. */
  readonly ratios: readonly Figure[];
  readonly process: readonly Figure[];
}

/** A number beside what was promised. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly target: number;
  readonly unit: '%' | 'A' | 'MB' | 's';
}

export function costOf(
  { name, statements: statementsTarget }: { name: string; statements: number },
  { rounds, hashSeconds }: { rounds: readonly Round[]; hashSeconds: number },
): Cost {
  const per = (part: (round: Round) => number | undefined): number | undefined => {
    const values = rounds.flatMap((round) => {
      const value = part(round);
      return value === undefined ? [] : [value / round.times];
    });
    return values.length === 0 ? undefined : median(values);
  };
  const inHashes = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds / hashSeconds;
  const node = inHashes(per(({ cpu }) => cpu.node)) ?? Number.NaN;
  const postgres = inHashes(per(({ cpu }) => cpu.postgres));
  const redis = inHashes(per(({ cpu }) => cpu.redis));
  const tookMs = rounds.flatMap((round) => round.tookMs);
  return {
    name,
    node,
    postgres,
    redis,
    total: node + (postgres ?? 0) + (redis ?? 0),
    statements: per((round) => round.statements) ?? Number.NaN,
    statementsTarget,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
  };
}

/** The targets that compare ceremonies: a login in all, the others with a login without its hash. */
export function ratiosOf(costs: readonly Cost[]): readonly Figure[] {
  const total = (name: string): number => costs.find((cost) => cost.name === name)?.total ?? Number.NaN;
  const login = total('full login');
  const share = (name: string): number => (100 * total(name)) / (login - 1);
  return [
    { name: 'full login', value: login, target: 1.5, unit: 'A' },
    { name: 'single sign-on / login without A', value: share('single sign-on'), target: 45, unit: '%' },
    { name: 'refresh / login without A', value: share('refresh'), target: 20, unit: '%' },
  ];
}

const number = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '-';

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0)).join('  '))
    .join('\n');
}

const verdict = (value: number, target: number): string => (value <= target ? 'met' : 'missed');

/** For people: what a run found beside what was promised. */
export function written({ machine, versions, hashMs, costs, ratios, process: figures }: Report): string {
  return [
    `${machine}; ${versions.join(', ')}`,
    `A, one password hash: ${hashMs.toFixed(1)} ms of processor time. Processor time in A:`,
    '',
    table([
      ['', 'Node', 'PostgreSQL', 'Redis', 'total', 'SQL', 'target', '', 'p50 ms', 'p99 ms'],
      ...costs.map((cost) => [
        cost.name,
        number(cost.node, 3),
        number(cost.postgres, 3),
        number(cost.redis, 3),
        number(cost.total, 3),
        number(cost.statements, 1),
        `<= ${cost.statementsTarget}`,
        verdict(Math.round(cost.statements), cost.statementsTarget),
        number(cost.p50Ms, 1),
        number(cost.p99Ms, 1),
      ]),
    ]),
    '',
    table([
      ['', 'found', 'target', ''],
      ...[...ratios, ...figures].map(({ name, value, target, unit }) => {
        const digits = unit === 'A' || unit === 's' ? 2 : 0;
        return [name, `${number(value, digits)} ${unit}`, `<= ${target} ${unit}`, verdict(value, target)];
      }),
    ]),
    '',
  ].join('\n');
}
