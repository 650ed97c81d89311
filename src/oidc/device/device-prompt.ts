import { interactionPolicy } from 'oidc-provider';

/** The prompt that asks a person whether a device may use their account (RFC 8628 section 3.3). */
export const DEVICE_PROMPT = 'device';

/** What the person's yes leaves in the interaction's result. */
export const APPROVED = { [DEVICE_PROMPT]: { approved: true } };

/**
 * Asked last, of who is signed in and may use the client: a device gets nothing before its person has seen what is asked
 * and by whom (RFC 8628 section 5.4).
 */
export const devicePrompt = (): interactionPolicy.Prompt =>
  new interactionPolicy.Prompt(
    { name: DEVICE_PROMPT },
    new interactionPolicy.Check(
      'device_unconfirmed',
      'the person has not confirmed the device',
      'access_denied',
      ({ oidc }) => {
        const answer = oidc.result?.[DEVICE_PROMPT] as { approved?: unknown } | undefined;
        return oidc.route === 'device_resume' && answer?.approved !== true;
      },
    ),
  );
