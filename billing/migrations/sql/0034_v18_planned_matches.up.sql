-- Who assigned what stays on record, and is concluded once.
CREATE FUNCTION refuse_planned_match_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'planned_matches: %: %', OLD.id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_planned_matches
    AFTER UPDATE ON planned_matches
    FOR EACH ROW
    WHEN (OLD.state <> 'PLANNED' OR (
        OLD.id, OLD.transfer_id, OLD.order_id, OLD.amount, OLD.reason, OLD.created_at,
        OLD.created_by, OLD.due_at
    ) IS DISTINCT FROM (
        NEW.id, NEW.transfer_id, NEW.order_id, NEW.amount, NEW.reason, NEW.created_at,
        NEW.created_by, NEW.due_at
    ))
    EXECUTE FUNCTION refuse_planned_match_change('it stays as it was said and concluded');
CREATE TRIGGER keep_planned_matches
    BEFORE DELETE ON planned_matches
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_planned_matches_whole
    BEFORE TRUNCATE ON planned_matches
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
