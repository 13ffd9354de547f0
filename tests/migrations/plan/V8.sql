-- ============================================================================
-- V8: Performance Indexes
-- ============================================================================

-- Composite indexes for common queries

-- Instance configs: frequently joined with other tables
CREATE INDEX IF NOT EXISTS idx_instance_configs_tier_deleted
ON instance_configs(tier, deleted) WHERE deleted = FALSE;

-- Payment orders: admin panel queries
CREATE INDEX IF NOT EXISTS idx_payment_orders_status_created
ON payment_orders(status, created_at DESC) WHERE status = 'PENDING';

-- Guest events: analytics queries
CREATE INDEX IF NOT EXISTS idx_guest_events_instance_type_timestamp
ON guest_events(instance_id, event_type, timestamp DESC);

-- Branding jobs: poll queries
CREATE INDEX IF NOT EXISTS idx_branding_jobs_status_updated
ON branding_jobs(status, updated_at DESC) WHERE status IN ('PENDING', 'PROCESSING');

-- Subscriptions: expiration checks
CREATE INDEX IF NOT EXISTS idx_subscriptions_status_period_end
ON subscriptions(status, current_period_end) WHERE status = 'ACTIVE';

-- Partial indexes for soft delete
CREATE INDEX IF NOT EXISTS idx_instances_active
ON instances(id) WHERE deleted = FALSE;

CREATE INDEX IF NOT EXISTS idx_payment_orders_active
ON payment_orders(id) WHERE deleted = FALSE;

-- ANALYZE tables for better query planning
ANALYZE instance_configs;
ANALYZE payment_orders;
ANALYZE guest_sessions;
ANALYZE guest_events;
ANALYZE branding_jobs;
ANALYZE subscriptions;
ANALYZE storage_usage;
