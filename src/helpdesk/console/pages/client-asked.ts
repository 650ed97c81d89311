import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageContext } from '../../../web/request.js';
import type { ClientView } from '../../../clients/client-view.js';
import type { ClientDesk } from '../../relying-parties/client-desk.js';
import type { OperatorAsked } from '../../relying-parties/operators.js';
import { callOf } from './acts.js';

export const CLIENTS = '/helpdesk/clients';
export const CLIENT = `${CLIENTS}/:client`;

export const askedBy = (ctx: PageContext, officer: Officer): OperatorAsked => callOf(ctx, officer);

export const clientPath = (clientId: string): string => `${CLIENTS}/${encodeURIComponent(clientId)}`;

export const clientIdOf = (ctx: PageContext): string => (ctx.params as { client: string }).client;

/** What every page about clients answers when it is not what was asked for. */
export function answerNo(
  ctx: PageContext,
  { officer, write }: { officer: Officer; write: PageWriter },
  kind: 'forbidden' | 'not_found',
): void {
  if (kind === 'not_found') write(ctx, 'helpdesk/client/not-found', {}, { officer, status: 404 });
  else write(ctx, 'error', { status: 403, error: { code: 'forbidden' } }, { officer, status: 403 });
}

/** The client that the address names; otherwise the answer is given, and undefined. */
export async function clientOf(
  ctx: PageContext,
  { officer, write, clients }: { officer: Officer; write: PageWriter; clients: ClientDesk },
): Promise<ClientView | undefined> {
  const found = await clients.find(askedBy(ctx, officer), clientIdOf(ctx));
  if (found.kind === 'found') return found.client;
  answerNo(ctx, { officer, write }, found.kind);
  return undefined;
}
