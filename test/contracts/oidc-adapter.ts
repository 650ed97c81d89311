import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

export interface AdapterHouse {
  /** Two factories on pools of their own over one database, as two processes have them. */
  readonly factories: readonly [AdapterFactory, AdapterFactory];
  close(): Promise<void>;
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const payload = (rest: object = {}): AdapterPayload => ({ iat: seconds(), exp: seconds() + 60, ...rest });
const interaction = (rest: object = {}): AdapterPayload =>
  payload({
    returnTo: 'https://sso.asn.example/oidc/auth/x',
    prompt: { name: 'login', reasons: ['no_session'], details: {} },
    params: { client_id: 'web' },
    ...rest,
  });

const ITEMS = 50;
const PARALLEL = 16;

/** What every storage behind the provider must do. Run once per engine. */
export function oidcAdapterContract(open: () => Promise<AdapterHouse>): void {
  let house: AdapterHouse;
  beforeAll(async () => {
    house = await open();
  });
  afterAll(() => house.close());
  const adapter = (model: string): Adapter => house.factories[0](model);

  describe.each([
    'AuthorizationCode',
    'RefreshToken',
    'AccessToken',
    'ClientCredentials',
    'PushedAuthorizationRequest',
  ])('%s', (model) => {
    it('finds what was kept, under its id and nothing else', async () => {
      const id = randomUUID();
      const kept = payload({ scope: 'openid', nested: { list: [1, { a: null }] } });
      await adapter(model).upsert(id, kept, 60);
      expect(await adapter(model).find(id)).toEqual({ ...kept, jti: id });
      for (const other of [id.toUpperCase(), `${id} `, '', randomUUID()]) {
        expect(await adapter(model).find(other)).toBeUndefined();
      }
    });

    it('does not find the same id of another kind', async () => {
      const id = randomUUID();
      await adapter(model).upsert(id, payload(), 60);
      const others = ['AuthorizationCode', 'RefreshToken', 'PushedAuthorizationRequest'].filter(
        (each) => each !== model,
      );
      for (const other of others) expect(await adapter(other).find(id)).toBeUndefined();
    });

    it('forgets what was destroyed', async () => {
      const id = randomUUID();
      await adapter(model).upsert(id, payload(), 60);
      await adapter(model).destroy(id);
      expect(await adapter(model).find(id)).toBeUndefined();
    });
  });

  describe.each([
    ['AuthorizationCode', 'invalid_grant'],
    ['RefreshToken', 'invalid_grant'],
    ['PushedAuthorizationRequest', 'invalid_request_uri'],
  ])('a consumed %s', (model, refusal) => {
    it('is told as consumed, and stays so when it is written again', async () => {
      const id = randomUUID();
      await adapter(model).upsert(id, payload(), 60);
      await adapter(model).consume(id);
      await adapter(model).upsert(id, payload(), 60);
      expect((await adapter(model).find(id))?.consumed).toBeTruthy();
    });

    it(`is refused with ${refusal}, like one that never was`, async () => {
      const id = randomUUID();
      await adapter(model).upsert(id, payload(), 60);
      await adapter(model).consume(id);
      await expect(adapter(model).consume(id)).rejects.toMatchObject({ message: refusal });
      await expect(adapter(model).consume(randomUUID())).rejects.toMatchObject({ message: refusal });
    });
  });

  it.each([
    ['AuthorizationCode', false],
    ['RefreshToken', false],
    // The login it began may take longer than the request lives.
    ['PushedAuthorizationRequest', true],
  ])('an expired %s can be consumed: %s', async (model, possible) => {
    const id = randomUUID();
    await adapter(model).upsert(id, payload({ exp: seconds() - 1 }), 1);
    const consumed = await adapter(model)
      .consume(id)
      .then(
        () => true,
        () => false,
      );
    expect(consumed).toBe(possible);
  });

  it('revokes every token of a grant, and of no other', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    await adapter('AccessToken').upsert(ids[0] ?? '', payload({ grantId: mine }), 60);
    await adapter('RefreshToken').upsert(ids[1] ?? '', payload({ grantId: mine }), 60);
    await adapter('AccessToken').upsert(ids[2] ?? '', payload({ grantId: other }), 60);
    await adapter('AccessToken').revokeByGrantId(mine);
    expect(await adapter('AccessToken').find(ids[0] ?? '')).toBeUndefined();
    expect(await adapter('RefreshToken').find(ids[1] ?? '')).toBeUndefined();
    expect(await adapter('AccessToken').find(ids[2] ?? '')).toBeDefined();
  });

  describe('an interaction', () => {
    it('is found until it expires, and gone once', async () => {
      const id = randomUUID();
      await adapter('Interaction').upsert(id, interaction(), 60);
      expect(await adapter('Interaction').find(id)).toMatchObject({ jti: id, params: { client_id: 'web' } });
      await adapter('Interaction').destroy(id);
      expect(await adapter('Interaction').find(id)).toBeUndefined();
      await expect(adapter('Interaction').destroy(id)).rejects.toMatchObject({ message: 'invalid_request' });
      const expired = randomUUID();
      await adapter('Interaction').upsert(expired, interaction(), -1);
      expect(await adapter('Interaction').find(expired)).toBeUndefined();
    });

    it('that has ended does not come back with a result', async () => {
      const id = randomUUID();
      const result = { login: { accountId: randomUUID() } };
      await expect(adapter('Interaction').upsert(id, interaction({ result }), 60)).rejects.toMatchObject({
        message: 'invalid_request',
      });
      expect(await adapter('Interaction').find(id)).toBeUndefined();
    });
  });

  describe(`${ITEMS} items, ${PARALLEL} uses of each at the same time over two pools`, () => {
    const race = async (
      prepare: (id: string) => Promise<unknown>,
      use: (id: string, a: Adapter) => Promise<unknown>,
      model: string,
    ) => {
      const adapters = house.factories.map((factory) => factory(model)) as [Adapter, Adapter];
      for (let item = 0; item < ITEMS; item += 1) {
        const id = randomUUID();
        await prepare(id);
        const uses = await Promise.allSettled(
          Array.from({ length: PARALLEL }, (_, i) => use(id, i % 2 === 0 ? adapters[0] : adapters[1])),
        );
        expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const lost of uses) {
          if (lost.status === 'rejected') expect(lost.reason).toMatchObject({ expose: true });
        }
      }
    };

    it.each(['AuthorizationCode', 'RefreshToken', 'PushedAuthorizationRequest'])(
      'consume each %s once',
      async (model) => {
        await race(
          (id) => adapter(model).upsert(id, payload(), 60),
          (id, each) => each.consume(id),
          model,
        );
      },
    );

    it('take each proof once', async () => {
      await race(
        () => Promise.resolve(),
        (id, each) => each.upsert(id, payload(), 60),
        'ReplayDetection',
      );
    });

    it('end each interaction once', async () => {
      await race(
        (id) => adapter('Interaction').upsert(id, interaction(), 60),
        (id, each) => each.destroy(id),
        'Interaction',
      );
    });
  });
}
