/** Password and second factor. */
export const AAL2 = 'urn:asn:aal2';
/** Phishing-resistant (OpenID Connect EAP ACR Values 1.0): a passkey, with or without a password (ADR 0013). */
export const PHISHING_RESISTANT = 'phr';

/** Authentication context classes, weakest first: each satisfies those before it. */
export const ACR_LADDER = [AAL2, PHISHING_RESISTANT] as const;

const rank = (acr: string | undefined): number => ACR_LADDER.findIndex((each) => each === acr);

/** True for a class we know; a request may name others, which we ignore (OpenID Connect Core section 3.1.2.1). */
export const isKnownAcr = (acr: string): boolean => rank(acr) >= 0;

/** Whether an authentication of class `given` is good enough where `wanted` is asked for. */
export const satisfies = (given: string | undefined, wanted: string): boolean =>
  isKnownAcr(wanted) && rank(given) >= rank(wanted);
