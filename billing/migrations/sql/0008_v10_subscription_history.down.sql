DROP TRIGGER keep_subscription_history_whole ON subscription_history;
DROP TRIGGER keep_subscription_history ON subscription_history;
DROP TRIGGER log_subscription_changes ON subscriptions;

-- What V10 itself found and wrote goes with it; what happened since stays.
DELETE FROM subscription_history WHERE change_reason = 'As found by V10';

CREATE OR REPLACE FUNCTION log_subscription_change()
RETURNS TRIGGER AS $$
BEGIN
    IF (TG_OP = 'UPDATE') THEN
        INSERT INTO subscription_history (subscription_id, tier, status, monthly_price, changed_at, changed_by)
        VALUES (NEW.id, NEW.tier, NEW.status, NEW.monthly_price, NOW(), NEW.updated_by);
    END IF;
    RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER log_subscription_changes
    AFTER UPDATE ON subscriptions
    FOR EACH ROW
    EXECUTE FUNCTION log_subscription_change();
