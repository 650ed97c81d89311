import { Refusal, type RefusalCode } from '#src/kernel/refusal.js';

/** CONTRACT, "Answers". */
const STATUSES: Readonly<Record<RefusalCode, number>> = {
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

it.each(Object.entries(STATUSES))('%s is answered with %i', (code, status) => {
  expect(new Refusal(code as RefusalCode)).toMatchObject({ code, status, details: {} });
});

it('may have a status of its own, and says no more than its code', () => {
  const refusal = new Refusal('invalid_input', { status: 413, field: 'otp', reason: 'for the log' });
  expect(refusal).toMatchObject({ status: 413, message: 'invalid_input', details: { field: 'otp' } });
});
