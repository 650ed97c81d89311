import { createMetrics } from '#src/metrics/metrics.js';

test('counts what happened, under names with units', async () => {
  const metrics = createMetrics();
  metrics.httpRequest({ method: 'POST', route: '/sign-in/:uid/otp', status: 422, seconds: 0.03 });
  metrics.login('accepted');
  metrics.login('invalid_credentials');
  metrics.login('invalid_credentials');
  metrics.otp('clock_drift');
  metrics.reset('code_mailed');
  metrics.mail('reset-code', 'delivered');
  metrics.outbox('mail', 'expired');
  metrics.throttled('mail-hour');
  metrics.databaseStatement();
  metrics.purged('mailed_codes', 7);
  const { contentType, body } = await metrics.render();
  expect(contentType).toContain('text/plain');
  for (const line of [
    'http_request_duration_seconds_count{method="POST",route="/sign-in/:uid/otp",status="422"} 1',
    'http_request_duration_seconds_bucket{le="0.05",method="POST",route="/sign-in/:uid/otp",status="422"} 1',
    'sso_logins_total{outcome="accepted"} 1',
    'sso_logins_total{outcome="invalid_credentials"} 2',
    'sso_otps_total{outcome="clock_drift"} 1',
    'sso_resets_total{outcome="code_mailed"} 1',
    'sso_mails_total{mail="reset-code",outcome="delivered"} 1',
    'sso_outbox_attempts_total{kind="mail",outcome="expired"} 1',
    'sso_throttled_total{limit="mail-hour"} 1',
    'sso_database_statements_total 1',
    'sso_purged_rows_total{table="mailed_codes"} 7',
  ]) {
    expect(body).toContain(`${line}\n`);
  }
  expect(body).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(body).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
});

test('reads the numbers of others when asked, and leaves out those that cannot be read', async () => {
  const metrics = createMetrics();
  let waiting = 3;
  let kinds = new Map([['mail', 2]]);
  metrics.observe({ name: 'sso_hash_queue_depth', help: 'x', read: () => waiting });
  metrics.observe({ name: 'sso_outbox_messages', help: 'x', label: 'kind', read: () => Promise.resolve(kinds) });
  metrics.observe({ name: 'sso_away', help: 'x', read: () => Promise.reject(new Error('away')) });
  expect((await metrics.render()).body).toMatch(/^sso_hash_queue_depth 3$/m);
  waiting = 0;
  kinds = new Map([['nothing', 5]]);
  const { body } = await metrics.render();
  expect(body).toMatch(/^sso_hash_queue_depth 0$/m);
  expect(body).toMatch(/^sso_outbox_messages\{kind="nothing"\} 5$/m);
  expect(body).not.toContain('kind="mail"');
  expect(body).not.toMatch(/^sso_away /m);
});

test('two programs in one process count apart', async () => {
  const one = createMetrics();
  const other = createMetrics();
  one.login('accepted');
  expect((await other.render()).body).not.toContain('sso_logins_total{');
});
