-- ============================================================================
-- V2: Payment Orders (VietQR)
-- ============================================================================

-- Payment type enum
CREATE TYPE payment_type AS ENUM ('SUBSCRIPTION', 'ENROLLMENT');

-- Payment status enum
CREATE TYPE payment_status AS ENUM ('PENDING', 'PAID', 'EXPIRED', 'CANCELLED');

-- Payment Orders table
CREATE TABLE payment_orders (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id VARCHAR(50) NOT NULL UNIQUE,
    type payment_type NOT NULL,
    user_id UUID NOT NULL,
    instance_id UUID,
    amount BIGINT NOT NULL CHECK (amount > 0),
    tier VARCHAR(20) CHECK (tier IN ('BASIC', 'STANDARD', 'PREMIUM')),
    status payment_status NOT NULL DEFAULT 'PENDING',
    qr_image_url VARCHAR(500),
    payment_content VARCHAR(200) NOT NULL,
    transaction_reference VARCHAR(100),
    paid_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    expires_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    created_by VARCHAR(100),
    updated_by VARCHAR(100),
    version BIGINT NOT NULL DEFAULT 0,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    deleted_at TIMESTAMP
);

-- Indexes
CREATE INDEX idx_payment_orders_order_id ON payment_orders(order_id);
CREATE INDEX idx_payment_orders_user ON payment_orders(user_id);
CREATE INDEX idx_payment_orders_instance ON payment_orders(instance_id);
CREATE INDEX idx_payment_orders_status ON payment_orders(status);
CREATE INDEX idx_payment_orders_created ON payment_orders(created_at DESC);
CREATE INDEX idx_payment_orders_expires ON payment_orders(expires_at) WHERE status = 'PENDING';

-- Comments
COMMENT ON TABLE payment_orders IS 'VietQR payment orders';
COMMENT ON COLUMN payment_orders.type IS 'SUBSCRIPTION (KiteHub) or ENROLLMENT (Instance)';
COMMENT ON COLUMN payment_orders.amount IS 'Amount in VND';
COMMENT ON COLUMN payment_orders.payment_content IS 'VietQR content: KITEHUB {orderId} {email}';
COMMENT ON COLUMN payment_orders.expires_at IS '24-hour expiry for payment';

-- Trigger
CREATE TRIGGER update_payment_orders_updated_at
    BEFORE UPDATE ON payment_orders
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();

-- Auto-expire old pending orders (cron job will use this)
-- SELECT * FROM payment_orders
-- WHERE status = 'PENDING' AND expires_at < NOW();
