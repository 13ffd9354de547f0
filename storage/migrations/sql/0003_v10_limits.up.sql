-- The tiers' numbers are those of kitehub/plans.py, which a test holds. NULL is an override that is
-- neither null (unlimited, as much as the column can say) nor a whole number of bytes.
CREATE FUNCTION storage_limit(tier TEXT, limitations JSONB)
RETURNS BIGINT AS $$
DECLARE
    most CONSTANT BIGINT := 9223372036854775807;
    override JSONB := limitations -> 'maxStorageBytes';
BEGIN
    IF override = 'null' THEN
        RETURN most;
    ELSIF jsonb_typeof(override) = 'number' THEN
        RETURN CASE
            WHEN override::numeric BETWEEN 0 AND most AND override::numeric % 1 = 0
            THEN override::numeric
        END;
    ELSIF override IS NOT NULL THEN
        RETURN NULL;
    END IF;
    RETURN CASE tier
        WHEN 'BASIC' THEN 0
        WHEN 'STANDARD' THEN 5368709120
        WHEN 'PREMIUM' THEN 21474836480
    END;
END;
$$ LANGUAGE plpgsql IMMUTABLE;

-- NULL for an instance without a config, or with one that is deleted.
CREATE FUNCTION storage_limit_of(instance UUID)
RETURNS BIGINT AS $$
    SELECT storage_limit(tier, limitations)
    FROM instance_configs
    WHERE instance_id = instance AND NOT deleted;
$$ LANGUAGE sql STABLE;

CREATE FUNCTION take_storage_limit()
RETURNS TRIGGER AS $$
BEGIN
    NEW.limit_bytes = COALESCE(storage_limit_of(NEW.instance_id), NEW.limit_bytes, 0);
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER take_storage_limit
    BEFORE INSERT ON storage_usage
    FOR EACH ROW
    EXECUTE FUNCTION take_storage_limit();

-- An upsert, because a first event may be writing the usage row at the same moment, with the limit
-- of the config as it was: the unique key makes one wait for the other.
CREATE FUNCTION move_storage_limit()
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

CREATE TRIGGER move_storage_limit
    AFTER INSERT OR UPDATE OR DELETE ON instance_configs
    FOR EACH ROW
    EXECUTE FUNCTION move_storage_limit();
