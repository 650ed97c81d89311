-- Up Migration

-- The helpdesk console has page sessions of its own beside the portal's: what opens one opens nothing of the other, and
-- both end with the provider's session (one logout ends all).
ALTER TABLE page_sessions
  ADD COLUMN pages text NOT NULL DEFAULT 'portal' CHECK (pages IN ('portal', 'console'));
