DROP TRIGGER guard_storage_reservations_status ON storage_reservations;
DROP TRIGGER hold_deleted_reservations ON storage_reservations;
DROP TRIGGER hold_changed_reservations ON storage_reservations;
DROP TRIGGER hold_new_reservations ON storage_reservations;
DROP FUNCTION hold_reservations();
DROP FUNCTION hold_storage(UUID, BIGINT);
