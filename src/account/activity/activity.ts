import type { ToldOfficer } from '../../accounts/acting-officer.js';
import { trailOf, type TrailEvent, type TrailPlace } from '../../audit/trail.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import { selectDevices, selectOfficers, selectReasons, type CalledDevice } from './activity-store.js';
import { tell, TOLD_TYPES, type NamedDevice, type Story } from './tellings.js';

const DAYS = 90;
/** What a page reads at most... */
const MAX_ROWS = 100;
/** ...and shows at most: with everything it loads it stays below 30 kB. */
const MAX_LINES = 25;
/** Refusals in a row, and looks of one officer, are one line while no more than this lies between two of them. */
const FOLD_SECONDS = 3600;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface ActivityLine extends Story {
  readonly at: Date;
  /** Of several in a row: how many, and when the first was. */
  readonly count: number;
  readonly firstAt: Date;
  /** What kind of browser; empty where it is not known. */
  readonly browser: string;
  readonly system: string;
  /** Who did it, when that was not the person. */
  readonly officer: ToldOfficer | undefined;
  /** As the officer wrote it. */
  readonly reason: string | undefined;
}

export interface ActivityPage {
  /** Newest first. */
  readonly lines: readonly ActivityLine[];
  /** Where the next page begins; undefined on the last. */
  readonly next: TrailPlace | undefined;
}

/** What a service is called; implemented over the client registry. */
export interface ServiceNames {
  nameOf(clientId: string): string | undefined;
}

/** What happened to an account within the last 90 days, as its owner is told. */
export interface Activity {
  page(accountId: AccountId, before?: TrailPlace): Promise<ActivityPage>;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const idsIn = (values: readonly unknown[]): string[] => [
  ...new Set(values.map(text).filter((value) => UUID.test(value))),
];

/** Whether a refusal, or a look, is one more of those that the line tells already. */
function isOneMore(line: ActivityLine, older: ActivityLine): boolean {
  const same = (key: 'event' | 'browser' | 'system'): boolean => line[key] === older[key];
  const gapMs = line.firstAt.getTime() - older.at.getTime();
  return (
    (line.refused === true || line.repeats === true) &&
    same('event') &&
    same('browser') &&
    same('system') &&
    (line.repeats === true || (line.officer === undefined && older.officer === undefined)) &&
    JSON.stringify(line.officer) === JSON.stringify(older.officer) &&
    JSON.stringify(line.values) === JSON.stringify(older.values) &&
    gapMs <= FOLD_SECONDS * 1000
  );
}

const isLater = (one: TrailPlace, other: TrailPlace): boolean =>
  one.at > other.at || (one.at.getTime() === other.at.getTime() && BigInt(one.id) > BigInt(other.id));

/** An authenticator as it was called at the time of an event; nameless where it was called otherwise. */
function deviceAt(event: TrailPlace, device: CalledDevice | undefined): NamedDevice | undefined {
  if (device === undefined) return undefined;
  const { kind, name, namedAt } = device;
  return { kind, name: namedAt !== undefined && isLater(namedAt, event) ? undefined : name };
}

export function createActivity(parts: { db: Database; services: ServiceNames; clock: Clock }): Activity {
  const { db, services, clock } = parts;

  /** Names for the ids in these events: one statement of each kind, and none where nothing is named. */
  async function namesFor(accountId: AccountId, events: readonly TrailEvent[], since: Date) {
    const devices = idsIn(events.map(({ detail }) => detail.device));
    const acts = idsIn(events.map(({ detail }) => detail.reset ?? detail.act));
    const byOthers = events.filter(({ actorId }) => actorId !== undefined && actorId !== accountId);
    return {
      devices:
        devices.length === 0
          ? new Map<string, CalledDevice>()
          : await selectDevices(db, accountId, { ids: devices, since }),
      reasons: acts.length === 0 ? new Map<string, string>() : await selectReasons(db, accountId, acts),
      officers: byOthers.length === 0 ? new Map<string, ToldOfficer>() : await selectOfficers(db, byOthers),
    };
  }

  return {
    async page(accountId, before) {
      const since = secondsAfter(clock.now(), -DAYS * 24 * 3600);
      const query = { accountId, types: TOLD_TYPES, since, before, limit: MAX_ROWS + 1 };
      const events = await trailOf(db, query);
      const { devices, reasons, officers } = await namesFor(accountId, events, since);

      const lines: ActivityLine[] = [];
      let last: TrailPlace | undefined;
      for (const event of events.slice(0, MAX_ROWS)) {
        const { detail, clientId, at } = event;
        const officer = officers.get(event.id);
        const story = tell(event, {
          service: clientId === undefined ? undefined : services.nameOf(clientId),
          device: deviceAt(event, devices.get(text(detail.device))),
          hasActor: officer !== undefined,
        });
        const line = story && {
          ...story,
          at,
          firstAt: at,
          count: 1,
          browser: text(detail.browser),
          system: text(detail.system),
          officer,
          reason: reasons.get(text(detail.reset ?? detail.act)),
        };
        const newest = lines.at(-1);
        if (line !== undefined && newest !== undefined && isOneMore(newest, line)) {
          lines[lines.length - 1] = { ...newest, count: newest.count + 1, firstAt: line.firstAt };
        } else if (line !== undefined) {
          if (lines.length === MAX_LINES) return { lines, next: last };
          lines.push(line);
        }
        last = { at, id: event.id };
      }
      return { lines, next: events.length > MAX_ROWS ? last : undefined };
    },
  };
}
