import { setTimeout as pause } from 'node:timers/promises';
import { errors } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import type { DeviceRequests, Exchange, WaitingDevice } from '../../device-login/device-requests.js';
import { epochSeconds, type Clock } from '../../kernel/clock.js';
import { accountId } from '../../kernel/ids.js';
import type { KeyedDigest } from '../../security/digests.js';
import { randomId } from '../../security/secrets.js';
import { browserDigest } from '../../sign-in/browser-digest.js';
import type { Database } from '../../storage/database.js';
import { personClaims } from '../tokens/claims.js';
import { scopesAt } from '../tokens/resources.js';
import { deviceCodeStore, type StoredDeviceCode } from './device-code-store.js';
import { byUserCode, userCodeDigest, userCodeIn } from './device-codes.js';
import { APPROVED, DEVICE_PROMPT } from './device-prompt.js';
import { ENDPOINTS, type EndpointStyle } from '../endpoints.js';
import { interactionStore } from '../storage/interaction-store.js';
import { GRANT_SECONDS, INTERACTION_SECONDS, PHONE_GRANT_SECONDS } from '../lifetimes.js';
import type { OpenIdProvider } from '../provider/provider.js';

/** How long the second half of a double tap waits for what the first is writing. */
const LOOKS = 20;
const LOOK_MS = 100;

/** One by one, for the ID token or userinfo (OpenID Connect Core section 5.5); judged before the device got its code. */
function askedClaims(claims: string | undefined): readonly string[] {
  if (claims === undefined) return [];
  const { id_token: idToken, userinfo } = JSON.parse(claims) as { id_token?: object; userinfo?: object };
  return Object.keys({ ...idToken, ...userinfo });
}

interface Parts {
  /** Asked at each use: it is another one when the keys have changed. */
  readonly openid: Pick<OpenIdProvider, 'provider'>;
  readonly db: Database;
  readonly clock: Clock;
  readonly registry: ClientRegistry;
  readonly keyed: KeyedDigest;
  readonly issuer: string;
  readonly endpointStyle: EndpointStyle;
}

/**
 * Devices that ask to be let in, over the provider's own interactions: its policy asks for the login that the client
 * wants, then for the person's word (device-prompt.ts), and all that is asked of any authorization is asked of these.
 */
export function deviceRequests(parts: Parts): DeviceRequests {
  const { openid, db, clock, registry, keyed } = parts;
  const codes = deviceCodeStore(db);
  const interactions = interactionStore(db);
  const verification = `${parts.issuer}${ENDPOINTS[parts.endpointStyle].code_verification}`;
  const find = (userCode: string): Promise<StoredDeviceCode | undefined> =>
    codes.findByUserCode(userCodeDigest(keyed, userCode));
  const cookiesOf = ({ req, res }: Exchange) => openid.provider.createContext(req, res).cookies;
  const holds = (exchange: Exchange, uid: string): boolean =>
    cookiesOf(exchange).get(openid.provider.cookieName('interaction'), { signed: true }) === uid;

  /** An interaction that asks nothing yet: resuming it lets the policy decide what has to be asked. */
  async function begin(exchange: Exchange, userCode: string, { payload }: StoredDeviceCode): Promise<string> {
    const uid = randomId(16);
    const now = clock.now();
    const returnTo = `${verification}/${uid}`;
    await interactions.insert({
      uid,
      payload: {
        kind: 'Interaction',
        iat: epochSeconds(now),
        exp: epochSeconds(now) + INTERACTION_SECONDS,
        returnTo,
        prompt: { name: DEVICE_PROMPT, reasons: [], details: {} },
        params: payload.params,
        deviceCode: byUserCode(userCode),
        result: {},
        cid: uid,
      },
      browser: browserDigest(exchange.browserId),
      expiresInSeconds: INTERACTION_SECONDS,
      now,
    });
    const { protocol, pathname } = new URL(returnTo);
    cookiesOf(exchange).set(openid.provider.cookieName('resume'), uid, {
      path: pathname,
      httpOnly: true,
      sameSite: 'lax',
      secure: protocol === 'https:',
      signed: true,
      overwrite: true,
      maxAge: INTERACTION_SECONDS * 1000,
    });
    return returnTo;
  }

  function described(userCode: string, { clientId, payload }: StoredDeviceCode, account: string): WaitingDevice {
    const registration = registry.registration(clientId);
    const params = payload.params as { scope?: string; claims?: string; resource?: string | string[] };
    const { scope = '', claims } = params;
    const asked = scope.split(' ');
    const stays = asked.includes('offline_access') && asked.includes('openid');
    return {
      userCode,
      clientId,
      accountId: accountId(account),
      claims:
        registration === undefined
          ? []
          : personClaims(registration, { use: 'userinfo', scope, claims: askedClaims(claims) }),
      resources: [params.resource ?? []].flat().map((resource) => ({
        resource,
        scopes: (scopesAt(registration, resource) ?? []).filter((each) => asked.includes(each)),
      })),
      staysSeconds: stays
        ? registration?.application_type === 'native'
          ? PHONE_GRANT_SECONDS
          : GRANT_SECONDS
        : undefined,
    };
  }

  /** Of an interaction that is over: what the device was told. The first half of a double tap may be at it still. */
  async function told(exchange: Exchange, uid: string): Promise<'approved' | 'refused' | 'gone'> {
    if (!holds(exchange, uid)) return 'gone';
    const origin = await interactions.origin(uid, clock.now());
    const userCode = userCodeIn(String(origin?.interaction.deviceCode));
    if (origin?.spent !== true || userCode === undefined) return 'gone';
    for (let look = 0; look < LOOKS; look += 1) {
      const state = (await find(userCode))?.state;
      if (state !== 'waiting') return state ?? 'gone';
      await pause(LOOK_MS);
    }
    return 'gone';
  }

  /** The interaction that asks for the person's word, with whose session it stands in. */
  async function asking({ req, res }: Exchange, uid: string) {
    try {
      const interaction = await openid.provider.interactionDetails(req, res);
      const account = interaction.session?.accountId;
      const userCode = userCodeIn(interaction.deviceCode ?? '');
      if (interaction.uid !== uid || interaction.prompt.name !== DEVICE_PROMPT) return undefined;
      return account === undefined || userCode === undefined ? undefined : { account, userCode };
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  return {
    async open(exchange, userCode) {
      const code = await find(userCode);
      if (code === undefined || registry.registration(code.clientId) === undefined) return { kind: 'unknown' };
      if (code.state !== 'waiting') return { kind: 'answered' };
      if (code.expiresAt <= clock.now()) return { kind: 'expired' };
      return { kind: 'opened', location: await begin(exchange, userCode, code) };
    },

    async find(exchange, uid) {
      const asked = await asking(exchange, uid);
      if (asked === undefined) return { kind: await told(exchange, uid) };
      const code = await find(asked.userCode);
      if (code?.state !== 'waiting' || code.expiresAt <= clock.now()) return { kind: 'gone' };
      return { kind: 'waiting', device: described(asked.userCode, code, asked.account) };
    },

    async answer(exchange, uid, isApproved) {
      if ((await asking(exchange, uid)) === undefined) return undefined;
      const no = { error: 'access_denied', error_description: 'the person refused the device' };
      try {
        // With the login of this very passage, which is what the client's wishes about its age are held against.
        return await openid.provider.interactionResult(exchange.req, exchange.res, isApproved ? APPROVED : no, {
          mergeWithLastSubmission: true,
        });
      } catch (error) {
        if (error instanceof errors.SessionNotFound) return undefined;
        throw error;
      }
    },
  };
}
