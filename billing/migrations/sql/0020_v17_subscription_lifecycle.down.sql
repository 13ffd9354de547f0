CREATE OR REPLACE TRIGGER guard_subscriptions_revival
    AFTER UPDATE ON subscriptions
    FOR EACH ROW
    WHEN (OLD.status = 'CANCELED' AND NEW.status = 'ACTIVE'
        AND OLD.current_period_end <= clock_timestamp())
    EXECUTE FUNCTION refuse_transition();

DROP TRIGGER guard_subscriptions_status ON subscriptions;
-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_subscriptions_status
    AFTER UPDATE ON subscriptions
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('TRIAL', 'ACTIVE'),
        ('TRIAL', 'CANCELED'),
        ('TRIAL', 'EXPIRED'),
        ('ACTIVE', 'PAST_DUE'),
        ('ACTIVE', 'CANCELED'),
        ('ACTIVE', 'EXPIRED'),
        ('PAST_DUE', 'ACTIVE'),
        ('PAST_DUE', 'CANCELED'),
        ('PAST_DUE', 'EXPIRED'),
        ('CANCELED', 'ACTIVE'),
        ('EXPIRED', 'ACTIVE')
    ))
    EXECUTE FUNCTION refuse_transition();
