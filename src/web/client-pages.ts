import type { PageError } from './pages.js';

/** Pages about relying parties, for operators at the console and for their developers, in the terms of `Pages`. */
export interface ClientPages {
  /** `/helpdesk/clients`; each leads to `/helpdesk/clients/:client`. */
  'helpdesk/clients': {
    readonly clients: readonly ClientLine[];
    /** Of `?request=`: the number as it was looked up, and what was found. */
    readonly lookup?:
      | {
          readonly request: string;
          readonly found: { readonly client: ClientNamed; readonly error: ClientErrorShown } | undefined;
        }
      | undefined;
  };
  /** 404, for operators only. */
  'helpdesk/client/not-found': object;
  /** `/helpdesk/clients/:client`, with links to `/edit`, `/disable`, `/enable`, `/rotate-secret`, `/developers/add` below. */
  'helpdesk/client': {
    readonly client: ClientShown;
    readonly developers: readonly { readonly id: string; readonly name: string; readonly agency: string }[];
    /** False: it stands in CLIENTS_FILE. */
    readonly mayEdit: boolean;
    readonly mayRotate: boolean;
    readonly done?:
      'client_saved' | 'client_disabled' | 'client_enabled' | 'developer_named' | 'developer_dismissed' | undefined;
  };
  /** Asks; posts to `/helpdesk/clients/:client/` + `step`. */
  'helpdesk/client/act': {
    readonly error?: PageError | undefined;
    readonly action: 'disable' | 'enable' | 'disable_service' | 'enable_service' | 'dismiss';
    readonly step: string;
    readonly client: ClientNamed;
    /** With `dismiss`. */
    readonly developer?: string | undefined;
  };
  /** Posts `former` (`goes_on` or `ends`) to `/helpdesk/clients/:client/rotate-secret`. */
  'helpdesk/client/rotate': { readonly client: ClientNamed };
  /** The answer that holds a new secret, shown once. */
  'helpdesk/client/secret': {
    readonly client: ClientNamed;
    readonly issuer: string;
    readonly secret: string;
    /** Until when the former one goes on; none for a new client, and where it ended at once. */
    readonly formerUntil?: Date | undefined;
  };
  /** Posts `registration` to `action`. */
  'helpdesk/client/edit': {
    readonly error?: PageError | undefined;
    /** Nothing for a new one. */
    readonly client?: ClientNamed | undefined;
    readonly action: string;
    /** As typed; comes back. */
    readonly registration: string;
    /** What is wrong with it, field by field. */
    readonly problems: readonly { readonly field: string; readonly problem: string }[];
    /** Of a new one: where each template is. */
    readonly templates: readonly { readonly name: string; readonly href: string }[];
  };
  /** Posts `nip` to `/helpdesk/clients/:client/developers/add`. */
  'helpdesk/client/developer': {
    readonly error?: PageError | undefined;
    readonly client: ClientNamed;
    readonly nip?: string | undefined;
  };
  /** `/helpdesk/client-invitations`: posts `uses`, `hours`, `note` to it; each ends by a post to its id + `/end`. */
  'helpdesk/clients/invitations': {
    readonly error?: PageError | undefined;
    readonly invitations: readonly {
      readonly id: string;
      readonly note: string;
      readonly uses: number;
      readonly usesLeft: number;
      readonly expiresAt: Date;
      readonly state: 'good' | 'over' | 'ended';
    }[];
    /** Just made: told this once. */
    readonly token?: string | undefined;
    readonly typed: Readonly<Record<'uses' | 'hours' | 'note', string>>;
  };
  /** `/developer`: the services that somebody builds; give `shell.person`. */
  'developer/clients': { readonly clients: readonly Omit<ClientLine, 'source' | 'authentication'>[] };
  /** `/developer/:client`. A number of a request is looked up by `?request=`. */
  'developer/client': {
    readonly client: ClientShown;
    readonly addresses: readonly { readonly name: string; readonly address: string }[];
    /** A whole authorization request to try; none for a client that needs another kind. */
    readonly trial?: { readonly address: string; readonly verifier: string } | undefined;
    readonly lookup?: { readonly request: string; readonly found: ClientErrorShown | undefined } | undefined;
  };
}

export interface ClientNamed {
  readonly clientId: string;
  readonly name: string;
}

interface ClientLine extends ClientNamed {
  readonly source: string;
  readonly authentication: string;
  readonly state: 'in_use' | 'waiting' | 'disabled' | 'refused';
  readonly lastUsedAt: Date | undefined;
  readonly errorsLastHour: number;
}

/** Something that it was refused. `kind`: which cause and remedy are told, below `client.error`. */
export interface ClientErrorShown {
  readonly kind: string;
  readonly error: string;
  readonly detail: string;
  readonly endpoint: string;
  readonly lastAt: Date;
  readonly times: number;
  readonly requestId: string | undefined;
}

export interface ClientShown extends Omit<ClientLine, 'errorsLastHour'> {
  /** Nothing of one that is refused. */
  readonly facts: ClientFactsShown | undefined;
  /** As it was written, as text. */
  readonly json: string;
  readonly problems: readonly { readonly field: string; readonly problem: string }[];
  readonly weaknesses: readonly { readonly field: string; readonly warning: string }[];
  readonly changedAt: Date;
  readonly errors: readonly ClientErrorShown[];
  /** Names of claims, by kind of token. */
  readonly carried: readonly { readonly token: string; readonly claims: readonly string[] }[];
}

interface ClientFactsShown {
  readonly type: string;
  readonly isForPeople: boolean;
  readonly grants: readonly string[];
  readonly redirectUris: readonly string[];
  readonly startUri: string | undefined;
  readonly authentication: string;
  readonly jwksUri: string | undefined;
  readonly demands: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly claimsInIdToken: boolean;
  readonly isPairwise: boolean;
  readonly allowed: Readonly<Record<'employment' | 'agencies' | 'roles', readonly string[]>>;
  readonly acr: string | undefined;
  readonly maxAgeSeconds: number | undefined;
  readonly logoutUris: readonly string[];
  readonly backchannelUri: string | undefined;
  readonly serves: readonly string[];
  readonly resources: readonly { readonly uri: string; readonly scopes: readonly string[] }[];
}
