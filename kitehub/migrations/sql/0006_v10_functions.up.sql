-- One function for all that a record keeps true, because each trigger call costs about as much as
-- the row's own update. It must fire before update_<table>_updated_at: PostgreSQL goes by name.
CREATE FUNCTION keep_record()
RETURNS TRIGGER AS $$
DECLARE
    actor TEXT := NULLIF(current_setting('kitehub.actor', true), '');
    given BIGINT;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.deleted = NEW.deleted OR NEW.deleted_at IS NOT NULL;
        IF NEW.deleted AND NEW.deleted_at IS NULL THEN
            NEW.deleted_at = NOW();
        END IF;
        IF actor IS NOT NULL THEN
            NEW.created_by = COALESCE(NEW.created_by, actor);
            NEW.updated_by = COALESCE(NEW.updated_by, actor);
        END IF;
        RETURN NEW;
    END IF;

    -- The column that the writer changed leads; if both or neither changed, the flag does.
    IF NEW.deleted IS DISTINCT FROM (NEW.deleted_at IS NOT NULL) THEN
        IF NEW.deleted = OLD.deleted AND NEW.deleted_at IS DISTINCT FROM OLD.deleted_at THEN
            NEW.deleted = NEW.deleted_at IS NOT NULL;
        ELSE
            NEW.deleted_at = CASE WHEN NEW.deleted THEN NOW() END;
        END IF;
    END IF;

    -- Whatever the writer says of the version and the time, only a real change counts, once. A
    -- writer that counts itself (JPA's @Version) says OLD.version + 1 and means the same, also
    -- where it changes nothing else.
    given = NEW.version;
    NEW.version = OLD.version;
    NEW.updated_at = OLD.updated_at;
    IF given = OLD.version + 1 OR NEW IS DISTINCT FROM OLD THEN
        NEW.version = OLD.version + 1;
        NEW.updated_by = COALESCE(actor, NEW.updated_by);
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION refuse_change()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END;
$$ LANGUAGE plpgsql;

-- For triggers whose WHEN knows the lifecycle: what is allowed then costs no call.
CREATE FUNCTION refuse_transition()
RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION '%: % cannot become %', TG_TABLE_NAME, OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$ LANGUAGE plpgsql;
