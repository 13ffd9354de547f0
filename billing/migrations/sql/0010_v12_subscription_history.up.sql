-- Who made a subscription did not therefore change it later.
CREATE OR REPLACE FUNCTION log_subscription_change()
RETURNS TRIGGER AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (
        OLD.tier, OLD.status, OLD.monthly_price, OLD.current_period_start,
        OLD.current_period_end, OLD.trial_end, OLD.canceled_at, OLD.deleted
    ) IS NOT DISTINCT FROM (
        NEW.tier, NEW.status, NEW.monthly_price, NEW.current_period_start,
        NEW.current_period_end, NEW.trial_end, NEW.canceled_at, NEW.deleted
    ) THEN
        RETURN NULL;
    END IF;
    INSERT INTO subscription_history (
        subscription_id, tier, status, monthly_price, current_period_start,
        current_period_end, trial_end, canceled_at, deleted,
        changed_at, changed_by, change_reason
    ) VALUES (
        NEW.id, NEW.tier, NEW.status, NEW.monthly_price, NEW.current_period_start,
        NEW.current_period_end, NEW.trial_end, NEW.canceled_at, NEW.deleted,
        clock_timestamp(),
        COALESCE(
            NULLIF(current_setting('kitehub.actor', true), ''),
            NULLIF(NEW.updated_by, ''),
            CASE WHEN TG_OP = 'INSERT' THEN NULLIF(NEW.created_by, '') END,
            'db:' || current_user
        ),
        NULLIF(current_setting('kitehub.reason', true), '')
    );
    RETURN NULL;
END;
$$ language 'plpgsql';

-- A writer's own search path, with a temporary table of the same name or nothing on it, must not
-- lead the trigger elsewhere.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION log_subscription_change() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

-- The clock rather than NOW(), which stands still in a long transaction.
CREATE OR REPLACE TRIGGER guard_subscriptions_revival
    AFTER UPDATE ON subscriptions
    FOR EACH ROW
    WHEN (OLD.status = 'CANCELED' AND NEW.status = 'ACTIVE'
        AND OLD.current_period_end <= clock_timestamp())
    EXECUTE FUNCTION refuse_transition();
