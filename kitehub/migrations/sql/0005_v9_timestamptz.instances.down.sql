-- The values are UTC. Under a UTC session PostgreSQL knows that the bytes stay as they are and skips the
-- rewrite; AT TIME ZONE would hide that from it.
SET LOCAL timezone = 'UTC';

ALTER TABLE instances
    ALTER COLUMN trial_started_at TYPE timestamp,
    ALTER COLUMN trial_expires_at TYPE timestamp,
    ALTER COLUMN subscription_expires_at TYPE timestamp,
    ALTER COLUMN created_at TYPE timestamp,
    ALTER COLUMN updated_at TYPE timestamp,
    ALTER COLUMN deleted_at TYPE timestamp;

ANALYZE instances;
