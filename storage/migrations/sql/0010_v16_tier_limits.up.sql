-- The tiers' numbers are those of kitehub/plans.py, which a test holds; a row of storage_tier_limits
-- comes before them. NULL is an override that is neither null (unlimited, as much as the column can
-- say) nor a whole number of bytes.
CREATE OR REPLACE FUNCTION storage_limit(tier TEXT, limitations JSONB)
RETURNS BIGINT AS $$
DECLARE
    most CONSTANT BIGINT := 9223372036854775807;
    override JSONB := limitations -> 'maxStorageBytes';
    changed BIGINT;
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
    SELECT COALESCE(limit_bytes, most) INTO changed
    FROM storage_tier_limits
    WHERE storage_tier_limits.tier = storage_limit.tier;
    IF FOUND THEN
        RETURN changed;
    END IF;
    RETURN CASE storage_limit.tier
        WHEN 'BASIC' THEN 0
        WHEN 'STANDARD' THEN 5368709120
        WHEN 'PREMIUM' THEN 21474836480
    END;
END;
$$ LANGUAGE plpgsql STABLE;

-- Configs that are being written took the limit as it was: they are waited for, and others wait.
-- Usage rows go in the order that storage events take them in.
CREATE FUNCTION move_tier_limits()
RETURNS TRIGGER AS $$
DECLARE
    moved TEXT[] := ARRAY['BASIC', 'STANDARD', 'PREMIUM'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        moved = ARRAY[NEW.tier];
    ELSIF TG_OP = 'UPDATE' THEN
        moved = ARRAY[OLD.tier, NEW.tier];
    ELSIF TG_OP = 'DELETE' THEN
        moved = ARRAY[OLD.tier];
    END IF;
    LOCK TABLE instance_configs IN SHARE MODE;
    PERFORM FROM storage_usage
    WHERE instance_id IN (
        SELECT instance_id FROM instance_configs WHERE tier = ANY (moved) AND NOT deleted
    )
    ORDER BY instance_id
    FOR UPDATE;
    UPDATE storage_usage AS usage
    SET limit_bytes = storage_limit(config.tier, config.limitations)
    FROM instance_configs AS config
    WHERE config.instance_id = usage.instance_id
        AND config.tier = ANY (moved)
        AND NOT config.deleted
        AND usage.limit_bytes <> storage_limit(config.tier, config.limitations);
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER move_tier_limits
    AFTER INSERT OR UPDATE OR DELETE ON storage_tier_limits
    FOR EACH ROW
    EXECUTE FUNCTION move_tier_limits();
CREATE TRIGGER move_all_tier_limits
    AFTER TRUNCATE ON storage_tier_limits
    FOR EACH STATEMENT
    EXECUTE FUNCTION move_tier_limits();

-- A writer's own search path must not lead the trigger elsewhere.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION move_tier_limits() SET search_path = %I, pg_temp', current_schema()
    );
END $$;
