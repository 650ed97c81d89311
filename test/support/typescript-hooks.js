/**
 * `node --import ./test/support/typescript-hooks.js file.ts` runs our sources as they are, in a child process of a test
 * and in Jest's global setup. Node strips the types; this finds `x.ts` where the source says `x.js`, as TypeScript does.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const SOURCES = new URL('../../src/', import.meta.url);

function addressOf(specifier, parentURL) {
  if (specifier.startsWith('#src/')) return new URL(specifier.slice('#src/'.length), SOURCES);
  if (specifier.startsWith('.') && parentURL?.startsWith('file:')) return new URL(specifier, parentURL);
  return undefined;
}

registerHooks({
  resolve(specifier, context, next) {
    const url = addressOf(specifier, context.parentURL)?.href.replace(/\.js$/, '.ts');
    if (url?.endsWith('.ts') && existsSync(fileURLToPath(url))) return { url, shortCircuit: true };
    return next(specifier);
  },
});
