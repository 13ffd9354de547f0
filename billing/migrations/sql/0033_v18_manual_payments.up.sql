-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_manual_payments_status
    AFTER UPDATE ON manual_payments
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('REQUESTED', 'CONFIRMED'),
        ('REQUESTED', 'REJECTED')
    ))
    EXECUTE FUNCTION refuse_transition();

-- What one person entered is what the other confirms.
CREATE FUNCTION refuse_manual_payment_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'manual_payments: %: %', NEW.id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_manual_payments_entry
    AFTER UPDATE ON manual_payments
    FOR EACH ROW
    WHEN ((
        OLD.id, OLD.order_id, OLD.kind, OLD.amount, OLD.received_at, OLD.account_number,
        OLD.reference, OLD.reference_key, OLD.memo, OLD.payer_name, OLD.evidence, OLD.reason,
        OLD.requested_by, OLD.requested_at
    ) IS DISTINCT FROM (
        NEW.id, NEW.order_id, NEW.kind, NEW.amount, NEW.received_at, NEW.account_number,
        NEW.reference, NEW.reference_key, NEW.memo, NEW.payer_name, NEW.evidence, NEW.reason,
        NEW.requested_by, NEW.requested_at
    ) OR (OLD.decided_by IS NOT NULL AND (
        OLD.decided_by, OLD.decided_at, OLD.decision, OLD.transfer_id
    ) IS DISTINCT FROM (
        NEW.decided_by, NEW.decided_at, NEW.decision, NEW.transfer_id
    )))
    EXECUTE FUNCTION refuse_manual_payment_change('it stays as it was entered and decided');

-- It is born as a request: nobody may be passed over.
CREATE TRIGGER guard_manual_payments_birth
    AFTER INSERT ON manual_payments
    FOR EACH ROW
    WHEN (NEW.status <> 'REQUESTED')
    EXECUTE FUNCTION refuse_manual_payment_change('a new one waits for a second person');

CREATE TRIGGER keep_manual_payments
    BEFORE DELETE ON manual_payments
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_manual_payments_whole
    BEFORE TRUNCATE ON manual_payments
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
