-- Who issues a key; and of a key that replaces another, that it belongs to the same line, in which
-- no more than two are live. Moments are the writer's own (created_at), so that history can be
-- restored. Whoever adds to a line locks its first key, so the count is right under any number of
-- writers.
CREATE FUNCTION keep_new_api_key()
RETURNS TRIGGER AS $$
DECLARE
    replaced RECORD;
    live BIGINT;
BEGIN
    NEW.created_by = COALESCE(
        NULLIF(NEW.created_by, ''),
        NULLIF(current_setting('kitehub.actor', true), ''),
        'db:' || current_user
    );
    IF NEW.replaces_id IS NULL THEN
        NEW.line_id = NEW.id;
        RETURN NEW;
    END IF;

    SELECT * INTO replaced FROM api_keys WHERE id = NEW.replaces_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NEW;  -- The reference itself is checked at the end of the transaction.
    END IF;
    IF replaced.instance_id <> NEW.instance_id OR replaced.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'api_keys: % cannot be replaced by this key', replaced.prefix
            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_keys_replaceable';
    END IF;
    NEW.line_id = replaced.line_id;
    PERFORM FROM api_keys WHERE id = NEW.line_id FOR NO KEY UPDATE;
    SELECT count(*) INTO live FROM api_keys
    WHERE line_id = NEW.line_id AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > NEW.created_at);
    IF live > 1 THEN
        RAISE EXCEPTION 'api_keys: % live keys in line %', live, NEW.line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_keys_two_live';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

-- Whatever a writer's search path, it is this table that is counted.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION keep_new_api_key() SET search_path = %I, pg_temp', current_schema()
    );
END $$;

CREATE TRIGGER keep_new_api_keys
    BEFORE INSERT ON api_keys
    FOR EACH ROW
    EXECUTE FUNCTION keep_new_api_key();

CREATE FUNCTION keep_revoked_api_key()
RETURNS TRIGGER AS $$
BEGIN
    NEW.revoked_by = COALESCE(
        NULLIF(NEW.revoked_by, ''),
        NULLIF(current_setting('kitehub.actor', true), ''),
        'db:' || current_user
    );
    NEW.revoked_reason = COALESCE(
        NEW.revoked_reason, NULLIF(current_setting('kitehub.reason', true), '')
    );
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER keep_revoked_api_keys
    BEFORE UPDATE ON api_keys
    FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION keep_revoked_api_key();

-- The last use is written all the time: no function is called for it.
CREATE FUNCTION refuse_api_key_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'api_keys: %: %', OLD.prefix, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER guard_api_keys_issued
    AFTER UPDATE ON api_keys
    FOR EACH ROW
    WHEN ((
        OLD.id, OLD.instance_id, OLD.name, OLD.prefix, OLD.secret_hash, OLD.scopes,
        OLD.created_at, OLD.created_by, OLD.replaces_id, OLD.line_id
    ) IS DISTINCT FROM (
        NEW.id, NEW.instance_id, NEW.name, NEW.prefix, NEW.secret_hash, NEW.scopes,
        NEW.created_at, NEW.created_by, NEW.replaces_id, NEW.line_id
    ))
    EXECUTE FUNCTION refuse_api_key_change('a key stays what it was issued as');

CREATE TRIGGER guard_api_keys_expiry
    AFTER UPDATE ON api_keys
    FOR EACH ROW
    WHEN (OLD.expires_at IS NOT NULL
        AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))
    EXECUTE FUNCTION refuse_api_key_change('its end may only come earlier');

CREATE TRIGGER guard_api_keys_revocation
    AFTER UPDATE ON api_keys
    FOR EACH ROW
    WHEN (OLD.revoked_at IS NOT NULL AND (
        OLD.revoked_at, OLD.revoked_by, OLD.revoked_reason, OLD.expires_at
    ) IS DISTINCT FROM (
        NEW.revoked_at, NEW.revoked_by, NEW.revoked_reason, NEW.expires_at
    ))
    EXECUTE FUNCTION refuse_api_key_change('a revoked key stays revoked');
