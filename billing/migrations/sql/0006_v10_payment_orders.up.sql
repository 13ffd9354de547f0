CREATE TRIGGER keep_payment_orders_record
    BEFORE INSERT OR UPDATE ON payment_orders
    FOR EACH ROW
    EXECUTE FUNCTION keep_record();

-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_payment_orders_status
    AFTER UPDATE ON payment_orders
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('PENDING', 'PAID'),
        ('PENDING', 'EXPIRED'),
        ('PENDING', 'CANCELLED'),
        ('EXPIRED', 'PAID')
    ))
    EXECUTE FUNCTION refuse_transition();
