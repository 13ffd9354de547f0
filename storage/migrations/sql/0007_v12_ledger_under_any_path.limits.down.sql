DROP TRIGGER move_storage_limits ON instance_configs;

ALTER FUNCTION take_storage_limit() RESET search_path;

CREATE OR REPLACE FUNCTION move_storage_limit()
RETURNS TRIGGER AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND
        (OLD.instance_id, OLD.tier, OLD.limitations, OLD.deleted)
        IS NOT DISTINCT FROM (NEW.instance_id, NEW.tier, NEW.limitations, NEW.deleted)
    THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.instance_id <> NEW.instance_id THEN
        UPDATE storage_usage SET limit_bytes = 0 WHERE instance_id = OLD.instance_id;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN NULL;
    END IF;
    IF storage_limit(NEW.tier, NEW.limitations) IS NULL THEN
        RAISE EXCEPTION 'limitations: maxStorageBytes is %, and neither null nor whole bytes',
            NEW.limitations -> 'maxStorageBytes'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    INSERT INTO storage_usage AS usage (instance_id)
    VALUES (NEW.instance_id)
    ON CONFLICT (instance_id) DO UPDATE
    SET limit_bytes = excluded.limit_bytes
    WHERE usage.limit_bytes <> excluded.limit_bytes;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;
