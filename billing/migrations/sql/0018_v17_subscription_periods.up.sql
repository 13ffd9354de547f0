-- PostgreSQL's own GiST classes know ranges but no UUIDs (that takes btree_gist, which not every
-- server has): a range of one UUID is as good.
CREATE TYPE uuidrange AS RANGE (subtype = uuid);

ALTER TABLE subscription_periods
    ADD CONSTRAINT subscription_periods_overlap_excl EXCLUDE USING gist (
        uuidrange(subscription_id, subscription_id, '[]') WITH &&,
        tstzrange(starts_at, ends_at) WITH &&
    ) WHERE (voided_at IS NULL);

-- A gap has its reason, and a period that follows at once has none. Looked at when the transaction
-- ends, because a change takes periods away before it puts others in their place.
CREATE FUNCTION check_subscription_gap()
RETURNS TRIGGER AS $$
DECLARE
    wrong RECORD;
BEGIN
    SELECT * INTO wrong
    FROM (
        SELECT starts_at, gap_reason, lag(ends_at) OVER (ORDER BY starts_at) AS before
        FROM subscription_periods
        WHERE subscription_id = NEW.subscription_id AND voided_at IS NULL
    ) AS live
    WHERE COALESCE(before < starts_at, false) <> (gap_reason IS NOT NULL)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'subscription_periods: of % one begins at %, the one before ends at %, %',
            NEW.subscription_id, wrong.starts_at, wrong.before,
            COALESCE('reason ' || wrong.gap_reason, 'without a reason')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'subscription_periods_gap';
    END IF;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

-- Whatever a writer's search path, it is these tables that are booked.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION check_subscription_gap() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

CREATE CONSTRAINT TRIGGER check_subscription_periods_gap
    AFTER INSERT OR UPDATE ON subscription_periods
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    EXECUTE FUNCTION check_subscription_gap();

-- Rows are written once; all that may happen to one is to be voided, once.
CREATE FUNCTION refuse_subscription_time_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION '%: %: %', TG_TABLE_NAME, OLD.id, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_subscription_periods
    AFTER UPDATE ON subscription_periods
    FOR EACH ROW
    WHEN (OLD.voided_at IS NOT NULL OR (
        OLD.id, OLD.subscription_id, OLD.kind, OLD.tier, OLD.starts_at, OLD.ends_at, OLD.order_id,
        OLD.adjustment_id, OLD.gap_reason, OLD.created_at, OLD.created_by
    ) IS DISTINCT FROM (
        NEW.id, NEW.subscription_id, NEW.kind, NEW.tier, NEW.starts_at, NEW.ends_at, NEW.order_id,
        NEW.adjustment_id, NEW.gap_reason, NEW.created_at, NEW.created_by
    ))
    EXECUTE FUNCTION refuse_subscription_time_change('a period stays what it was, or is voided');
CREATE TRIGGER keep_subscription_periods
    BEFORE DELETE ON subscription_periods
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();

CREATE TRIGGER guard_subscription_adjustments
    AFTER UPDATE ON subscription_adjustments
    FOR EACH ROW
    WHEN (OLD.voided_at IS NOT NULL
        OR (OLD.ends_at IS NOT NULL AND OLD.ends_at IS DISTINCT FROM NEW.ends_at)
        OR (
            OLD.id, OLD.subscription_id, OLD.kind, OLD.days, OLD.starts_at, OLD.reason,
            OLD.created_at, OLD.created_by
        ) IS DISTINCT FROM (
            NEW.id, NEW.subscription_id, NEW.kind, NEW.days, NEW.starts_at, NEW.reason,
            NEW.created_at, NEW.created_by
        ))
    EXECUTE FUNCTION refuse_subscription_time_change('it stays as it was made; a pause ends once');
CREATE TRIGGER keep_subscription_adjustments
    BEFORE DELETE ON subscription_adjustments
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
