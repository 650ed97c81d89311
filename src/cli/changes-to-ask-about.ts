import { trailOf, type TrailEvent } from '../audit/trail.js';
import type { AuditType } from '../audit/events.js';
import type { Devices } from '../devices/devices.js';
import type { DeviceKind } from '../devices/device.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** Each of these is behind a fresh second factor or a mailed code: nobody can make so many, and none is left out. */
const EVERY = 10_000;

const TOLD: Partial<Readonly<Record<AuditType, string>>> = {
  'password.changed': 'password changed',
  'recovery_codes.issued': 'new recovery codes',
  'contact_change.done': 'e-mail address changed',
  'account.email_imported': 'e-mail address changed by an import',
};
const TYPES = Object.keys(TOLD) as AuditType[];

const KINDS: Readonly<Record<DeviceKind, string>> = { totp: 'authenticator', passkey: 'passkey' };

interface Change {
  readonly at: Date;
  readonly what: string;
}

const toldAs = ({ at, type, detail: { by } }: TrailEvent): Change => {
  const what = TOLD[type as AuditType] ?? type;
  return { at, what: typeof by === 'string' ? `${what} (${by})` : what };
};

/**
 * What somebody who had the account may have left behind: every factor that was bound or ended since then, every new
 * password, set of recovery codes and address, by time, as lines to print. An officer asks the person about them.
 */
export async function changesToAskAbout(
  { db, devices }: { db: Queryable; devices: Pick<Devices, 'changedSince'> },
  accountId: AccountId,
  since: Date,
): Promise<readonly string[]> {
  const events = await trailOf(db, { accountId, types: TYPES, since, limit: EVERY });
  const factors = (await devices.changedSince(db, accountId, since)).flatMap((device): Change[] => {
    const { activatedAt, endedAt, reason = '' } = device;
    const name = `${KINDS[device.kind]} "${device.name}"`;
    const bound = { at: activatedAt, what: `${name} bound` };
    return endedAt === undefined ? [bound] : [bound, { at: endedAt, what: `${name} ended (${reason})` }];
  });
  const changes = [...events.toReversed().map(toldAs), ...factors]
    .filter(({ at }) => at >= since)
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  if (changes.length === 0) return [`nothing was changed since ${since.toISOString()}`];
  return [
    `changed since ${since.toISOString()}, ask the person about each:`,
    ...changes.map(({ at, what }) => `  ${at.toISOString()}  ${what}`),
    ...(factors.length === 0 ? [] : ['factors that the person does not know: sso-asn mfa reset ends all of them']),
  ];
}
