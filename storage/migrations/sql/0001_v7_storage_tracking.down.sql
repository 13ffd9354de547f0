DROP TRIGGER track_storage_changes ON storage_events;
DROP FUNCTION update_storage_usage();
