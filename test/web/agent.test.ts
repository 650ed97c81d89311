import { agentOf } from '#src/web/agent.js';

const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0';

describe('what a browser calls itself', () => {
  it.each([
    [`Mozilla/5.0 (Linux; Android 10; K) ${chrome} Mobile Safari/537.36`, 'Chrome', 'Android'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0', 'Firefox', 'Windows'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1',
      'Safari',
      'iOS',
    ],
  ])('%s', (header, browser, system) => {
    expect(agentOf(header)).toEqual({ browser, system });
  });

  // Names that are kept are of a list: what a stranger writes into the header never reaches the audit trail.
  it.each(['', '199001012023211001/1.0 (x)', 'budi@contoh.example/2 (Budi)', '<script>/1.0 (x)', 'x'.repeat(5000)])(
    'nothing is kept of %j',
    (header) => {
      expect(agentOf(header)).toEqual({ browser: '', system: '' });
    },
  );
});
