-- V10's own way back makes uploads and deletions of adjustments, which may carry no correction. What
-- was corrected stays so, in the sum.
DO $$
BEGIN
    IF EXISTS (SELECT FROM storage_events WHERE correction_bytes IS NOT NULL) THEN
        ALTER TABLE storage_events DISABLE TRIGGER keep_storage_events;
        UPDATE storage_events SET correction_bytes = NULL WHERE correction_bytes IS NOT NULL;
        ALTER TABLE storage_events ENABLE TRIGGER keep_storage_events;
    END IF;
END $$;
