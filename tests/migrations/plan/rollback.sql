-- Rollback V8 (indexes can be dropped safely)
DROP INDEX IF EXISTS idx_instance_configs_tier_deleted;
DROP INDEX IF EXISTS idx_payment_orders_status_created;
DROP INDEX IF EXISTS idx_guest_events_instance_type_timestamp;
DROP INDEX IF EXISTS idx_branding_jobs_status_updated;
DROP INDEX IF EXISTS idx_subscriptions_status_period_end;
DROP INDEX IF EXISTS idx_instances_active;
DROP INDEX IF EXISTS idx_payment_orders_active;

-- Rollback V7 (storage tracking)
DROP TRIGGER IF EXISTS track_storage_changes ON storage_events;
DROP FUNCTION IF EXISTS update_storage_usage();
DROP TABLE IF EXISTS storage_events;
DROP TABLE IF EXISTS storage_usage;

-- Rollback V6 (subscriptions)
DROP TRIGGER IF EXISTS log_subscription_changes ON subscriptions;
DROP FUNCTION IF EXISTS log_subscription_change();
DROP TRIGGER IF EXISTS update_subscriptions_updated_at ON subscriptions;
DROP TABLE IF EXISTS subscription_history;
DROP TABLE IF EXISTS subscriptions;
DROP TYPE IF EXISTS subscription_status;

-- Rollback V5 (branding jobs)
DROP TRIGGER IF EXISTS update_branding_jobs_updated_at ON branding_jobs;
DROP TABLE IF EXISTS branding_jobs;
DROP TYPE IF EXISTS branding_status;

-- Rollback V4 (guest analytics)
DROP TABLE IF EXISTS guest_events;
DROP TABLE IF EXISTS guest_sessions;

-- Rollback V3 (bank accounts)
ALTER TABLE instances DROP COLUMN IF EXISTS bank_code;
ALTER TABLE instances DROP COLUMN IF EXISTS bank_name;
ALTER TABLE instances DROP COLUMN IF EXISTS account_number;
ALTER TABLE instances DROP COLUMN IF EXISTS account_name;
ALTER TABLE instances DROP COLUMN IF EXISTS qr_template;

-- Rollback V2 (payment orders)
DROP TRIGGER IF EXISTS update_payment_orders_updated_at ON payment_orders;
DROP TABLE IF EXISTS payment_orders;
DROP TYPE IF EXISTS payment_status;
DROP TYPE IF EXISTS payment_type;

-- Rollback V1 (instance configs)
DROP TRIGGER IF EXISTS update_instance_configs_updated_at ON instance_configs;
DROP FUNCTION IF EXISTS update_updated_at_column();
DROP TABLE IF EXISTS instance_configs;
