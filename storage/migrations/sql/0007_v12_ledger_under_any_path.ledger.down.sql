DROP TRIGGER free_reservations ON storage_reservations;
DROP FUNCTION free_reservations();
ALTER FUNCTION update_storage_usage() RESET search_path;
ALTER FUNCTION hold_reservations() RESET search_path;
