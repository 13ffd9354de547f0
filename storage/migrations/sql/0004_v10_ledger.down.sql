DROP TRIGGER keep_storage_events_whole ON storage_events;
DROP TRIGGER keep_storage_events ON storage_events;
DROP TRIGGER sign_storage_events ON storage_events;
DROP FUNCTION sign_storage_event();

-- The plan knows two operations. What an adjustment counted stays counted.
UPDATE storage_events
SET operation = CASE WHEN file_size_bytes < 0 THEN 'DELETE' ELSE 'UPLOAD' END,
    file_size_bytes = abs(file_size_bytes)
WHERE operation = 'ADJUST';

DROP TRIGGER track_storage_changes ON storage_events;
DROP FUNCTION count_storage(UUID, BIGINT, BOOLEAN);
CREATE OR REPLACE FUNCTION update_storage_usage()
RETURNS TRIGGER AS $$
BEGIN
    IF (NEW.operation = 'UPLOAD') THEN
        UPDATE storage_usage
        SET used_bytes = used_bytes + NEW.file_size_bytes,
            last_updated = NOW()
        WHERE instance_id = NEW.instance_id;

        -- Insert if not exists
        INSERT INTO storage_usage (instance_id, used_bytes, limit_bytes)
        VALUES (NEW.instance_id, NEW.file_size_bytes, 0)
        ON CONFLICT (instance_id) DO NOTHING;

    ELSIF (NEW.operation = 'DELETE') THEN
        UPDATE storage_usage
        SET used_bytes = GREATEST(used_bytes - NEW.file_size_bytes, 0),
            last_updated = NOW()
        WHERE instance_id = NEW.instance_id;
    END IF;

    RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER track_storage_changes
    AFTER INSERT ON storage_events
    FOR EACH ROW
    EXECUTE FUNCTION update_storage_usage();
