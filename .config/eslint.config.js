import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

const ban = (selector, message) => ({ selector, message });
const ENV = [ban("MemberExpression[object.name='process'][property.name='env']", 'Settings come from src/config.')];
const TIME = [
  ban("CallExpression[callee.object.name='Date'][callee.property.name='now']", 'Take a Clock.'),
  ban("NewExpression[callee.name='Date'][arguments.length=0]", 'Take a Clock.'),
];
const SQL = [ban("CallExpression[callee.property.name='query']", 'SQL lives in *-store.ts.')];
const CHANCE = [
  ban("CallExpression[callee.object.name='Math'][callee.property.name='random']", 'Use src/security/secrets.'),
];

export default tseslint.config(
  { ignores: ['dist/', '**/*.js', '**/*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('..', import.meta.url)) },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...ENV, ...TIME, ...SQL, ...CHANCE],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-invalid-void-type': ['error', { allowAsThisParameter: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  // Each seam is exempt from the one rule it exists to contain.
  { files: ['src/config/**'], rules: { 'no-restricted-syntax': ['error', ...TIME, ...SQL, ...CHANCE] } },
  { files: ['src/kernel/clock.ts'], rules: { 'no-restricted-syntax': ['error', ...ENV, ...SQL, ...CHANCE] } },
  {
    files: ['src/**/*-store.ts', 'src/storage/**', 'src/oidc/{storage/adapter,keys/keys}.ts'],
    rules: { 'no-restricted-syntax': ['error', ...ENV, ...TIME, ...CHANCE] },
  },
  { files: ['src/cli/**'], rules: { 'no-console': 'off' } },
  { files: ['test/**', 'bench/**'], rules: { 'no-restricted-syntax': 'off' } },
);
