-- The plan's function updates, finds no row, inserts one, and drops the bytes if another was first.
-- Here whoever finds no row makes an empty one, or waits for the other to make it, and updates that.
--
-- Once per statement rather than per row: a row that one transaction updates ten thousand times costs
-- it ten thousand steps along a chain of dead versions, each time. Instances go in order, so that two
-- statements about several never wait for each other.
--
-- Whatever an event says is counted. Only a sum below nothing can't be: the deletions of files that
-- never were counted are first made up for by an adjustment, which comes through here like the rest.
CREATE OR REPLACE FUNCTION update_storage_usage()
RETURNS TRIGGER AS $$
DECLARE
    instance UUID;
    previous UUID;
    change BIGINT;
    total BIGINT := 0;
BEGIN
    -- One instance is the rule. To find that out in a bare loop costs less than to sort one row.
    FOR instance, change IN
        SELECT instance_id, COALESCE(correction_bytes, 0)
            + CASE operation WHEN 'DELETE' THEN -file_size_bytes ELSE file_size_bytes END
        FROM added
    LOOP
        IF instance <> previous THEN
            previous = NULL;
            EXIT;
        END IF;
        previous = instance;
        total = total + change;
    END LOOP;
    IF previous IS NOT NULL THEN
        UPDATE storage_usage
        SET used_bytes = used_bytes + total, last_updated = NOW()
        WHERE instance_id = previous AND used_bytes >= -total;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;

    FOR instance, change, total IN
        SELECT instance_id, SUM(COALESCE(correction_bytes, 0)
            + CASE operation WHEN 'DELETE' THEN -file_size_bytes ELSE file_size_bytes END),
            COUNT(*) FILTER (WHERE operation = 'DELETE')
        FROM added
        GROUP BY instance_id
        ORDER BY instance_id
    LOOP
        PERFORM count_storage(instance, change, total > 0);
    END LOOP;
    RETURN NULL;
END;
$$ language 'plpgsql';

CREATE FUNCTION count_storage(instance UUID, change BIGINT, deletes BOOLEAN)
RETURNS VOID AS $$
DECLARE
    used BIGINT;
BEGIN
    LOOP
        UPDATE storage_usage
        SET used_bytes = used_bytes + change, last_updated = NOW()
        WHERE instance_id = instance AND (NOT deletes OR used_bytes >= -change);
        EXIT WHEN FOUND;

        INSERT INTO storage_usage (instance_id) VALUES (instance)
        ON CONFLICT (instance_id) DO NOTHING;

        SELECT used_bytes INTO used FROM storage_usage WHERE instance_id = instance FOR UPDATE;
        IF used < -change THEN
            INSERT INTO storage_events (
                instance_id, operation, file_size_bytes, file_type, file_name, file_url, reason
            ) VALUES (
                instance, 'ADJUST', -change - used, '', '', '', 'Deleted more than was counted'
            );
        END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

DROP TRIGGER track_storage_changes ON storage_events;
CREATE TRIGGER track_storage_changes
    AFTER INSERT ON storage_events
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION update_storage_usage();

-- The column's default signs for those who leave it out, without the cost of a call. This is for
-- those who write NULL.
CREATE FUNCTION sign_storage_event()
RETURNS TRIGGER AS $$
BEGIN
    NEW.created_by = COALESCE(
        NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user
    );
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER sign_storage_events
    BEFORE INSERT ON storage_events
    FOR EACH ROW
    WHEN (NEW.created_by IS NULL)
    EXECUTE FUNCTION sign_storage_event();

CREATE TRIGGER keep_storage_events
    BEFORE UPDATE OR DELETE ON storage_events
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_storage_events_whole
    BEFORE TRUNCATE ON storage_events
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();
