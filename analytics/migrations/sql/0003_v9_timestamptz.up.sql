-- The values are UTC. Under a UTC session PostgreSQL knows that the bytes stay as they are and skips the
-- rewrite; AT TIME ZONE would hide that from it.
SET LOCAL timezone = 'UTC';

ALTER TABLE guest_sessions
    ALTER COLUMN created_at TYPE timestamptz,
    ALTER COLUMN expires_at TYPE timestamptz;

ALTER TABLE guest_events
    ALTER COLUMN timestamp TYPE timestamptz;

ANALYZE guest_sessions;
ANALYZE guest_events;
