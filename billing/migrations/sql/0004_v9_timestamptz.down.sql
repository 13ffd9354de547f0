-- The values are UTC. Under a UTC session PostgreSQL knows that the bytes stay as they are and skips the
-- rewrite; AT TIME ZONE would hide that from it.
SET LOCAL timezone = 'UTC';

ALTER TABLE payment_orders
    ALTER COLUMN paid_at TYPE timestamp,
    ALTER COLUMN created_at TYPE timestamp,
    ALTER COLUMN expires_at TYPE timestamp,
    ALTER COLUMN updated_at TYPE timestamp,
    ALTER COLUMN deleted_at TYPE timestamp;

ALTER TABLE subscriptions
    ALTER COLUMN current_period_start TYPE timestamp,
    ALTER COLUMN current_period_end TYPE timestamp,
    ALTER COLUMN trial_end TYPE timestamp,
    ALTER COLUMN canceled_at TYPE timestamp,
    ALTER COLUMN created_at TYPE timestamp,
    ALTER COLUMN updated_at TYPE timestamp,
    ALTER COLUMN deleted_at TYPE timestamp;

ALTER TABLE subscription_history
    ALTER COLUMN changed_at TYPE timestamp;

ANALYZE payment_orders;
ANALYZE subscriptions;
ANALYZE subscription_history;
