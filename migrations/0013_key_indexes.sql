-- Up Migration

-- Which keys rows are sealed or peppered with, told by a step or two in these indexes: start is refused when one of
-- them is not among the settings, and a rotation knows when it is done.
CREATE INDEX devices_by_key ON devices (split_part(secret, '.', 2)) WHERE secret IS NOT NULL;
CREATE INDEX credentials_by_pepper ON credentials (split_part(password_hash, '$', 2)) WHERE password_hash LIKE '$pepper=%';
CREATE INDEX recovery_code_sets_by_pepper ON recovery_code_sets (pepper_kid) WHERE ended_at IS NULL;
