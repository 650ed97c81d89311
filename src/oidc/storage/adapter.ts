import { errors, type Adapter, type AdapterFactory, type AdapterPayload } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { secondsAfter } from '../../kernel/clock.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { AddressRates } from '../../throttle/address-rates.js';
import { clientMetadata } from '../clients/client-metadata.js';
import { deviceCodeAdapter } from '../device/device-code-adapter.js';
import { grantAdapter } from './grant-adapter.js';
import { interactionAdapter } from './interaction-adapter.js';
import { replayStore } from './replay-store.js';
import { sessionAdapter, type SessionParts } from './session-adapter.js';
import { admitStranger } from './strangers.js';
import { tokenAdapter } from './token-adapter.js';
import { requestScope } from '../request-scope.js';
import { guarded } from '../unavailable.js';

export interface AdapterParts extends SessionParts {
  readonly registry: ClientRegistry;
  readonly keyed: KeyedDigest;
  /** How much strangers may make us keep. */
  readonly rates: AddressRates;
}

/** The provider's storage: one adapter for each of its models, over PostgreSQL (docs/adr/0004). */
export function adapterFactory(parts: AdapterParts): AdapterFactory {
  return (model) => {
    const adapter = complete(partsOf(model, parts));
    return {
      ...adapter,
      async upsert(...given) {
        await admitStranger(parts.rates, model);
        await adapter.upsert(...given);
      },
    };
  };
}

function partsOf(model: string, parts: AdapterParts): Partial<Adapter> {
  switch (model) {
    case 'Session':
      return sessionAdapter(parts);
    case 'Interaction':
      return interactionAdapter(parts);
    case 'Grant':
      return grantAdapter(parts);
    case 'DeviceCode':
      return deviceCodeAdapter(parts);
    case 'ReplayDetection':
      return replayAdapter(parts);
    case 'Client':
      return clientAdapter(parts);
    default:
      return tokenAdapter(model, parts);
  }
}

/** From memory: the registry follows its table by itself (ADR 0026). Who is disabled is not found. */
function clientAdapter({ registry }: AdapterParts): Partial<Adapter> {
  return {
    find(clientId) {
      const registration = registry.registration(clientId);
      // Whoever tells of the refusal tells that client's developers (provider/events.ts).
      if (registration === undefined) requestScope().switchedOff = registry.switchedOff(clientId);
      return Promise.resolve(registration && (clientMetadata(registration) as AdapterPayload));
    },
  };
}

/** Insert only; `provider.ts` asks the store directly, so this is what remains should the provider ever not. */
function replayAdapter({ db, clock }: AdapterParts): Partial<Adapter> {
  const store = replayStore(db);
  return {
    find: () => Promise.resolve(undefined),
    async upsert(id, _payload, expiresInSeconds = 0) {
      if (!(await store.claim(id, secondsAfter(clock.now(), expiresInSeconds)))) {
        throw new errors.InvalidGrant('replay detected');
      }
    },
  };
}

function complete(partial: Partial<Adapter>): Adapter {
  const absent = (method: string) => () => Promise.reject(new Error(`the adapter has no ${method} for this model`));
  const method = <Name extends keyof Adapter>(name: Name): Adapter[Name] => {
    const run = (partial[name] ?? absent(name)) as (...args: unknown[]) => Promise<never>;
    return (...args: unknown[]) => guarded(() => run(...args));
  };
  return {
    upsert: method('upsert'),
    find: method('find'),
    findByUid: method('findByUid'),
    findByUserCode: method('findByUserCode'),
    consume: method('consume'),
    destroy: method('destroy'),
    revokeByGrantId: method('revokeByGrantId'),
  };
}
