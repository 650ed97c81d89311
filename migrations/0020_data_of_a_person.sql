-- Up Migration

-- A person may see everything held about them (R-45), ended things too: each table finds them by their account.
CREATE INDEX devices_history_of_account ON devices (account_id, created_at);
CREATE INDEX recovery_code_sets_history_of_account ON recovery_code_sets (account_id, created_at);
CREATE INDEX page_sessions_of_account ON page_sessions (account_id);
CREATE INDEX role_grants_history_of_account ON role_grants (account_id, granted_at);
