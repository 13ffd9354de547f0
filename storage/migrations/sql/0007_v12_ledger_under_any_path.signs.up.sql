-- Sizes below 0 from before V10 count as they did, but as what they are: adjustments, which have a
-- sign. An upload of -5 took 5 away, a deletion of -5 added 5.
DO $$
BEGIN
    IF EXISTS (SELECT FROM storage_events WHERE file_size_bytes < 0 AND operation <> 'ADJUST') THEN
        ALTER TABLE storage_events DISABLE TRIGGER keep_storage_events;
        UPDATE storage_events
        SET operation = 'ADJUST',
            file_size_bytes =
                CASE operation WHEN 'DELETE' THEN -file_size_bytes ELSE file_size_bytes END,
            reason = COALESCE(
                reason, format('Written as %s of %s bytes before V10', operation, file_size_bytes)
            )
        WHERE file_size_bytes < 0 AND operation <> 'ADJUST';
        ALTER TABLE storage_events ENABLE TRIGGER keep_storage_events;
    END IF;
END $$;
