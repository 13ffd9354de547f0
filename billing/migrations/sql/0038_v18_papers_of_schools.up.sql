-- Only this moment: what was entered doesn't change. The index of references holds the new key, too.
ALTER TABLE manual_payments DISABLE TRIGGER guard_manual_payments_entry;

UPDATE manual_payments paid
SET account_number = 'CASH:' || CASE
    WHEN o.type = 'ENROLLMENT' AND o.instance_id IS NOT NULL THEN o.instance_id::text
    ELSE 'KITEHUB'
END
FROM payment_orders o
WHERE o.id = paid.order_id AND paid.kind = 'CASH' AND paid.account_number = '';

ALTER TABLE manual_payments ENABLE TRIGGER guard_manual_payments_entry;

COMMENT ON COLUMN manual_payments.account_number
    IS 'Of the order; for cash, whose it is: CASH:<instance>, or CASH:KITEHUB';
