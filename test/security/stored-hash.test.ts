import { storedHashFault } from '#src/security/stored-hash.js';

const SALT = 'c29tZXNhbHRzb21l';
const TAG = 'wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA';
const BCRYPT = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

const known = [
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${TAG}`,
  `$argon2i$v=19$m=4096,t=3,p=1$${SALT}$${TAG}`,
  `$2a$10$${BCRYPT}`,
  `$2b$12$${BCRYPT}`,
  `$2y$04$${BCRYPT}`,
  `$pbkdf2-sha256$i=27500,l=32$${SALT}$${TAG}`,
  `$pbkdf2-sha256$i=27500$${SALT}$${TAG}`,
  `$pbkdf2-sha256$29000$${SALT}$${TAG.replace('+', '.')}`,
  `$pbkdf2-sha512$i=210000,l=32$${SALT}$${TAG}`,
];

test.each(known)('takes %s', (hash) => {
  expect(storedHashFault(hash)).toBeUndefined();
});

const unknown = [
  'Password123!',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  '{SSHA}abcdefgh',
  `$argon2d$v=19$m=19456,t=2,p=1$${SALT}$${TAG}`,
  `$argon2id$m=19456,t=2,p=1$${SALT}$${TAG}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}`,
  `$2x$10$${BCRYPT}`,
  `$2b$10$${BCRYPT.slice(1)}`,
  `$pbkdf2-md5$i=27500$${SALT}$${TAG}`,
  `$5$rounds=5000$${SALT}$${TAG}`,
  `$pepper=a$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${TAG}`,
];

test.each(unknown)('refuses %s, which is none of these', (hash) => {
  expect(storedHashFault(hash)).toBe('is no argon2, bcrypt or PBKDF2 string');
});

const unsafe = [
  `$argon2id$v=19$m=4194304,t=2,p=1$${SALT}$${TAG}`,
  `$argon2id$v=19$m=19456,t=99,p=1$${SALT}$${TAG}`,
  `$argon2id$v=19$m=19456,t=0,p=1$${SALT}$${TAG}`,
  `$argon2id$v=19$m=19456,t=2,p=9$${SALT}$${TAG}`,
  `$2b$31$${BCRYPT}`,
  `$pbkdf2-sha256$i=90000000$${SALT}$${TAG}`,
  `$pbkdf2-sha256$1$${SALT}$${TAG}`,
];

test.each(unsafe)('refuses %s for the work it asks', (hash) => {
  expect(storedHashFault(hash)).toBe('asks for more or less work than is safe');
});
