-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_goodwill_grants_status
    AFTER UPDATE ON goodwill_grants
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('PROPOSED', 'APPROVED'),
        ('PROPOSED', 'DECLINED'),
        ('PROPOSED', 'WITHDRAWN')
    ))
    EXECUTE FUNCTION refuse_transition();

-- What one person proposed is what the other approves.
CREATE FUNCTION refuse_goodwill_grant_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'goodwill_grants: %: %', NEW.id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_goodwill_grants_terms
    AFTER UPDATE ON goodwill_grants
    FOR EACH ROW
    WHEN ((
        OLD.id, OLD.instance_id, OLD.kind, OLD.amount, OLD.days, OLD.reason,
        OLD.proposed_by, OLD.proposed_at
    ) IS DISTINCT FROM (
        NEW.id, NEW.instance_id, NEW.kind, NEW.amount, NEW.days, NEW.reason,
        NEW.proposed_by, NEW.proposed_at
    ) OR (OLD.decided_by IS NOT NULL AND (
        OLD.decided_by, OLD.decided_at, OLD.decision
    ) IS DISTINCT FROM (
        NEW.decided_by, NEW.decided_at, NEW.decision
    )))
    EXECUTE FUNCTION refuse_goodwill_grant_change('it stays as it was proposed and decided');

-- It is born as a proposal, or as what one person may give alone: nobody else may be passed over.
CREATE TRIGGER guard_goodwill_grants_birth
    AFTER INSERT ON goodwill_grants
    FOR EACH ROW
    WHEN (NEW.status NOT IN ('PROPOSED', 'GIVEN'))
    EXECUTE FUNCTION refuse_goodwill_grant_change('a new one waits for a second person');

CREATE TRIGGER keep_goodwill_grants
    BEFORE DELETE ON goodwill_grants
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_goodwill_grants_whole
    BEFORE TRUNCATE ON goodwill_grants
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
