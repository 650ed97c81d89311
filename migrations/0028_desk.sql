-- Up Migration

-- What officers look for (docs/adr/0024): people by a word of their name within an agency and all below it, and what
-- became of the last mail to somebody.

-- A name as it is looked for: words of ASCII letters and digits in lower case, one space between them. Marks and
-- apostrophes go (Nu'man is numan), everything else that is no letter parts words. The program does the same to what is
-- typed; a test holds both together.
CREATE FUNCTION plain_name(name text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$
    SELECT left(trim(regexp_replace(
      lower(regexp_replace(normalize(name, NFKD), '[\u0300-\u036f''`\u2018\u2019\u02bc]', '', 'g') COLLATE "C"),
      '[^a-z0-9]+', ' ', 'g')), 120)
  $$;

-- One row for each word of each name. Its key is read in the order in which an agency's matches are shown, so that a
-- page costs the same whether a name is common, rare or nobody's, and however far the officer has paged. Kept by the
-- triggers below, whoever writes accounts; no foreign key, since accounts are never deleted.
CREATE TABLE account_name_words (
  agency_code  text COLLATE "C" NOT NULL,
  word         text COLLATE "C" NOT NULL,
  name_key     text COLLATE "C" NOT NULL,
  account_id   uuid NOT NULL,
  PRIMARY KEY (agency_code, word, name_key, account_id)
);

-- The different words of a plain name, one letter alone left out.
CREATE FUNCTION words_of(name_key text) RETURNS SETOF text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 3
  AS $$ SELECT DISTINCT word FROM unnest(string_to_array(name_key, ' ')) AS word WHERE length(word) > 1 $$;

CREATE FUNCTION keep_words_of_new_accounts() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_name_words (agency_code, word, name_key, account_id)
  SELECT agency_code, word, name_key, id
    FROM added CROSS JOIN LATERAL plain_name(name) AS name_key CROSS JOIN LATERAL words_of(name_key) AS word;
  RETURN NULL;
END $$;

CREATE TRIGGER account_name_words_added AFTER INSERT ON accounts
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_words_of_new_accounts();

CREATE FUNCTION keep_words_of_changed_account() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM account_name_words kept USING words_of(plain_name(OLD.name)) AS old_word
   WHERE kept.agency_code = OLD.agency_code AND kept.word = old_word
     AND kept.name_key = plain_name(OLD.name) AND kept.account_id = OLD.id;
  INSERT INTO account_name_words (agency_code, word, name_key, account_id)
  SELECT NEW.agency_code, word, name_key, NEW.id
    FROM plain_name(NEW.name) AS name_key CROSS JOIN LATERAL words_of(name_key) AS word;
  RETURN NULL;
END $$;

-- A login changes neither: it costs nothing.
CREATE TRIGGER account_name_words_changed AFTER UPDATE OF name, agency_code ON accounts
  FOR EACH ROW WHEN ((OLD.name, OLD.agency_code) IS DISTINCT FROM (NEW.name, NEW.agency_code))
  EXECUTE FUNCTION keep_words_of_changed_account();

INSERT INTO account_name_words (agency_code, word, name_key, account_id)
SELECT agency_code, word, name_key, id
  FROM accounts CROSS JOIN LATERAL plain_name(name) AS name_key CROSS JOIN LATERAL words_of(name_key) AS word;

-- "This agency and everything below it", without reading every agency.
CREATE INDEX agencies_by_ancestor ON agencies USING gin (ancestors);

-- Whose mailbox a message is for: what waits or was given up is found by it. Null for decoys and for what is no mail.
ALTER TABLE outbox ADD COLUMN account_id uuid;
CREATE INDEX outbox_of_account ON outbox (account_id) WHERE account_id IS NOT NULL;

-- The last mail to an account that a mail server took. No address and no words: only that and when.
CREATE TABLE last_mails (
  account_id  uuid PRIMARY KEY,
  queued_at   timestamptz NOT NULL,
  sent_at     timestamptz NOT NULL
) WITH (fillfactor = 85);
