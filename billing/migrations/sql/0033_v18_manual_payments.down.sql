DROP TRIGGER keep_manual_payments_whole ON manual_payments;
DROP TRIGGER keep_manual_payments ON manual_payments;
DROP TRIGGER guard_manual_payments_birth ON manual_payments;
DROP TRIGGER guard_manual_payments_entry ON manual_payments;
DROP FUNCTION refuse_manual_payment_change();
DROP TRIGGER guard_manual_payments_status ON manual_payments;
