-- The rows stay: history is append-only. Those that V10 wrote itself say so in their reason.
DROP TRIGGER keep_subscription_history_whole ON subscription_history;
DROP TRIGGER keep_subscription_history ON subscription_history;
DROP TRIGGER log_subscription_changes ON subscriptions;

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
