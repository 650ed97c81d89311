import { expect, it, jest } from '@jest/globals';
import { Command } from 'commander';
import { addClientsCommands } from '#src/cli/clients.js';
import type { RunWithServices } from '#src/cli/run.js';

/** A row from before names were judged. */
const old = {
  clientId: 'c-1',
  written: { client_name: 'A\u001b]0;x\u0007\nmyasn  MyASN  file\u202e\u009b2J', note: '\u202e' },
  registration: undefined,
  problems: [{ client: 'c-1', field: 'client_name', problem: '\u001b[2J' }],
  source: 'registration',
  createdAt: new Date(0),
  changedAt: new Date(0),
  disabledAt: undefined,
  leftAt: undefined,
  endedAt: undefined,
  lastUsedAt: undefined,
  secrets: [],
};

it.each([['list'], ['show', 'c-1']])('clients %s: a name does nothing to the terminal', async (...words) => {
  let told = '';
  const out = jest.spyOn(console, 'log').mockImplementation((text: unknown) => void (told += `${String(text)}\n`));
  const err = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told += String(text);
    return true;
  });
  const clients = { list: () => Promise.resolve([old]), find: () => Promise.resolve(old) };
  const run = ((work: (services: object) => Promise<number>) => work({ clients })) as unknown as RunWithServices;
  const program = new Command();
  addClientsCommands(program, run);
  await program.parseAsync(['node', 'sso-asn', 'clients', ...words]);
  out.mockRestore();
  err.mockRestore();
  expect(told).toContain('MyASN');
  expect(told.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  expect(told).not.toMatch(/^myasn/m);
});
