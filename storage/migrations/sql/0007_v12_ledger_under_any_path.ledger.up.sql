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
