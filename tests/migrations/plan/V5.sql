-- ============================================================================
-- V5: AI Branding Jobs
-- ============================================================================

-- Branding status enum
CREATE TYPE branding_status AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');

-- Branding Jobs table
CREATE TABLE branding_jobs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id VARCHAR(50) NOT NULL UNIQUE,
    instance_id UUID NOT NULL,
    logo_url VARCHAR(500),
    organization_name VARCHAR(200) NOT NULL,
    language VARCHAR(10) NOT NULL DEFAULT 'vi',
    status branding_status NOT NULL DEFAULT 'PENDING',
    generated_assets JSONB, -- {profileImages: {...}, heroImages: [...], marketingCopy: {...}}
    error_message VARCHAR(1000),
    progress_percentage INTEGER NOT NULL DEFAULT 0 CHECK (progress_percentage >= 0 AND progress_percentage <= 100),
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    created_by VARCHAR(100),
    updated_by VARCHAR(100),
    version BIGINT NOT NULL DEFAULT 0,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    deleted_at TIMESTAMP
);

-- Indexes
CREATE INDEX idx_branding_jobs_job_id ON branding_jobs(job_id);
CREATE INDEX idx_branding_jobs_instance ON branding_jobs(instance_id);
CREATE INDEX idx_branding_jobs_status ON branding_jobs(status);
CREATE INDEX idx_branding_jobs_created ON branding_jobs(created_at DESC);

-- Comments
COMMENT ON TABLE branding_jobs IS 'AI branding generation jobs (GPT-4 Vision + DALL-E 3)';
COMMENT ON COLUMN branding_jobs.generated_assets IS 'Generated assets: profile images, hero images, logos, banners, marketing copy';
COMMENT ON COLUMN branding_jobs.progress_percentage IS '0-100%: Logo analysis (20%), Hero generation (60%), Marketing copy (100%)';

-- Trigger
CREATE TRIGGER update_branding_jobs_updated_at
    BEFORE UPDATE ON branding_jobs
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();
