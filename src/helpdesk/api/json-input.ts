import type { z } from 'zod';

/**
 * One thing wrong with a request: where, as a pointer into the body (RFC 6901, as a URI fragment) or as the name of a
 * parameter, and what, in our words, never the sender's.
 */
export interface InputError {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

/** 400: not what the schema describes. 422: the right form with a value that does not do. */
interface InputRefused {
  readonly kind: 'refused';
  readonly status: 400 | 422;
  readonly errors: readonly InputError[];
}

export type Parsed<Value> = { readonly kind: 'read'; readonly value: Value } | InputRefused;

type Issue = z.core.$ZodIssue;

const DETAILS: Readonly<Partial<Record<Issue['code'], string>>> = {
  invalid_type: 'missing or of the wrong type',
  unrecognized_keys: 'holds an unknown member',
  too_small: 'too short',
  too_big: 'too long',
};

/** A member that is missing, superfluous or of another type is malformed; anything else is a matter of its value. */
const MALFORMED: ReadonlySet<Issue['code']> = new Set(['invalid_type', 'unrecognized_keys']);

/** A value that fits none of several forms is malformed when it has the members of none. */
const isMalformed = (issue: Issue): boolean =>
  MALFORMED.has(issue.code) ||
  (issue.code === 'invalid_union' && issue.errors.length > 0 && issue.errors.every((form) => form.some(isMalformed)));

/** Of a value that fits none of several forms: what keeps it from the one that it comes nearest to, if it is one. */
function nearest(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [best, second] = issue.errors.toSorted((one, other) => one.length - other.length);
  if (best === undefined || best.length === second?.length) return [issue];
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

const detailOf = ({ code }: Issue): string => DETAILS[code] ?? 'not an allowed value';

/** Our own member names only: an array index or a name the sender made up never gets here. */
const pointerTo = ({ path }: Issue): string => `#${path.map((part) => `/${String(part)}`).join('')}`;

function parse<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  tell: (issue: Issue) => InputError,
): Parsed<z.output<Schema>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'read', value: parsed.data };
  const { issues } = parsed.error;
  return {
    kind: 'refused',
    status: issues.some(isMalformed) ? 400 : 422,
    errors: issues.flatMap(nearest).map(tell),
  };
}

/** Reads a JSON body by its schema. */
export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema): Parsed<z.output<Schema>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refused', status: 400, errors: [{ pointer: '#', detail: 'not JSON' }] };
  }
  return parse(value, schema, (issue) => ({ pointer: pointerTo(issue), detail: detailOf(issue) }));
}

/** Parameters of some call: a name of ours may be said, one that the sender made up may not. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'account',
  'actor',
  'agency',
  'cursor',
  'format',
  'from',
  'limit',
  'mode',
  'nip',
  'query',
  'to',
  'types',
]);

function unknownParameters({ keys }: Extract<Issue, { code: 'unrecognized_keys' }>): InputError {
  const detail = 'an unknown parameter';
  const ours = keys.find((key) => PARAMETERS.has(key));
  return ours === undefined ? { detail } : { parameter: ours, detail: `${detail} of this call` };
}

/** Reads the query by its schema; a parameter that was sent twice is refused like one of another type. */
export const parseQuery = <Schema extends z.ZodType>(
  query: Readonly<Record<string, unknown>>,
  schema: Schema,
): Parsed<z.output<Schema>> =>
  parse(query, schema, (issue) => {
    if (issue.code === 'unrecognized_keys') return unknownParameters(issue);
    const [name] = issue.path;
    return { ...(name === undefined ? {} : { parameter: String(name) }), detail: detailOf(issue) };
  });
