/**
 * What makes an account usable, for every statement that joins `accounts AS a`: one rule, so that a person who left
 * or was frozen is gone everywhere at once.
 */
export const LIVE_ACCOUNT = `a.status = 'active' AND a.frozen_at IS NULL`;
