-- ============================================================================
-- V4: Guest Analytics Tables
-- ============================================================================

-- Guest Sessions table
CREATE TABLE guest_sessions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id VARCHAR(50) NOT NULL UNIQUE,
    instance_id UUID NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    expires_at TIMESTAMP NOT NULL,
    source VARCHAR(50), -- 'landing_page', 'social_media', 'organic', 'referral'
    device_type VARCHAR(20), -- 'mobile', 'desktop', 'tablet'
    user_agent TEXT,
    ip_address VARCHAR(45)
);

-- Guest Events table
CREATE TABLE guest_events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id VARCHAR(50) NOT NULL,
    instance_id UUID NOT NULL,
    event_type VARCHAR(50) NOT NULL, -- 'page_view', 'contact_click', 'course_view', etc.
    course_id UUID,
    course_name VARCHAR(200),
    timestamp TIMESTAMP NOT NULL DEFAULT NOW(),
    metadata JSONB DEFAULT '{}'::jsonb
);

-- Indexes
CREATE INDEX idx_guest_sessions_session ON guest_sessions(session_id);
CREATE INDEX idx_guest_sessions_instance ON guest_sessions(instance_id);
CREATE INDEX idx_guest_sessions_created ON guest_sessions(created_at DESC);
CREATE INDEX idx_guest_sessions_expires ON guest_sessions(expires_at);

CREATE INDEX idx_guest_events_session ON guest_events(session_id);
CREATE INDEX idx_guest_events_instance ON guest_events(instance_id);
CREATE INDEX idx_guest_events_type ON guest_events(event_type);
CREATE INDEX idx_guest_events_course ON guest_events(course_id) WHERE course_id IS NOT NULL;
CREATE INDEX idx_guest_events_timestamp ON guest_events(timestamp DESC);

-- Comments
COMMENT ON TABLE guest_sessions IS 'Anonymous guest user sessions';
COMMENT ON TABLE guest_events IS 'Guest user behavior events for analytics';
COMMENT ON COLUMN guest_events.metadata IS 'Additional event data: {contactMethod: "facebook", duration: 120}';

-- Cleanup old sessions (retention: 90 days)
-- DELETE FROM guest_sessions WHERE created_at < NOW() - INTERVAL '90 days';
-- DELETE FROM guest_events WHERE timestamp < NOW() - INTERVAL '90 days';
