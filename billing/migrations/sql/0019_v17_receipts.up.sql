-- The number is the database's: the year's row is locked until the transaction ends, so a rollback
-- gives the number back before anybody else takes one.
CREATE FUNCTION number_receipt()
RETURNS TRIGGER AS $$
BEGIN
    NEW.year = EXTRACT(YEAR FROM NEW.issued_at AT TIME ZONE 'Asia/Ho_Chi_Minh');
    INSERT INTO receipt_counters (year, last) VALUES (NEW.year, 1)
    ON CONFLICT (year) DO UPDATE SET last = receipt_counters.last + 1
    RETURNING last INTO NEW.number;
    NEW.created_by = COALESCE(
        NULLIF(NEW.created_by, ''),
        NULLIF(current_setting('kitehub.actor', true), ''),
        'db:' || current_user
    );
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

-- Whatever a writer's search path, it is these tables that are booked.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION number_receipt() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

CREATE TRIGGER number_receipts
    BEFORE INSERT ON receipts
    FOR EACH ROW
    EXECUTE FUNCTION number_receipt();
CREATE TRIGGER keep_receipts
    BEFORE UPDATE OR DELETE ON receipts
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_receipts_whole
    BEFORE TRUNCATE ON receipts
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_receipt_counters
    BEFORE INSERT OR UPDATE OR DELETE ON receipt_counters
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_change();
