#!/usr/bin/env node
import { argv, stderr, version } from 'node:process';

const OLDEST = [22, 19] as const;
const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  stderr.write(`SSO ASN needs Node.js ${OLDEST.join('.')} or newer; this is ${version}. Try: npm start\n`);
  process.exit(1);
}

const { createProgram } = await import('./cli/program.js');
await createProgram().parseAsync(argv);
