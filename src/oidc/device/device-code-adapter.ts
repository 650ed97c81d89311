import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Audit } from '../../audit/audit.js';
import { accountId as asAccountId, type AccountId } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/clock.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Database } from '../../storage/database.js';
import { agentOf } from '../../web/agent.js';
import { omit } from '../storage/changes.js';
import { deviceCodeStore } from './device-code-store.js';
import { POLL_SECONDS, userCodeDigest, userCodeIn } from './device-codes.js';
import { currentRequest, requestId } from '../request-scope.js';

/** Somebody has answered this device already, or its time is up. */
export class DeviceAnswered extends errors.InvalidRequest {}

/** What went wrong for the person, and is no answer to the device: the code may be typed again. */
const NO_ANSWER = ['session_not_found', 'server_error', 'temporarily_unavailable', 'invalid_request'];

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
}

/** The provider's DeviceCode model over `device_codes` (RFC 8628, docs/adr/0030). */
export function deviceCodeAdapter({ db, clock, audit, keyed }: Parts): Partial<Adapter> {
  const store = deviceCodeStore(db);

  async function insert(deviceCode: string, payload: AdapterPayload, expiresInSeconds: number): Promise<void> {
    const isNew = await store.insert({
      deviceCode,
      userCode: userCodeDigest(keyed, payload.userCode ?? ''),
      clientId: payload.clientId ?? '',
      payload: omit(payload, ['jti', 'userCode']),
      expiresInSeconds,
      intervalSeconds: POLL_SECONDS,
      now: clock.now(),
    });
    // Both would be let in by one person's word.
    if (!isNew) throw new errors.TemporarilyUnavailable('try again');
  }

  /** Who is answered, and why not: by the person, by what they may use, or by what the client asks of a login. */
  const causeOf = (error: unknown): 'person' | 'no_access' | 'unmet' => {
    const result = currentRequest()?.oidc.entities.Interaction?.result as { error?: string } | undefined;
    if (error !== 'access_denied') return 'unmet';
    return result?.error === 'access_denied' ? 'person' : 'no_access';
  };

  async function answer(userCode: string, payload: AdapterPayload): Promise<void> {
    const { error } = payload as { error?: unknown };
    if (typeof error === 'string' && NO_ANSWER.includes(error)) return;
    const ctx = currentRequest();
    const isApproved = error === undefined;
    const person = ctx?.oidc.session?.accountId;
    const whom: AccountId | undefined = person === undefined ? undefined : asAccountId(person);
    await db.transaction(async (tx) => {
      const clientId = await deviceCodeStore(tx).decide({
        userCode: userCodeDigest(keyed, userCode),
        payload: omit(payload, ['jti', 'userCode']),
        accountId: isApproved ? whom : undefined,
        now: clock.now(),
      });
      if (clientId === undefined) throw new DeviceAnswered('the device has been answered');
      const common = {
        accountId: whom,
        clientId,
        requestId: requestId(),
        agent: agentOf(ctx?.get('user-agent') ?? ''),
      };
      await audit.record(
        tx,
        isApproved
          ? { ...common, type: 'device_login.approved', detail: {} }
          : { ...common, type: 'device_login.refused', detail: { cause: causeOf(error) } },
      );
    });
  }

  /** A code that was spent is in two hands: what it gave ends (as RFC 6749 section 4.1.2 has it of other codes). */
  const endGrant = (deviceCode: string): Promise<void> =>
    db.transaction(async (tx) => {
      const ended = await deviceCodeStore(tx).endGrantOfSpent(deviceCode);
      if (ended === undefined) return;
      const detail = { cause: 'device_code.reused' };
      await audit.record(tx, { ...ended, type: 'grant.revoked', detail, requestId: requestId() });
    });

  return {
    upsert(id, payload, expiresInSeconds = 0) {
      const userCode = userCodeIn(id);
      return userCode === undefined ? insert(id, payload, expiresInSeconds) : answer(userCode, payload);
    },

    async find(id) {
      const { route, client } = currentRequest()?.oidc ?? {};
      if (route !== 'token') {
        const userCode = userCodeIn(id);
        const asked = userCode === undefined ? undefined : await store.findByUserCode(userCodeDigest(keyed, userCode));
        return asked && { ...asked.payload, jti: id };
      }
      // Here the device itself asks, and nothing but what only it knows is looked up.
      const polled = await store.poll({ deviceCode: id, clientId: client?.clientId ?? '', now: clock.now() });
      if (polled?.isEarly === true && polled.expiresAt > clock.now()) throw new errors.SlowDown();
      return polled && { ...polled.payload, jti: id };
    },

    async consume(id) {
      if (await store.consume({ deviceCode: id, now: clock.now() })) return;
      await endGrant(id);
      throw new errors.InvalidGrant('the device code was already used');
    },

    // Without its grant a code is worth nothing, and its minutes are few.
    revokeByGrantId: () => Promise.resolve(),
  };
}
