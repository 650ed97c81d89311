-- Up Migration

-- People: agencies, accounts, the ways they prove their password, and what they may do. Keys are compared byte
-- by byte (COLLATE "C"): they are codes, not words.

-- A ministry, province, regency or city, or a unit below one. `ancestors` holds its own code and those of all
-- above it, so that "this agency and everything below it" is one comparison.
CREATE TABLE agencies (
  code         text COLLATE "C" PRIMARY KEY,
  name         text NOT NULL,
  parent_code  text COLLATE "C" REFERENCES agencies (code),
  ancestors    text[] COLLATE "C" NOT NULL,
  updated_at   timestamptz NOT NULL,
  CHECK (code = ANY (ancestors)),
  CHECK (parent_code IS NULL OR parent_code = ANY (ancestors))
);

-- One SSO ASN identity. The id is the `sub` of tokens: random, for life (R-14). NIP and account name share the
-- field a person types into, so no account name may read as a NIP or as any other number (R-39). Their
-- uniqueness is checked at the end of a statement, so that an import can hand a NIP from one person to another.
CREATE TABLE accounts (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  nip            text COLLATE "C" NOT NULL CHECK (nip ~ '^[0-9]{18}$'),
  account_name   text COLLATE "C",
  name           text NOT NULL,
  email          text,
  employment     text NOT NULL CHECK (employment IN ('PNS', 'PPPK', 'CPNS', 'PPPK_PARUH_WAKTU')),
  agency_code    text COLLATE "C" NOT NULL REFERENCES agencies (code),
  status         text NOT NULL CHECK (status IN ('active', 'inactive')),
  frozen_at      timestamptz,
  -- The person's id in the personnel system: survives every change of NIP.
  person_id      text COLLATE "C",
  -- Rises with every change of credentials and when the person leaves: older sessions are void (R-11).
  cred_epoch     integer NOT NULL DEFAULT 0,
  activated_at   timestamptz,
  last_login_at  timestamptz,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  CONSTRAINT accounts_nip UNIQUE (nip) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT accounts_account_name UNIQUE (account_name) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT accounts_person_id UNIQUE (person_id),
  CHECK (
    account_name ~ '^[a-z0-9._-]{3,64}$'
    AND account_name !~ '^[0-9]+$'
    AND translate(account_name, '.-', '') !~ '^[0-9]{18}$'
  )
) WITH (fillfactor = 90);

CREATE INDEX accounts_of_agency ON accounts (agency_code);

-- NIPs that an account had before, or that the personnel system says it had. They no longer log anyone in.
CREATE TABLE nip_history (
  account_id   uuid NOT NULL REFERENCES accounts (id),
  nip          text COLLATE "C" NOT NULL CHECK (nip ~ '^([0-9]{9}|[0-9]{18})$'),
  recorded_at  timestamptz NOT NULL,
  PRIMARY KEY (account_id, nip)
);

CREATE INDEX nip_history_by_nip ON nip_history (nip);

-- The password: never there before activation, unless imported. `failures` counts wrong ones in a row, and at
-- 100 the password is disabled until a reset (R-20).
CREATE TABLE credentials (
  account_id     uuid PRIMARY KEY REFERENCES accounts (id),
  password_hash  text NOT NULL,
  changed_at     timestamptz NOT NULL,
  failures       integer NOT NULL DEFAULT 0,
  disabled_at    timestamptz
) WITH (fillfactor = 80);

-- What a person may do for others. Roles of an agency reach everything below it; the others are national.
CREATE TABLE role_grants (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id   uuid NOT NULL REFERENCES accounts (id),
  role         text NOT NULL CHECK (role IN ('helpdesk', 'agency_admin', 'operator', 'auditor')),
  agency_code  text COLLATE "C" REFERENCES agencies (code),
  -- Nobody: granted or revoked by whoever operates the machine.
  granted_by   uuid REFERENCES accounts (id),
  granted_at   timestamptz NOT NULL,
  revoked_by   uuid REFERENCES accounts (id),
  revoked_at   timestamptz,
  CHECK ((role IN ('helpdesk', 'agency_admin')) = (agency_code IS NOT NULL))
);

CREATE UNIQUE INDEX role_grants_held ON role_grants (account_id, role, coalesce(agency_code, ''))
  WHERE revoked_at IS NULL;
CREATE INDEX role_grants_of_agency ON role_grants (agency_code) WHERE revoked_at IS NULL;
