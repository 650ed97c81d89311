import { z } from 'zod';
import { parseJson, parseQuery } from '#src/helpdesk/api/json-input.js';

const FORMS = z.union([
  z.strictObject({ nip: z.string() }),
  z.strictObject({ query: z.string().min(3), agency: z.string().optional() }),
]);
const errorsOf = (body: unknown) => {
  const parsed = parseJson(JSON.stringify(body), FORMS);
  return parsed.kind === 'refused' ? [parsed.status, ...parsed.errors] : [];
};

it.each([
  ['a member that nobody knows', { nip: '1', sandi: 2 }, [400, { pointer: '#', detail: 'holds an unknown member' }]],
  ['another type', { nip: 1 }, [400, { pointer: '#/nip', detail: 'missing or of the wrong type' }]],
  ['too little', { query: 'ab' }, [422, { pointer: '#/query', detail: 'too short' }]],
  ['nothing of any form', { sandi: 2 }, [400, { pointer: '#', detail: 'not an allowed value' }]],
])('tells of %s what is wrong with it', (_, body, expected) => {
  expect(errorsOf(body)).toEqual(expected);
});

it.each([
  [{ limit: '2' }, { parameter: 'limit', detail: 'an unknown parameter of this call' }],
  [{ rahasia: '2' }, { detail: 'an unknown parameter' }],
  [{ cursor: ['a', 'b'] }, { parameter: 'cursor', detail: 'missing or of the wrong type' }],
])('names a parameter of ours in %j, and never one that the sender made up', (query, error) => {
  expect(parseQuery(query, z.strictObject({ cursor: z.string().optional() }))).toMatchObject({
    kind: 'refused',
    status: 400,
    errors: [error],
  });
});
