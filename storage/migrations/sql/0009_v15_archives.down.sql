CREATE OR REPLACE TRIGGER keep_storage_events
    BEFORE UPDATE OR DELETE ON storage_events
    FOR EACH ROW
    WHEN (current_setting('kitehub.moving', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_event_change();

ALTER FUNCTION sign_storage_event() RESET search_path;
CREATE OR REPLACE FUNCTION sign_storage_event()
RETURNS TRIGGER AS $$
BEGIN
    NEW.created_by = COALESCE(
        NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user
    );
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
