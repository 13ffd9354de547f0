-- ============================================================================
-- V1: Instance Configuration Tables
-- ============================================================================

-- Instance Config table
CREATE TABLE instance_configs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    instance_id UUID NOT NULL UNIQUE,
    tier VARCHAR(20) NOT NULL CHECK (tier IN ('BASIC', 'STANDARD', 'PREMIUM')),
    features JSONB NOT NULL DEFAULT '{}'::jsonb,
    limitations JSONB NOT NULL DEFAULT '{}'::jsonb,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    created_by VARCHAR(100),
    updated_by VARCHAR(100),
    version BIGINT NOT NULL DEFAULT 0,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    deleted_at TIMESTAMP
);

-- Indexes
CREATE INDEX idx_instance_configs_instance ON instance_configs(instance_id);
CREATE INDEX idx_instance_configs_tier ON instance_configs(tier);
CREATE INDEX idx_instance_configs_created ON instance_configs(created_at DESC);

-- Comments
COMMENT ON TABLE instance_configs IS 'Instance configuration for feature detection';
COMMENT ON COLUMN instance_configs.tier IS 'Pricing tier: BASIC, STANDARD, PREMIUM';
COMMENT ON COLUMN instance_configs.features IS 'Feature flags: {engagement: true, media: false, premium: false}';
COMMENT ON COLUMN instance_configs.limitations IS 'Limitations: {maxStudents: 50, maxCourses: 10}';

-- Trigger for updated_at
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER update_instance_configs_updated_at
    BEFORE UPDATE ON instance_configs
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();

-- Insert default config for existing instances (if any)
-- INSERT INTO instance_configs (instance_id, tier, features, limitations)
-- SELECT id, 'BASIC',
--        '{"engagement": false, "media": false, "premium": false}'::jsonb,
--        '{"maxStudents": 50, "maxCourses": 10}'::jsonb
-- FROM instances
-- ON CONFLICT (instance_id) DO NOTHING;
