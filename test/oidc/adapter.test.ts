import { openInProcess } from '#src/storage/in-process.js';
import { createAddressRates } from '#src/throttle/address-rates.js';
import { describe } from '@jest/globals';
import { createAudit } from '#src/audit/audit.js';
import { systemClock } from '#src/kernel/clock.js';
import { adapterFactory } from '#src/oidc/storage/adapter.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { openPostgres } from '#src/storage/postgres.js';
import { oidcAdapterContract } from '../contracts/oidc-adapter.js';
import { anyClient } from '../clients/support/registry.js';
import { noNotices } from '../support/end-sessions.js';
import { createTestDatabase } from '../support/test-database.js';

describe('the adapter on PostgreSQL', () => {
  oidcAdapterContract(async () => {
    const empty = await createTestDatabase();
    const pools = [1, 2].map(() => openPostgres({ url: empty.url, maxConnections: 8, onIdleError: () => undefined }));
    const factories = pools.map((db) =>
      adapterFactory({
        db,
        clock: systemClock,
        audit: createAudit(systemClock),
        notices: noNotices,
        registry: anyClient,
        keyed: createKeyedDigest(Buffer.alloc(32, 3)),
        rates: createAddressRates({
          keyValue: openInProcess(systemClock),
          keyed: createKeyedDigest(Buffer.alloc(32, 3)),
          clock: systemClock,
        }),
      }),
    );
    return {
      factories: factories as [(typeof factories)[0], (typeof factories)[0]],
      close: async () => {
        await Promise.all(pools.map((pool) => pool.close()));
        await empty.drop();
      },
    };
  });
});
