-- ============================================================================
-- V7: Storage Tracking (MEDIA package)
-- ============================================================================

-- Storage Usage table
CREATE TABLE storage_usage (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    instance_id UUID NOT NULL UNIQUE,
    used_bytes BIGINT NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),
    limit_bytes BIGINT NOT NULL,
    last_updated TIMESTAMP NOT NULL DEFAULT NOW()
);

-- Storage Events (audit trail for uploads/deletes)
CREATE TABLE storage_events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    instance_id UUID NOT NULL,
    file_type VARCHAR(20) NOT NULL, -- 'IMAGE', 'VIDEO', 'ATTACHMENT'
    file_name VARCHAR(255) NOT NULL,
    file_url VARCHAR(500) NOT NULL,
    file_size_bytes BIGINT NOT NULL,
    operation VARCHAR(10) NOT NULL CHECK (operation IN ('UPLOAD', 'DELETE')),
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    created_by VARCHAR(100)
);

-- Indexes
CREATE INDEX idx_storage_usage_instance ON storage_usage(instance_id);
CREATE INDEX idx_storage_events_instance ON storage_events(instance_id);
CREATE INDEX idx_storage_events_created ON storage_events(created_at DESC);
CREATE INDEX idx_storage_events_operation ON storage_events(operation);

-- Comments
COMMENT ON TABLE storage_usage IS 'Current storage usage per instance';
COMMENT ON TABLE storage_events IS 'Audit trail for all file uploads/deletes';
COMMENT ON COLUMN storage_usage.limit_bytes IS 'Storage limit based on tier: BASIC=0, STANDARD=5GB, PREMIUM=20GB';

-- Trigger to update storage usage on events
CREATE OR REPLACE FUNCTION update_storage_usage()
RETURNS TRIGGER AS $$
BEGIN
    IF (NEW.operation = 'UPLOAD') THEN
        UPDATE storage_usage
        SET used_bytes = used_bytes + NEW.file_size_bytes,
            last_updated = NOW()
        WHERE instance_id = NEW.instance_id;

        -- Insert if not exists
        INSERT INTO storage_usage (instance_id, used_bytes, limit_bytes)
        VALUES (NEW.instance_id, NEW.file_size_bytes, 0)
        ON CONFLICT (instance_id) DO NOTHING;

    ELSIF (NEW.operation = 'DELETE') THEN
        UPDATE storage_usage
        SET used_bytes = GREATEST(used_bytes - NEW.file_size_bytes, 0),
            last_updated = NOW()
        WHERE instance_id = NEW.instance_id;
    END IF;

    RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER track_storage_changes
    AFTER INSERT ON storage_events
    FOR EACH ROW
    EXECUTE FUNCTION update_storage_usage();

-- Initialize storage limits for existing instances
-- INSERT INTO storage_usage (instance_id, used_bytes, limit_bytes)
-- SELECT ic.instance_id, 0,
--   CASE ic.tier
--     WHEN 'BASIC' THEN 0
--     WHEN 'STANDARD' THEN 5368709120  -- 5GB
--     WHEN 'PREMIUM' THEN 21474836480  -- 20GB
--   END
-- FROM instance_configs ic
-- ON CONFLICT (instance_id) DO NOTHING;
