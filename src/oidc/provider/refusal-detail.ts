interface Told {
  readonly error_description?: string | undefined;
  readonly error_detail?: string | undefined;
  readonly cause?: unknown;
}

/** What is wrong with a proof, in words that hold nothing of it. */
const KNOWN =
  /^(?:jwt (?:not active yet|issued in the future|expired|issuer invalid|audience missing [\w.:/-]+)|invalid (?:nbf|iat|exp|jti|iss|aud|sub) value|payload is not of JWT type \(JSON serialized object\)|signature verification failed|Invalid Compact JWS|no applicable key found in the JSON Web Key Set)$/;

const isOfTheProtocol = (cause: Error): boolean => typeof (cause as { error?: unknown }).error === 'string';

/** The one description that repeats a header. */
const ORIGIN_REFUSED = /^origin .* not allowed for client: /s;

/**
 * Why a request was refused, in fixed words: what a parser or a library says of a text repeats the text, which may be
 * about a person, and is not kept (R-42, docs/adr/0031). What is left then is what the client was told.
 */
export function refusalDetail({
  error_detail: detail,
  error_description: description,
  cause,
}: Told): string | undefined {
  const told = description?.replace(ORIGIN_REFUSED, 'origin not allowed for client: ');
  const repeats = cause instanceof Error && detail === cause.message && !isOfTheProtocol(cause) && !KNOWN.test(detail);
  return repeats ? told : (detail ?? told);
}
