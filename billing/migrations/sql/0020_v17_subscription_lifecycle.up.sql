-- What was cancelled and is over has ended like any other; it may be paid for again.
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
        ('CANCELED', 'EXPIRED'),
        ('EXPIRED', 'ACTIVE')
    ))
    EXECUTE FUNCTION refuse_transition();

-- Services may work by a clock of their own (`at=`, `--at`), and say so.
CREATE OR REPLACE TRIGGER guard_subscriptions_revival
    AFTER UPDATE ON subscriptions
    FOR EACH ROW
    WHEN (OLD.status = 'CANCELED' AND NEW.status = 'ACTIVE'
        AND OLD.current_period_end <= COALESCE(
            NULLIF(current_setting('kitehub.at', true), '')::timestamptz, clock_timestamp()
        ))
    EXECUTE FUNCTION refuse_transition();
