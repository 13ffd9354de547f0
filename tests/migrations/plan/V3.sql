-- ============================================================================
-- V3: Instance Bank Accounts (Owner Configurable)
-- ============================================================================

-- Add bank account columns to instances table
-- Assuming instances table exists in KiteHub database

-- If instances table doesn't exist yet, create it
CREATE TABLE IF NOT EXISTS instances (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    subdomain VARCHAR(50) NOT NULL UNIQUE,
    custom_domain VARCHAR(255),
    organization_name VARCHAR(200) NOT NULL,
    owner_id UUID NOT NULL,
    tier VARCHAR(20) NOT NULL DEFAULT 'BASIC',
    status VARCHAR(20) NOT NULL DEFAULT 'TRIAL',
    database_url VARCHAR(500) NOT NULL,
    database_username VARCHAR(100) NOT NULL,
    database_password VARCHAR(255) NOT NULL, -- Encrypted
    trial_started_at TIMESTAMP,
    trial_expires_at TIMESTAMP,
    subscription_id UUID,
    subscription_expires_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    created_by VARCHAR(100),
    updated_by VARCHAR(100),
    version BIGINT NOT NULL DEFAULT 0,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    deleted_at TIMESTAMP
);

-- Add bank account columns
ALTER TABLE instances ADD COLUMN IF NOT EXISTS bank_code VARCHAR(10);
ALTER TABLE instances ADD COLUMN IF NOT EXISTS bank_name VARCHAR(100);
ALTER TABLE instances ADD COLUMN IF NOT EXISTS account_number VARCHAR(50);
ALTER TABLE instances ADD COLUMN IF NOT EXISTS account_name VARCHAR(200);
ALTER TABLE instances ADD COLUMN IF NOT EXISTS qr_template VARCHAR(500) DEFAULT 'HOCPHI {courseId} {studentName}';

-- Indexes
CREATE INDEX IF NOT EXISTS idx_instances_subdomain ON instances(subdomain);
CREATE INDEX IF NOT EXISTS idx_instances_custom_domain ON instances(custom_domain) WHERE custom_domain IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_instances_owner ON instances(owner_id);
CREATE INDEX IF NOT EXISTS idx_instances_status ON instances(status);
CREATE INDEX IF NOT EXISTS idx_instances_trial_expires ON instances(trial_expires_at) WHERE status = 'TRIAL';

-- Comments
COMMENT ON COLUMN instances.bank_code IS 'Vietnamese bank BIN code (e.g., 970415 for Vietcombank)';
COMMENT ON COLUMN instances.account_number IS 'Bank account number for receiving course enrollment payments';
COMMENT ON COLUMN instances.qr_template IS 'VietQR content template with variables: {courseId}, {studentName}, {timestamp}';

-- Trigger
CREATE TRIGGER IF NOT EXISTS update_instances_updated_at
    BEFORE UPDATE ON instances
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();
