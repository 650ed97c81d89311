import type { Missing } from '../../clients/entitlement.js';
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { accountId } from '../../kernel/ids.js';
import { AAL2, isKnownAcr, PHISHING_RESISTANT, satisfies } from '../../clients/authentication-class.js';
import type { ClientRegistration } from '../../clients/client-schema.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { devicePrompt } from '../device/device-prompt.js';
import type { Accounts, LiveAccount } from './person-account.js';

const { base, Check, Prompt } = interactionPolicy;

/** The strongest authentication that the sign-in pages can give, to whoever has a passkey. */
const OBTAINABLE = PHISHING_RESISTANT;

/** The person is known and may not use this client: a page of ours says so, not an OAuth error at the client. */
export class NoAccess extends errors.AccessDenied {
  override allow_redirect = false;
  readonly clientId: string;
  readonly missing: readonly Missing[];

  constructor(clientId: string, missing: readonly Missing[]) {
    super('the person may not use this service');
    this.clientId = clientId;
    this.missing = missing;
  }
}

interface PolicyParts {
  readonly registry: ClientRegistry;
  readonly accounts: Accounts;
}

/**
 * When a person is asked to sign in, and for what. The reasons reach the sign-in pages: `factor_age` and
 * `phishing_resistant` ask for a second factor only, the latter for a passkey; any other for everything. Sessions that are over their limits, or whose
 * account or credentials changed, are not found at all (session-store.ts).
 */
export function signInPolicy(parts: PolicyParts): interactionPolicy.DefaultPolicy {
  const policy = base();
  const login = policy.get('login');
  if (login === undefined) throw new Error('the provider has no login prompt');
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  for (const check of loginChecks(parts)) login.checks.add(check);

  // Clients are first party: the registration is the consent. `prompt=consent` is understood and asks for nothing.
  policy.remove('consent');
  const consent = new Prompt({ name: 'consent', requestable: true });
  consent.checks.remove('consent_prompt');
  policy.add(consent);

  // Whoever is to choose an account signs in: there is one in a browser, and somebody else needs a password anyway.
  const selectAccount = new Prompt({ name: 'select_account', requestable: true });
  selectAccount.checks.remove('select_account_prompt');
  policy.add(selectAccount);

  policy.add(new Prompt({ name: 'entitlement' }, entitlementCheck(parts)));
  policy.add(devicePrompt());
  return policy;
}

function loginChecks({ registry }: PolicyParts): interactionPolicy.Check[] {
  const extensionOf = (ctx: KoaContextWithOIDC): ClientRegistration['x'] | undefined =>
    registry.registration(ctx.oidc.client?.clientId ?? '')?.x;
  const loginOf = (ctx: KoaContextWithOIDC) => ctx.oidc.result?.login;
  const unmetOf = (ctx: KoaContextWithOIDC): readonly (readonly string[])[] =>
    wantedClasses(ctx, extensionOf(ctx)).filter(
      (wanted) => !wanted.some((acr) => satisfies(ctx.oidc.session?.acr, acr)),
    );
  const needsPasskey = (wanted: readonly string[]): boolean => !wanted.some((acr) => satisfies(AAL2, acr));

  return [
    new Check(
      'account_unavailable',
      'the account is not available',
      'login_required',
      ({ oidc }) => oidc.session?.accountId !== undefined && oidc.account === undefined,
    ),
    new Check(
      'select_account',
      'the person is to choose an account',
      'account_selection_required',
      (ctx) => ctx.oidc.prompts.has('select_account') && loginOf(ctx) === undefined,
    ),
    // The password was changed between its proof and the end of this sign-in.
    new Check('cred_epoch', 'the credentials have changed', 'login_required', (ctx) => {
      const login = loginOf(ctx);
      const account = ctx.oidc.account as LiveAccount | undefined;
      return login !== undefined && account !== undefined && login.credEpoch !== account.credEpoch;
    }),
    new Check('factor_age', 'a fresh second factor is required', 'login_required', (ctx) => {
      const { session } = ctx.oidc;
      const maxAge = extensionOf(ctx)?.max_age_seconds;
      if (maxAge === undefined || session?.accountId === undefined || loginOf(ctx) !== undefined) return false;
      return session.past(maxAge);
    }),
    new Check('acr', 'stronger authentication is required', 'unmet_authentication_requirements', (ctx) => {
      const unmet = unmetOf(ctx);
      if (unmet.length === 0) return false;
      // Signing in again would not help: say so instead of asking for ever.
      if (loginOf(ctx) !== undefined || unmet.some((wanted) => !wanted.some((acr) => satisfies(OBTAINABLE, acr)))) {
        throw new errors.UnmetAuthenticationRequirements('the requested authentication cannot be obtained');
      }
      return ctx.oidc.session?.accountId !== undefined && !unmet.every(needsPasskey);
    }),
    // A reason of its own, also where nobody is signed in: the pages then ask for nothing that would not do.
    new Check('phishing_resistant', 'a passkey is required', 'unmet_authentication_requirements', (ctx) =>
      unmetOf(ctx).some(needsPasskey),
    ),
  ];
}

interface AcrRequest {
  readonly essential?: unknown;
  readonly value?: unknown;
  readonly values?: unknown;
}

/** What is asked of the authentication: for each entry, one of its classes must be reached. */
function wantedClasses(
  ctx: KoaContextWithOIDC,
  x: ClientRegistration['x'] | undefined,
): readonly (readonly string[])[] {
  const wanted: (readonly string[])[] = [];
  if (x?.acr !== undefined) wanted.push([x.acr]);

  const { acr_values: acrValues, claims } = ctx.oidc.params as { acr_values?: string; claims?: string };
  if (acrValues !== undefined) {
    // Voluntary: classes that we do not know are passed over (OpenID Connect Core section 3.1.2.1).
    const known = acrValues.split(' ').filter(isKnownAcr);
    if (known.length > 0) wanted.push(known);
  }
  const requested = requestedAcr(claims);
  if (requested?.essential === true) {
    const values: unknown = requested.values ?? (requested.value === undefined ? undefined : [requested.value]);
    if (values !== undefined && !(Array.isArray(values) && values.every((value) => typeof value === 'string'))) {
      throw new errors.InvalidRequest('invalid claims.id_token.acr');
    }
    if (values !== undefined) wanted.push(values);
  }
  return wanted;
}

/**
 * What the `claims` parameter asks of `acr` (section 5.5.1.1), as it was sent: in the provider's reading of it `acr_values`
 * and the registration's `default_acr_values` have taken its place. It was judged before.
 */
function requestedAcr(claims: string | undefined): AcrRequest | undefined {
  if (claims === undefined) return undefined;
  const { id_token: idToken } = JSON.parse(claims) as { id_token?: { acr?: AcrRequest | null } };
  return idToken?.acr ?? undefined;
}

function entitlementCheck({ accounts }: PolicyParts): interactionPolicy.Check {
  return new Check('no_access', 'the person may not use this client', 'access_denied', async ({ oidc }) => {
    const clientId = oidc.client?.clientId ?? '';
    const missing = await accounts.missing(accountId(oidc.account?.accountId ?? ''), clientId);
    if (missing.length === 0) return false;
    if (oidc.prompts.has('none')) throw new errors.AccessDenied('the person may not use this client');
    throw new NoAccess(clientId, missing);
  });
}
