import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { Missing } from '../../clients/entitlement.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { accountId } from '../../kernel/ids.js';
import { devicePages, type DeviceProblem } from '../device/device-pages.js';
import type { ResponseForm } from './form-post.js';
import { NoAccess } from '../login/policy.js';
import { requestId, requestScope } from '../request-scope.js';
import type { Subjects } from '../tokens/subjects.js';

/** A service, as pages link back to it. */
export interface BackLink {
  readonly service: string;
  readonly href: string;
}

/** The provider's pages, rendered by whoever knows the templates. */
export interface ProviderPages {
  /** An error that cannot be told to a relying party. Codes of OAuth, and the request id for whoever asks for help. */
  error(
    ctx: KoaContextWithOIDC,
    error: {
      status: number;
      error: string;
      description: string | undefined;
      requestId: string | undefined;
      /** What the person wanted, or what stands in the way; a login unless given. */
      about: 'sign_out' | 'switched_off' | undefined;
      /** The name of the one that is switched off. */
      service: string | undefined;
      back: BackLink | undefined;
    },
  ): void | Promise<void>;
  /** 403: this person may not use this service. */
  noAccess(
    ctx: KoaContextWithOIDC,
    page: { service: string; missing: readonly Missing[]; back: BackLink | undefined },
  ): void | Promise<void>;
  /** Posts `xsrf` and `logout=yes` to `action`. */
  signOutConfirm(
    ctx: KoaContextWithOIDC,
    page: { action: string; xsrf: string; service: string | undefined; stayHref: string | undefined },
  ): void | Promise<void>;
  signedOut(ctx: KoaContextWithOIDC, page: { back: BackLink | undefined }): void | Promise<void>;
  /** Posts the answer of a login on to a service, at the press of its button or by itself. */
  formPost(
    ctx: KoaContextWithOIDC,
    page: { status: number; service: string | undefined; form: ResponseForm },
  ): void | Promise<void>;
  /** A device's question cannot be answered any more. */
  deviceOver(ctx: KoaContextWithOIDC, page: { cause: DeviceProblem }): void | Promise<void>;
}

type RenderedPages = Required<Pick<Configuration, 'renderError'>> & {
  readonly device: ReturnType<typeof devicePages>;
  logoutSource(ctx: KoaContextWithOIDC, form: string): Promise<void>;
  postLogoutSuccessSource(ctx: KoaContextWithOIDC): Promise<void>;
};

/** Fits the pages into the provider's callbacks. */
export function providerPages(
  pages: ProviderPages,
  parts: { registry: ClientRegistry; subjects: Subjects; signOutPath: string },
): RenderedPages {
  const { registry } = parts;
  const backTo = (clientId: string | undefined): BackLink | undefined => {
    const party = registry.find(clientId ?? '');
    return party?.href === undefined ? undefined : { service: party.name, href: party.href };
  };

  const renderError: NonNullable<Configuration['renderError']> = async (ctx, out, error) => {
    if (error instanceof NoAccess) {
      ctx.status = 403;
      const service = registry.find(error.clientId)?.name ?? '';
      await pages.noAccess(ctx, { service, missing: error.missing, back: backTo(error.clientId) });
      return;
    }
    const off = out.error === 'invalid_client' ? requestScope().switchedOff : undefined;
    const isSignOut = (ctx.oidc.route as string | undefined)?.startsWith('end_session') === true;
    await pages.error(ctx, {
      about: isSignOut ? 'sign_out' : off && 'switched_off',
      service: off?.name,
      // An expired login is the person's everyday case, not a malformed request.
      status: error instanceof errors.SessionNotFound ? 410 : ctx.status,
      error: out.error,
      description: out.error_description,
      requestId: requestId(),
      back: isSignOut ? undefined : backTo(ctx.oidc.client?.clientId),
    });
  };

  /** The hint is of somebody else's login: whoever holds it is not to lead the person anywhere. */
  const isAboutSomebodyElse = ({ oidc }: KoaContextWithOIDC): boolean => {
    const hint = oidc.entities.IdTokenHint as { payload?: { sub?: unknown } } | undefined;
    const { accountId: account } = oidc.session ?? {};
    if (hint === undefined || account === undefined) return false;
    return hint.payload?.sub !== parts.subjects.at(oidc.client?.clientId ?? '', accountId(account));
  };
  const forgetTheWayBack = ({ oidc }: KoaContextWithOIDC): void => {
    Object.assign(oidc.session?.state ?? {}, { postLogoutRedirectUri: undefined, state: undefined });
  };

  return {
    renderError,
    device: devicePages(pages, renderError),

    async logoutSource(ctx) {
      const { session, client } = ctx.oidc;
      if (isAboutSomebodyElse(ctx)) forgetTheWayBack(ctx);
      const { secret } = session?.state as { secret: string };
      const party = registry.find(client?.clientId ?? '');
      // The form ends at the relying party: browsers hold `form-action` against the whole chain.
      (ctx.state as { formOrigins?: string[] }).formOrigins?.push(...(party?.formOrigins ?? []));
      await pages.signOutConfirm(ctx, {
        action: `${parts.signOutPath}/confirm`,
        xsrf: secret,
        service: party?.name,
        stayHref: party?.href,
      });
    },

    async postLogoutSuccessSource(ctx) {
      await pages.signedOut(ctx, { back: backTo(ctx.oidc.client?.clientId) });
    },
  };
}
