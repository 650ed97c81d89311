import { agencyCode, type AgencyCode } from '../kernel/ids.js';
import type { Database, Queryable } from '../storage/database.js';
import type { ServiceCaller } from './api/call.js';
import type { Idempotency, RepeatableCall } from './idempotency.js';
import type { Refusals } from './refusals.js';

export type FeedMode = 'full' | 'delta';

/** How a file was, or is being, taken in (docs/adr/0020). */
export interface FeedRunView {
  readonly id: string;
  readonly state: 'waiting' | 'running' | 'applied' | 'refused' | 'failed' | 'interrupted';
  readonly mode: FeedMode;
  readonly dryRun: boolean;
  readonly digest: string | undefined;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly cause: string | undefined;
  readonly progress: { readonly phase: string; readonly done: number; readonly total: number } | undefined;
  readonly report: FeedReportView | undefined;
  readonly problems: readonly { readonly line: number; readonly column: string; readonly reason: string }[];
}

export interface FeedReportView {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly left: number;
  readonly missing: number;
  readonly kept: number;
  readonly officers: number;
  readonly returned: number;
  readonly moved: number;
  readonly renumbered: number;
  readonly emailChanged: number;
  readonly startedOver: number;
  readonly flows: readonly { readonly from: string; readonly to: string; readonly people: number }[];
  readonly unknownColumns: readonly string[];
}

interface Received {
  readonly sha256: Buffer;
  discard(): Promise<void>;
}

/** The port to the personnel feed, which knows no callers. */
export interface FeedIntake<File extends Received = Received> {
  receive(chunks: AsyncIterable<Buffer>): Promise<File | 'busy' | 'too_large'>;
  isBusy(): Promise<boolean>;
  prepare(
    tx: Queryable,
    order: {
      readonly file: File;
      readonly mode: FeedMode;
      readonly dryRun: boolean;
      readonly signature: string | undefined;
      readonly clientId: string;
      readonly agency: AgencyCode | undefined;
    },
  ): Promise<{ readonly id: string; begin(): void }>;
  find(id: string, clientId: string): Promise<FeedRunView | undefined>;
}

export interface SentFile {
  readonly service: ServiceCaller;
  readonly chunks: AsyncIterable<Buffer>;
  readonly mode: FeedMode;
  readonly dryRun: boolean;
  readonly signature: string | undefined;
  readonly repeatable: RepeatableCall;
  readonly requestId: string;
}

export type FeedReception =
  | { readonly kind: 'accepted'; readonly id: string }
  | { readonly kind: 'key_reused' | 'forbidden' | 'busy' | 'too_large' };

/** Files of the personnel feed from the services that are registered for it, and what became of them. */
export interface FeedDesk {
  take(sent: SentFile): Promise<FeedReception>;
  /** A run of this service; nobody else's. */
  find(service: ServiceCaller, id: string, requestId: string): Promise<FeedRunView | undefined>;
}

export function createFeedDesk<File extends Received>(parts: {
  db: Database;
  intake: FeedIntake<File>;
  /** Whether the registration of a client says so. */
  mayFeed: (clientId: string) => boolean;
  idempotency: Idempotency;
  refusals: Refusals;
}): FeedDesk {
  const { db, intake, mayFeed, idempotency, refusals } = parts;

  const refused = ({ clientId, agency }: ServiceCaller, action: string, cause: string, requestId: string) =>
    refusals.record(db, {
      ...{ action, cause, clientId, actorId: undefined },
      agencyCode: agency === undefined ? undefined : agencyCode(agency),
      trace: { requestId },
    });

  return {
    async take({ service, chunks, mode, dryRun, signature, repeatable, requestId }) {
      const { clientId, agency } = service;
      if (!mayFeed(clientId)) {
        await refused(service, 'feed.take', 'forbidden', requestId);
        return { kind: 'forbidden' };
      }
      const isFirst = repeatable.key === undefined;
      // A call that is repeated while its file is taken in gets the answer it missed; any other need not send its file.
      const file = isFirst && (await intake.isBusy()) ? 'busy' : await intake.receive(chunks);
      if (typeof file === 'string') {
        await refused(service, 'feed.take', file, requestId);
        return { kind: file };
      }
      const bound = agency === undefined ? undefined : agencyCode(agency);
      const order = { file, mode, dryRun, signature, clientId, agency: bound };
      const begun: { run?: { begin(): void } } = {};
      const prepare = async (tx: Queryable): Promise<FeedReception> => {
        if (await intake.isBusy()) {
          await refused(service, 'feed.take', 'busy', requestId);
          return { kind: 'busy' };
        }
        const run = await intake.prepare(tx, order);
        begun.run = run;
        return { kind: 'accepted', id: run.id };
      };
      const asked = JSON.stringify([repeatable.request, mode, dryRun, file.sha256.toString('hex')]);
      const call = { ...repeatable, request: asked, keeps: ({ kind }: FeedReception) => kind === 'accepted' };
      try {
        const answer = await db.transaction((tx) => idempotency.once(tx, call, () => prepare(tx)));
        begun.run?.begin();
        return answer;
      } finally {
        if (begun.run === undefined) await file.discard();
      }
    },

    async find(service, id, requestId) {
      const run = mayFeed(service.clientId) ? await intake.find(id, service.clientId) : undefined;
      if (run === undefined) await refused(service, 'feed.show', 'not_found', requestId);
      return run;
    },
  };
}
