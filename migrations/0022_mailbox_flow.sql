-- Up Migration

-- What the mailed code of an attempt belongs to. A login begun again in the same browser takes over the code that was
-- mailed minutes ago, with its wrong tries, and no further mail is spent (SECURITY.md R-08, R-23).
ALTER TABLE sign_in_attempts ADD COLUMN mailbox_flow text;
-- What wrong second factors of its person are counted under, so that reading an attempt tells how long codes wait.
ALTER TABLE sign_in_attempts ADD COLUMN guesses_key bytea;
