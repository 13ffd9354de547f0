DROP TRIGGER keep_receipt_counters ON receipt_counters;
DROP TRIGGER keep_receipts_whole ON receipts;
DROP TRIGGER keep_receipts ON receipts;
DROP TRIGGER number_receipts ON receipts;
DROP FUNCTION number_receipt();
