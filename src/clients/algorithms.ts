// What clients and this program may sign and encrypt with. Never `none`, never a shared secret, never RSA1_5.

/** Client assertions (RFC 7523). */
export const ASSERTION_ALGS = ['ES256', 'PS256'] as const;

/** ID tokens, logout tokens and JWT authorization responses: what the program has keys for. */
export const SIGNED_RESPONSE_ALGS = ['ES256', 'RS256'] as const;

/** Request objects (RFC 9101). RS256 only for a client that registered it. */
export const REQUEST_OBJECT_ALGS = ['ES256', 'PS256', 'RS256'] as const;

/** Key management of encrypted ID tokens (RFC 7518 section 4), to a public key of the client. */
export const ENCRYPTION_ALGS = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'] as const;

/** Content encryption (RFC 7518 section 5). A128CBC-HS256 is what OpenID Connect Registration takes when none is named. */
export const CONTENT_ENCRYPTIONS = ['A256GCM', 'A128CBC-HS256'] as const;

/** Proofs of possession (RFC 9449). */
export const DPOP_ALGS = ['ES256', 'Ed25519', 'EdDSA'] as const;
