-- What the bank said stays as it was said, and stays. Totals are booked by other tables' triggers.
CREATE FUNCTION refuse_bank_transfer_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'bank_transfers: % %: %', OLD.provider, OLD.provider_id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_bank_transfers_facts
    AFTER UPDATE ON bank_transfers
    FOR EACH ROW
    WHEN ((
        OLD.id, OLD.provider, OLD.provider_id, OLD.account_number, OLD.virtual_account,
        OLD.direction, OLD.amount, OLD.memo, OLD.details, OLD.counterparty_name,
        OLD.counterparty_account, OLD.counterparty_bank, OLD.reference, OLD.balance_after,
        OLD.transferred_at, OLD.received_at, OLD.raw, OLD.raw_body
    ) IS DISTINCT FROM (
        NEW.id, NEW.provider, NEW.provider_id, NEW.account_number, NEW.virtual_account,
        NEW.direction, NEW.amount, NEW.memo, NEW.details, NEW.counterparty_name,
        NEW.counterparty_account, NEW.counterparty_bank, NEW.reference, NEW.balance_after,
        NEW.transferred_at, NEW.received_at, NEW.raw, NEW.raw_body
    ))
    EXECUTE FUNCTION refuse_bank_transfer_change('what the bank said is never changed');

CREATE TRIGGER guard_bank_transfers_totals
    AFTER UPDATE ON bank_transfers
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND (
        OLD.allocated_amount, OLD.credited_amount, OLD.refunded_amount
    ) IS DISTINCT FROM (
        NEW.allocated_amount, NEW.credited_amount, NEW.refunded_amount
    ))
    EXECUTE FUNCTION refuse_bank_transfer_change('totals are kept by allocations and credit');

CREATE TRIGGER keep_bank_transfers
    BEFORE DELETE ON bank_transfers
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_bank_transfers_whole
    BEFORE TRUNCATE ON bank_transfers
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
