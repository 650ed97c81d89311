import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Database, Queryable } from '../../storage/database.js';
import type { Quota } from '../../throttle/policies.js';
import { spendQuotas } from '../../throttle/quotas.js';
import { aboutLook, checkQuestion, type CheckedQuestion, type TrailQuestion, type TrailRefusal } from './question.js';
import { selectStanding, selectTrail, type Standing } from './search-store.js';

/** R-42, A46: so much one officer looks up before somebody looks at them. Further pages are free. */
export const TRAIL_QUOTAS = {
  searches: { scope: 'audit-search-hour', limit: 300, windowSeconds: 3600 },
  exports: { scope: 'audit-export-day', limit: 50, windowSeconds: 24 * 3600 },
} satisfies Record<string, Quota>;

export interface TrailParts {
  readonly db: Database;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

interface Admitted {
  readonly kind: 'admitted';
  readonly question: CheckedQuestion;
}

/** Helpdesk reads the trail of one person at a time. */
const isReader = ({ everything, agency, persons }: Standing, { accountId }: CheckedQuestion): boolean =>
  everything || agency || (persons && accountId !== undefined);

/** Whether the reader still holds a role that reads this at all; what of it, each statement decides. */
export async function mayRead(db: Queryable, question: CheckedQuestion, now: Date): Promise<boolean> {
  const { scope, accountId: subject } = question;
  return (
    scope.kind === 'all' || isReader(await selectStanding(db, { officer: scope.accountId, subject, now }), question)
  );
}

/**
 * Lets a reader in with a question, spending a place of the quota. A refusal leaves its row in the trail. Of somebody
 * beyond reach an officer sees only what happened in the agencies whose trail is theirs; where nothing did, the account
 * is as one that nobody has.
 */
export async function admitReader(
  tx: Queryable,
  { audit, keyed, clock }: TrailParts,
  { asked, quota }: { readonly asked: TrailQuestion; readonly quota: Quota },
): Promise<Admitted | TrailRefusal> {
  const now = clock.now();
  const question = checkQuestion(asked, now);
  const refusal = 'kind' in question ? question : await refusalOf(tx, question, { keyed, quota, now });
  if (refusal === undefined) return { kind: 'admitted', question: question as CheckedQuestion };
  await recordRefusal(tx, audit, { asked, refusal, accountId: 'kind' in question ? undefined : question.accountId });
  return refusal;
}

/** The row of a question that was not answered. */
export async function recordRefusal(
  tx: Queryable,
  audit: Audit,
  refused: { asked: TrailQuestion; refusal: TrailRefusal; accountId: CheckedQuestion['accountId'] },
): Promise<void> {
  const { asked, refusal, accountId } = refused;
  const cause = refusal.kind === 'invalid' ? refusal.problem : refusal.kind;
  await audit.record(tx, { type: 'audit.refused', detail: { cause }, ...aboutLook(asked, accountId) });
}

async function refusalOf(
  tx: Queryable,
  question: CheckedQuestion,
  { keyed, quota, now }: { keyed: KeyedDigest; quota: Quota; now: Date },
): Promise<TrailRefusal | undefined> {
  const { scope, accountId } = question;
  if (scope.kind === 'all') return undefined;
  const standing = await selectStanding(tx, { officer: scope.accountId, subject: accountId, now });
  if (!isReader(standing, question)) return { kind: 'forbidden' };
  const key = keyed('audit reader', scope.accountId);
  const spending = await spendQuotas(tx, { places: [{ quota, key }], now });
  if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
  if (accountId === undefined || standing.everything || standing.reaches) return undefined;
  const seen = await selectTrail(tx, { ...question, now, before: undefined, limit: 1 });
  return seen.length > 0 ? undefined : { kind: 'not_found' };
}
