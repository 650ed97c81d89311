import { readFileSync, writeFileSync } from 'node:fs';
import { newKey } from '#src/config/development-secrets.js';
import { loadConfig } from '#src/config/load.js';
import { SETTINGS, type Setting } from '#src/config/settings.js';

const FILE = new URL('../../docs/settings.md', import.meta.url);

const HEAD = ['name', 'default', 'required in production', 'secret', 'meaning'];
const cells = ({ name, defaultText, meaning, secret, requiredInProduction }: Setting): string[] => [
  `\`${name}\``,
  defaultText,
  requiredInProduction ? 'yes' : '',
  secret ? 'yes' : '',
  meaning,
];

/** As the formatter leaves it: columns under one another. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], filler: string): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width, filler)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head, ' '), line([], '-'), ...body.map((row) => line(row, ' '))].join('\n');
}

const page = `# Settings

All settings are read from the environment, once, at start; an empty value counts as unset. \`sso-asn check-config\`
prints every problem at once and changes nothing. Secret values are never printed or logged.

${table([HEAD, ...SETTINGS.map(cells)])}

Made from \`src/config/settings.ts\` by its test: \`UPDATE_DOCS=1 npm test -- test/config/settings-docs\`.
`;

it('docs/settings.md tells what the program reads', () => {
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, page);
  expect(readFileSync(FILE, 'utf8')).toBe(page);
});

const literal = SETTINGS.flatMap(({ name, defaultText }) => {
  const value = /^`([^`]+)`$/.exec(defaultText)?.[1];
  return value === undefined || value.endsWith('_URL') ? [] : [[name, value] as const];
});
it.each(literal)('%s is %s unless set', (name, value) => {
  const keys = { ENCRYPTION_KEYS: newKey('e'), PASSWORD_PEPPERS: newKey('p'), COOKIE_KEYS: newKey('c') };
  expect(JSON.stringify(loadConfig({ ...keys, [name]: value }))).toBe(JSON.stringify(loadConfig(keys)));
});

it('every setting is told once, in words of its own', () => {
  expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
  expect(new Set(SETTINGS.map(({ meaning }) => meaning)).size).toBe(SETTINGS.length);
  expect(SETTINGS.filter(({ meaning, defaultText }) => `${meaning}${defaultText}`.includes('|'))).toEqual([]);
});
