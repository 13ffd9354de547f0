-- The plan's function logs every UPDATE, also one that changes nothing, never the first row, and
-- no reason. clock_timestamp() rather than NOW(): two changes in one transaction keep their order.
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
            NULLIF(NEW.updated_by, ''), NULLIF(NEW.created_by, ''),
            'db:' || current_user
        ),
        NULLIF(current_setting('kitehub.reason', true), '')
    );
    RETURN NULL;
END;
$$ language 'plpgsql';

DROP TRIGGER log_subscription_changes ON subscriptions;
CREATE TRIGGER log_subscription_changes
    AFTER INSERT OR UPDATE ON subscriptions
    FOR EACH ROW
    EXECUTE FUNCTION log_subscription_change();

CREATE TRIGGER keep_subscription_history
    BEFORE UPDATE OR DELETE ON subscription_history
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_subscription_history_whole
    BEFORE TRUNCATE ON subscription_history
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();

-- Subscriptions older than this migration: the history's last row becomes what the row says.
INSERT INTO subscription_history (
    subscription_id, tier, status, monthly_price, current_period_start,
    current_period_end, trial_end, canceled_at, deleted,
    changed_at, changed_by, change_reason
)
SELECT id, tier, status, monthly_price, current_period_start,
    current_period_end, trial_end, canceled_at, deleted,
    clock_timestamp(), 'db:' || current_user, 'As found by V10'
FROM subscriptions;
