-- An open run of the instance in archive_runs is the leave to do what nobody else may; the row is
-- also the trace of it. Writers of new events don't pay for the look: these functions are called for
-- events that nobody signed, and for changes, which are refused otherwise.

-- An event from before V10 that comes back has no author.
CREATE OR REPLACE FUNCTION sign_storage_event()
RETURNS TRIGGER AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM archive_runs
        WHERE instance_id = NEW.instance_id AND kind = 'IMPORT' AND finished_at IS NULL
    ) THEN
        NEW.created_by = COALESCE(
            NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user
        );
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION refuse_event_change()
RETURNS TRIGGER AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM archive_runs
        WHERE instance_id = OLD.instance_id AND kind = 'ERASURE' AND finished_at IS NULL
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END;
$$ LANGUAGE plpgsql;

-- A writer's own search path must not lead them to a table of the same name.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['sign_storage_event()', 'refuse_event_change()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;

CREATE OR REPLACE TRIGGER keep_storage_events
    BEFORE UPDATE OR DELETE ON storage_events
    FOR EACH ROW
    WHEN (current_setting('kitehub.moving', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION refuse_event_change();
