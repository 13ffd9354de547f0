DROP TRIGGER keep_bank_transfers_whole ON bank_transfers;
DROP TRIGGER keep_bank_transfers ON bank_transfers;
DROP TRIGGER guard_bank_transfers_totals ON bank_transfers;
DROP TRIGGER guard_bank_transfers_facts ON bank_transfers;
DROP FUNCTION refuse_bank_transfer_change();
