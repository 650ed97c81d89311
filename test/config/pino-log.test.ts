import { execFileSync } from 'node:child_process';

const hooks = new URL('../support/typescript-hooks.js', import.meta.url).href;
const module = new URL('../../src/config/pino-log.ts', import.meta.url).href;

/** What a process of its own writes: the log belongs to stdout. */
function written(level: string, call: string): string {
  const script = `const { pinoLog } = await import(process.argv[1]); const log = pinoLog('${level}'); ${call}`;
  const args = ['--no-warnings', '--import', hooks, '--input-type=module', '--eval', script, module];
  return execFileSync(process.execPath, args, { encoding: 'utf8' });
}

it('writes one JSON object a line, with time, level and msg (CONTRACT, Operations)', () => {
  const lines = written('info', "log.info('request', { request_id: 'r1', status: 200 }); log.error('oh')")
    .trim()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      msg: 'request',
      request_id: 'r1',
      status: 200,
    },
    expect.objectContaining({ level: 'error', msg: 'oh' }),
  ]);
});

it('stays one line whatever the fields hold (R-42, A34)', () => {
  const evil = '\\r\\n{"level":"info","msg":"forged"}\\u001b[2J\\u0000';
  const text = written('info', `log.info('x', { name: '${evil}' })`);
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
  expect(JSON.parse(text)).toMatchObject({ msg: 'x', level: 'info' });
});

it('leaves out what is below its level', () => {
  const calls = "log.debug('a'); log.info('b'); log.warn('c'); log.error('d')";
  const messages = (level: string): string[] =>
    written(level, calls)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(messages('warn')).toEqual(['c', 'd']);
});
