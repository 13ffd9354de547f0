-- An allocation is booked on its bank line and on its order in the same statement, whoever writes
-- it: the checks of both tables then keep either from being exceeded. Of a bank line and an order
-- the line is locked first, as the services do.
CREATE FUNCTION book_allocation()
RETURNS TRIGGER AS $$
DECLARE
    first RECORD;
    taken BIGINT;
    refunded BIGINT := CASE WHEN NEW.refund_id IS NULL THEN 0 ELSE -NEW.amount END;
BEGIN
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT * INTO first FROM payment_allocations WHERE id = NEW.reverses_id FOR NO KEY UPDATE;
        SELECT COALESCE(sum(amount), 0) INTO taken
        FROM payment_allocations WHERE reverses_id = NEW.reverses_id;
        IF first.id IS NULL OR first.amount < 0 OR first.amount + taken + NEW.amount < 0
            OR (first.order_id, first.transfer_id, first.credit_entry_id)
                IS DISTINCT FROM (NEW.order_id, NEW.transfer_id, NEW.credit_entry_id)
        THEN
            RAISE EXCEPTION 'payment_allocations: % takes back what % did not give',
                NEW.id, NEW.reverses_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_allocations_reverses';
        END IF;
    END IF;
    IF NEW.transfer_id IS NOT NULL THEN
        UPDATE bank_transfers
        SET allocated_amount = allocated_amount + NEW.amount,
            refunded_amount = refunded_amount + refunded
        WHERE id = NEW.transfer_id;
    END IF;
    UPDATE payment_orders
    SET paid_amount = paid_amount + NEW.amount, refunded_amount = refunded_amount + refunded
    WHERE id = NEW.order_id;
    NEW.created_by = COALESCE(
        NULLIF(NEW.created_by, ''),
        NULLIF(current_setting('kitehub.actor', true), ''),
        'db:' || current_user
    );
    NEW.reason = COALESCE(
        NULLIF(NEW.reason, ''), NULLIF(current_setting('kitehub.reason', true), ''), ''
    );
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

-- Whatever a writer's search path, it is these tables that are booked.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION book_allocation() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

CREATE TRIGGER book_payment_allocations
    BEFORE INSERT ON payment_allocations
    FOR EACH ROW
    EXECUTE FUNCTION book_allocation();
CREATE TRIGGER keep_payment_allocations
    BEFORE UPDATE OR DELETE ON payment_allocations
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_payment_allocations_whole
    BEFORE TRUNCATE ON payment_allocations
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();

-- Nobody says by hand what has been paid.
CREATE FUNCTION refuse_payment_order_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'payment_orders: %: %', OLD.order_id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_payment_orders_totals
    AFTER UPDATE ON payment_orders
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND (OLD.paid_amount, OLD.refunded_amount)
        IS DISTINCT FROM (NEW.paid_amount, NEW.refunded_amount))
    EXECUTE FUNCTION refuse_payment_order_change('what is paid is kept by allocations');

-- What was agreed stays agreed. Orders that other programs wrote agreed on nothing here.
CREATE TRIGGER guard_payment_orders_terms
    AFTER UPDATE ON payment_orders
    FOR EACH ROW
    WHEN (OLD.memo IS NOT NULL AND (
        OLD.order_id, OLD.type, OLD.instance_id, OLD.amount, OLD.tier, OLD.purpose, OLD.months,
        OLD.monthly_price, OLD.subject, OLD.memo, OLD.bank_bin, OLD.account_number,
        OLD.account_name, OLD.client_reference
    ) IS DISTINCT FROM (
        NEW.order_id, NEW.type, NEW.instance_id, NEW.amount, NEW.tier, NEW.purpose, NEW.months,
        NEW.monthly_price, NEW.subject, NEW.memo, NEW.bank_bin, NEW.account_number,
        NEW.account_name, NEW.client_reference
    ))
    EXECUTE FUNCTION refuse_payment_order_change('its terms stay as they were agreed');
