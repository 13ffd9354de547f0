-- The limits of before come back by the same trigger.
DELETE FROM storage_tier_limits;
DROP TRIGGER move_all_tier_limits ON storage_tier_limits;
DROP TRIGGER move_tier_limits ON storage_tier_limits;
DROP FUNCTION move_tier_limits();

CREATE OR REPLACE FUNCTION storage_limit(tier TEXT, limitations JSONB)
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
