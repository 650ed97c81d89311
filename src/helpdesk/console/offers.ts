import type { Role } from '../../accounts/role.js';
import { MAY, type DeskAction } from '../authority.js';
import type { PersonView } from '../desk/desk.js';

/** What the console offers to do, in the order in which an officer looks for it, and where. */
const OFFERS = [
  ['unlock', 'unlock'],
  ['unfreeze', 'unfreeze'],
  ['enable', 'enable'],
  ['activation_slip', 'activation-slip'],
  ['sessions_end', 'sessions-end'],
  ['mfa_reset', 'mfa-reset'],
  ['contact_change', 'contact-change'],
  ['freeze', 'freeze'],
  ['disable', 'disable'],
] as const satisfies readonly (readonly [DeskAction, string])[];

export type OfferedAction = (typeof OFFERS)[number][0];

export const OFFERED_ACTIONS: readonly OfferedAction[] = OFFERS.map(([action]) => action);

export interface Offer {
  readonly action: OfferedAction;
  /** Below the person's page. */
  readonly path: string;
}

export const PATHS = Object.fromEntries(OFFERS) as Readonly<Record<OfferedAction, string>>;

/** Whether there is anything to do; whether it may be done is judged by the act itself. */
const FITS: Readonly<Record<OfferedAction, (person: PersonView) => boolean>> = {
  unlock: ({ password, codeWaitUntil }) => password.waitUntil !== undefined || codeWaitUntil !== undefined,
  unfreeze: ({ status }) => status === 'frozen',
  enable: ({ status }) => status === 'disabled',
  activation_slip: ({ status }) => status === 'not_activated',
  sessions_end: ({ sessionCount }) => sessionCount > 0,
  mfa_reset: ({ devices, recoveryCodes }) => devices.length > 0 || recoveryCodes !== undefined,
  contact_change: ({ status }) => status === 'active' || status === 'not_activated',
  freeze: ({ status }) => status === 'active' || status === 'not_activated',
  disable: ({ status }) => status !== 'disabled' && status !== 'inactive',
};

/** What somebody with these roles may find worth doing for a person as they are. */
export const offersFor = (roles: readonly { readonly role: Role }[], person: PersonView): readonly Offer[] =>
  OFFERS.filter(([action]) => roles.some(({ role }) => MAY[action].includes(role)) && FITS[action](person)).map(
    ([action, path]) => ({ action, path }),
  );
