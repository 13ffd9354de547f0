COMMENT ON COLUMN instances.bank_code IS 'Vietnamese bank BIN code (e.g., 970415 for Vietcombank)';
