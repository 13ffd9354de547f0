-- The balance is the sum of the entries, whoever writes them, and its check keeps it from 0 down.
-- Its row's lock puts the writers of one instance in a line.
CREATE FUNCTION book_credit()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO credit_balances (instance_id) VALUES (NEW.instance_id)
    ON CONFLICT (instance_id) DO NOTHING;
    UPDATE credit_balances SET balance = balance + NEW.amount
    WHERE instance_id = NEW.instance_id
    RETURNING balance INTO NEW.balance_after;
    IF NEW.transfer_id IS NOT NULL THEN
        -- Of credit that is paid back, the line's money has left KiteHub.
        UPDATE bank_transfers
        SET credited_amount = credited_amount + NEW.amount,
            refunded_amount = refunded_amount
                - CASE WHEN NEW.refund_id IS NULL THEN 0 ELSE NEW.amount END
        WHERE id = NEW.transfer_id;
    END IF;
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
        'ALTER FUNCTION book_credit() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

CREATE TRIGGER book_credit_entries
    BEFORE INSERT ON credit_entries
    FOR EACH ROW
    EXECUTE FUNCTION book_credit();
CREATE TRIGGER keep_credit_entries
    BEFORE UPDATE OR DELETE ON credit_entries
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_credit_entries_whole
    BEFORE TRUNCATE ON credit_entries
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();

-- Nobody sets a balance, not even at its birth.
CREATE FUNCTION refuse_credit_balance_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'credit_balances: kept by credit_entries: % is refused', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_credit_balances
    AFTER INSERT OR UPDATE ON credit_balances
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_credit_balance_change();
CREATE TRIGGER keep_credit_balances
    BEFORE DELETE ON credit_balances
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();

-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_refunds_status
    AFTER UPDATE ON refunds
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('REQUESTED', 'APPROVED'),
        ('REQUESTED', 'REJECTED'),
        ('APPROVED', 'SENT')
    ))
    EXECUTE FUNCTION refuse_transition();

-- What was asked for is what is approved.
CREATE FUNCTION refuse_refund_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'refunds: %: %', OLD.id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_refunds_request
    AFTER UPDATE ON refunds
    FOR EACH ROW
    WHEN ((
        OLD.id, OLD.source, OLD.instance_id, OLD.order_id, OLD.transfer_id, OLD.amount,
        OLD.payee_bank_bin, OLD.payee_account, OLD.payee_name, OLD.requested_by,
        OLD.requested_at
    ) IS DISTINCT FROM (
        NEW.id, NEW.source, NEW.instance_id, NEW.order_id, NEW.transfer_id, NEW.amount,
        NEW.payee_bank_bin, NEW.payee_account, NEW.payee_name, NEW.requested_by,
        NEW.requested_at
    ) OR (OLD.decided_by IS NOT NULL AND (
        OLD.decided_by, OLD.decided_at
    ) IS DISTINCT FROM (
        NEW.decided_by, NEW.decided_at
    )))
    EXECUTE FUNCTION refuse_refund_change('a refund stays what was asked for and decided');
CREATE TRIGGER keep_refunds
    BEFORE DELETE ON refunds
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();

-- A refund is born as a request: nobody may be passed over.
CREATE FUNCTION refuse_decided_refund()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'refunds: a new one is REQUESTED, not %', NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_refunds_birth
    AFTER INSERT ON refunds
    FOR EACH ROW
    WHEN (NEW.status <> 'REQUESTED')
    EXECUTE FUNCTION refuse_decided_refund();

-- Of a bank line without an order the money leaves the line itself; orders and credit have entries.
CREATE FUNCTION book_transfer_refund()
RETURNS TRIGGER AS $$
BEGIN
    UPDATE bank_transfers SET refunded_amount = refunded_amount + NEW.amount
    WHERE id = NEW.transfer_id;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

-- Whatever a writer's search path, it is these tables that are booked.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION book_transfer_refund() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

CREATE TRIGGER book_transfer_refunds
    AFTER UPDATE ON refunds
    FOR EACH ROW
    WHEN (NEW.source = 'TRANSFER' AND OLD.status = 'REQUESTED' AND NEW.status = 'APPROVED')
    EXECUTE FUNCTION book_transfer_refund();
