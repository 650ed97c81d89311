/** Codes that pages, the API and scripts rely on; the list of docs/CONTRACT. */
export type RefusalCode =
  | 'invalid_credentials'
  | 'invalid_input'
  | 'otp_invalid'
  | 'otp_reused'
  | 'otp_required'
  | 'passkey_invalid'
  | 'passkey_required'
  | 'clock_drift'
  | 'throttled'
  | 'busy'
  | 'unavailable'
  | 'captcha_wrong'
  | 'code_invalid'
  | 'password_policy'
  | 'confirmation_mismatch'
  | 'flow_expired'
  | 'csrf_mismatch'
  | 'no_access'
  | 'forbidden'
  | 'not_found'
  | 'unknown_host';

const STATUS: Record<RefusalCode, number> = {
  invalid_credentials: 422,
  invalid_input: 400,
  otp_invalid: 422,
  otp_reused: 422,
  otp_required: 422,
  passkey_invalid: 422,
  passkey_required: 422,
  clock_drift: 422,
  throttled: 429,
  busy: 503,
  unavailable: 503,
  captcha_wrong: 422,
  code_invalid: 422,
  password_policy: 422,
  confirmation_mismatch: 422,
  flow_expired: 410,
  csrf_mismatch: 403,
  no_access: 403,
  forbidden: 403,
  not_found: 404,
  unknown_host: 421,
};

export interface RefusalDetails {
  /** Overrides the usual status of the code, e.g. 413 for an oversize body. */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  readonly field?: string;
  /** With `flow_expired`: what has gone, where it is not a sign-in and begins elsewhere. */
  readonly passage?: 'mfa_reset';
  /** For the log only: never shown, never personal. */
  readonly reason?: string;
}

/** A refusal that ends the request: the error boundary turns it into a page or a problem document. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly details: RefusalDetails;

  constructor(code: RefusalCode, details: RefusalDetails = {}) {
    super(code);
    this.name = 'Refusal';
    this.code = code;
    this.status = details.status ?? STATUS[code];
    this.details = details;
  }
}
