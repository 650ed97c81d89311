import type { z } from 'zod';

/** One thing wrong with a body: where (RFC 6901, as a URI fragment) and what, in our words, never the sender's. */
export interface InputError {
  readonly pointer: string;
  readonly detail: string;
}

export type Parsed<Body> =
  | { readonly kind: 'read'; readonly body: Body }
  /** 400: not what the schema describes. 422: the right form with a value that does not do. */
  | { readonly kind: 'refused'; readonly status: 400 | 422; readonly errors: readonly InputError[] };

type Issue = z.core.$ZodIssue;

const DETAILS: Readonly<Partial<Record<Issue['code'], string>>> = {
  invalid_type: 'missing or of the wrong type',
  unrecognized_keys: 'holds a member that is not known here',
  too_small: 'too short',
  too_big: 'too long',
};

/** A member that is missing, superfluous or of another type is malformed; anything else is a matter of its value. */
const MALFORMED: ReadonlySet<Issue['code']> = new Set(['invalid_type', 'unrecognized_keys']);

/** Our own member names only: an array index or a name the sender made up never gets here. */
const pointerTo = ({ path }: Issue): string => `#${path.map((part) => `/${String(part)}`).join('')}`;

/** Reads a JSON body by its schema. */
export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema): Parsed<z.output<Schema>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refused', status: 400, errors: [{ pointer: '#', detail: 'not JSON' }] };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'read', body: parsed.data };
  const { issues } = parsed.error;
  return {
    kind: 'refused',
    status: issues.some(({ code }) => MALFORMED.has(code)) ? 400 : 422,
    errors: issues.map((issue) => ({
      pointer: pointerTo(issue),
      detail: DETAILS[issue.code] ?? 'not an allowed value',
    })),
  };
}
