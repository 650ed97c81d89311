/** `full`: the file is everybody, and who is not in it has left. `delta`: only the people in it are touched. */
export const FEED_MODES = ['full', 'delta'] as const;
export type FeedMode = (typeof FEED_MODES)[number];

/** How many people went from one agency to another. */
export interface AgencyFlow {
  readonly from: string;
  readonly to: string;
  readonly people: number;
}

/** What a file changes, or in a dry run would: counts, lines and codes, and nothing that names a person. */
export interface FeedReport {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Rows with a problem. */
  readonly skipped: number;
  /** Became inactive: `missing` of them because a full file does not name them. */
  readonly left: number;
  readonly missing: number;
  /** Not in a full file, and yet kept: `nameless` of its rows could not be read, and may be theirs. */
  readonly kept: number;
  readonly nameless: number;
  /** Not in a full file of a bound feed, and yet kept: they hold a role. */
  readonly officers: number;
  /** Were inactive before. */
  readonly returned: number;
  /** Changed agency. */
  readonly moved: number;
  /** Got another NIP. */
  readonly renumbered: number;
  readonly emailChanged: number;
  /** Are another person's from then on: without password, factors and roles. */
  readonly startedOver: number;
  readonly flows: readonly AgencyFlow[];
  /** Loaded, but a look may be worth it: the first lines whose NIP tells an age below 16 or above 75. */
  readonly unlikelyAges: readonly number[];
  /** Columns that nobody here knows: passed over. */
  readonly unknownColumns: readonly string[];
}

/** Why a file was refused as a whole, before anything was changed. */
export type FeedRefusal =
  | {
      readonly cause: 'too_many_inactive';
      /** How many would become inactive, of how many active accounts, and how many may without being named. */
      readonly inactive: number;
      /** Who did in the last day, and was counted. */
      readonly before: number;
      readonly active: number;
      readonly allowed: number;
    }
  | {
      readonly cause: 'agency_emptied';
      readonly agencyCode: string;
      readonly inactive: number;
      readonly before: number;
      readonly active: number;
      /** How many of all agencies would become inactive: the number to agree to. */
      readonly allInactive: number;
    }
  | {
      /** Would change agency; or, in use, get another address or another person. */
      readonly cause: 'too_many_moved' | 'too_many_readdressed';
      readonly people: number;
      readonly before: number;
      readonly active: number;
      readonly allowed: number;
    }
  /** Files must be signed here. */
  | { readonly cause: 'unsigned' }
  /** The signature is not one of a known key over such a file. */
  | { readonly cause: 'bad_signature' }
  /** It was signed for the other mode. */
  | { readonly cause: 'other_mode' }
  /** It was signed for other bytes. */
  | { readonly cause: 'other_file' }
  /** A file that was made later has been taken in. */
  | { readonly cause: 'not_newer' };

export type FeedOutcome =
  | { readonly kind: 'done'; readonly report: FeedReport }
  | {
      readonly kind: 'refused';
      readonly refusal: FeedRefusal;
      /** What the file would have changed, where that was found out. */
      readonly report?: FeedReport;
    }
  /** The file cannot be read, or its header is wrong; nothing was changed. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** Another import runs at this moment. */
  | { readonly kind: 'busy' };
