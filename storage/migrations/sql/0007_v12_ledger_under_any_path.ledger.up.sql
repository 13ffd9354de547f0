-- A writer's own search path, with a temporary table of the same name or nothing on it, must not
-- lead the triggers elsewhere. What they call goes where they go.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['update_storage_usage()', 'hold_reservations()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;

-- An emptied table holds no room.
CREATE FUNCTION free_reservations()
RETURNS TRIGGER AS $$
BEGIN
    UPDATE storage_usage SET reserved_bytes = 0 WHERE reserved_bytes <> 0;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION free_reservations() SET search_path = %I, pg_temp', current_schema()
    );
END $$;
CREATE TRIGGER free_reservations
    AFTER TRUNCATE ON storage_reservations
    FOR EACH STATEMENT
    EXECUTE FUNCTION free_reservations();

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
