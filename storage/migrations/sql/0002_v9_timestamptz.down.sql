-- The values are UTC. Under a UTC session PostgreSQL knows that the bytes stay as they are and skips the
-- rewrite; AT TIME ZONE would hide that from it.
SET LOCAL timezone = 'UTC';

ALTER TABLE storage_usage
    ALTER COLUMN last_updated TYPE timestamp;

ALTER TABLE storage_events
    ALTER COLUMN created_at TYPE timestamp;

ANALYZE storage_usage;
ANALYZE storage_events;
