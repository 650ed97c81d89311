import { Validator } from '@seriousme/openapi-schema-validator';
import { openHouse } from './support/stations.js';

const house = await openHouse();
afterAll(() => house.stop());

const ROOT = '/api/admin/v1';
const reply = await house.wire.send({ path: `${ROOT}/openapi.json` });
const document = JSON.parse(reply.body) as { readonly paths: Record<string, Record<string, unknown>> };

it('the admin API is told as OpenAPI 3.1 that a validator accepts', async () => {
  expect(reply.status).toBe(200);
  const validator = new Validator();
  expect(await validator.validate(document)).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
  // Falsified, it is not.
  expect(await new Validator().validate({ ...document, paths: { 'no-slash': {} } })).toMatchObject({ valid: false });
});

it('every route of it is told, and nothing else', () => {
  const told = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${ROOT}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  const routes = house.site.running.site.routes.filter(
    ({ access, path }) => access === 'bearer' && path.startsWith('/api/admin') && !path.includes('*'),
  );
  expect(told.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});
