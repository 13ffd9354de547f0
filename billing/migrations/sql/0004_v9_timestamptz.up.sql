-- The values are UTC. Under a UTC session PostgreSQL knows that the bytes stay as they are and skips the
-- rewrite; AT TIME ZONE would hide that from it.
SET LOCAL timezone = 'UTC';

ALTER TABLE payment_orders
    ALTER COLUMN paid_at TYPE timestamptz,
    ALTER COLUMN created_at TYPE timestamptz,
    ALTER COLUMN expires_at TYPE timestamptz,
    ALTER COLUMN updated_at TYPE timestamptz,
    ALTER COLUMN deleted_at TYPE timestamptz;

ALTER TABLE subscriptions
    ALTER COLUMN current_period_start TYPE timestamptz,
    ALTER COLUMN current_period_end TYPE timestamptz,
    ALTER COLUMN trial_end TYPE timestamptz,
    ALTER COLUMN canceled_at TYPE timestamptz,
    ALTER COLUMN created_at TYPE timestamptz,
    ALTER COLUMN updated_at TYPE timestamptz,
    ALTER COLUMN deleted_at TYPE timestamptz;

ALTER TABLE subscription_history
    ALTER COLUMN changed_at TYPE timestamptz;

ANALYZE payment_orders;
ANALYZE subscriptions;
ANALYZE subscription_history;
