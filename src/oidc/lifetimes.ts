/** How long things live, in seconds (SECURITY.md section 8, R-12, R-16, R-17, R-26). */

/** A session ends this long after its login, whatever happens in it. */
export const SESSION_ABSOLUTE_SECONDS = 12 * 3600;
/** A session ends when no relying party came by for this long. */
export const SESSION_IDLE_SECONDS = 3600;
/** "Last seen" is written at most this often: a session idle for an hour ends up to this much early. */
export const SESSION_TOUCH_SECONDS = 60;

/** An authorization request waits this long for its person; the password proof has its own, shorter clock. */
export const INTERACTION_SECONDS = 3600;
export const CODE_SECONDS = 60;
/** Access tokens and ID tokens. */
export const TOKEN_SECONDS = 600;
/** Grants and refresh tokens, but those of registered phone applications. */
export const GRANT_SECONDS = 12 * 3600;
/** Refresh tokens of phone applications that were given `offline_access`. */
export const PHONE_GRANT_SECONDS = 30 * 24 * 3600;

/** A refresh token used again within this time is a double click or a lost answer, not a theft. */
export const REFRESH_RETRY_SECONDS = 10;

/** Longest life of a client assertion (RFC 7523). */
export const ASSERTION_SECONDS = 60;

/** Skew between our clock and a client's that is forgiven. */
export const CLOCK_TOLERANCE_SECONDS = 10;

/** Longest life of a request object (RFC 9101): a request is made when it is needed. */
export const REQUEST_OBJECT_SECONDS = 300;

/** How far the time in a DPoP proof may be from ours; who is further off is told a nonce (RFC 9449 section 8). */
export const PROOF_SECONDS = 60;
