ALTER TABLE manual_payments DISABLE TRIGGER guard_manual_payments_entry;

-- Where two schools have entered the same number, only the first has it without its school.
UPDATE manual_payments paid
SET account_number = ''
WHERE paid.account_number LIKE 'CASH:%' AND (paid.status = 'REJECTED' OR NOT EXISTS (
    SELECT FROM manual_payments earlier
    WHERE earlier.account_number LIKE 'CASH:%'
        AND earlier.status <> 'REJECTED'
        AND earlier.reference_key = paid.reference_key
        AND (earlier.requested_at, earlier.id) < (paid.requested_at, paid.id)
));

ALTER TABLE manual_payments ENABLE TRIGGER guard_manual_payments_entry;

COMMENT ON COLUMN manual_payments.account_number IS 'Of the order; none for cash';
