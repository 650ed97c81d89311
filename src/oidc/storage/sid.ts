import { createHash } from 'node:crypto';

/** The id of a client's share in a session, in ID and logout tokens; follows from the grant, so that tabs agree. */
export const sidOf = (grantId: string): string => createHash('sha256').update(`sid|${grantId}`).digest('base64url');
