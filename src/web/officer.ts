import type { AccountId } from '../kernel/ids.js';
import type { PageContext } from './request.js';
import type { ShownOfficer } from './pages.js';
import type { People, Person } from './person.js';

/** Somebody on the console who holds a role at this moment. */
export interface Officer extends ShownOfficer {
  readonly id: AccountId;
  readonly roles: readonly OfficersRole[];
  /** As in {@link Person}. */
  readonly sessionUid: string;
}

/** A role held at this moment. What it reaches is judged by whoever acts (src/helpdesk). */
export interface OfficersRole {
  readonly role: 'helpdesk' | 'agency_admin' | 'operator' | 'auditor';
  readonly agency: { readonly code: string; readonly name: string } | undefined;
}

/** Who is logged in on the console; implemented over its page sessions and the roles in the database. */
export interface Officers extends People {
  /** The console answers on one origin only. */
  isServedAt(ctx: PageContext): boolean;
  /** Lets in who holds a role at this moment (A47). Anybody else is answered and recorded, and it is undefined. */
  admit(ctx: PageContext, person: Person): Promise<Officer | undefined>;
}
