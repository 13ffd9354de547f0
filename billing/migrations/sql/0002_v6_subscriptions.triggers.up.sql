-- Not deferrable, as the plan has it; Django's own foreign keys are.
ALTER TABLE subscription_history
    ADD CONSTRAINT subscription_history_subscription_id_fkey
    FOREIGN KEY (subscription_id) REFERENCES subscriptions(id);

CREATE TRIGGER update_subscriptions_updated_at
    BEFORE UPDATE ON subscriptions
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();

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
