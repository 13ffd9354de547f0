-- Room is taken by one conditional update, so there is no moment between looking and taking. Only
-- who finds none looks again, with the row locked, to say what there is.
CREATE FUNCTION hold_storage(instance UUID, held BIGINT)
RETURNS VOID AS $$
DECLARE
    there storage_usage;
BEGIN
    IF held <= 0 THEN
        -- Room can always be given back, also where the sum was tampered with: reconcile mends that.
        UPDATE storage_usage SET reserved_bytes = GREATEST(reserved_bytes + held, 0)
        WHERE instance_id = instance;
        RETURN;
    END IF;
    LOOP
        UPDATE storage_usage SET reserved_bytes = reserved_bytes + held
        WHERE instance_id = instance AND held <= limit_bytes - used_bytes - reserved_bytes;
        EXIT WHEN FOUND;

        INSERT INTO storage_usage (instance_id) VALUES (instance)
        ON CONFLICT (instance_id) DO NOTHING;
        SELECT * INTO there FROM storage_usage WHERE instance_id = instance FOR UPDATE;
        IF held > there.limit_bytes - there.used_bytes - there.reserved_bytes THEN
            RAISE EXCEPTION 'no room for % bytes in instance %', held, instance
                USING ERRCODE = 'check_violation', CONSTRAINT = 'storage_quota',
                DETAIL = json_build_object(
                    'used', there.used_bytes, 'reserved', there.reserved_bytes,
                    'limit', there.limit_bytes, 'size', held
                );
        END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

-- Keeps reserved_bytes equal to the sum of the open reservations, whoever writes them.
CREATE FUNCTION hold_reservations()
RETURNS TRIGGER AS $$
DECLARE
    instance UUID;
    held BIGINT;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR instance, held IN
            SELECT instance_id, SUM(size_bytes) FROM after WHERE status = 'OPEN'
            GROUP BY instance_id ORDER BY instance_id
        LOOP
            PERFORM hold_storage(instance, held);
        END LOOP;
    ELSIF TG_OP = 'UPDATE' THEN
        FOR instance, held IN
            SELECT instance_id, SUM(change) FROM (
                SELECT instance_id, size_bytes AS change FROM after WHERE status = 'OPEN'
                UNION ALL
                SELECT instance_id, -size_bytes FROM before WHERE status = 'OPEN'
            ) AS changes
            GROUP BY instance_id HAVING SUM(change) <> 0 ORDER BY instance_id
        LOOP
            PERFORM hold_storage(instance, held);
        END LOOP;
    ELSE
        FOR instance, held IN
            SELECT instance_id, SUM(size_bytes) FROM before WHERE status = 'OPEN'
            GROUP BY instance_id ORDER BY instance_id
        LOOP
            PERFORM hold_storage(instance, -held);
        END LOOP;
    END IF;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER hold_new_reservations
    AFTER INSERT ON storage_reservations
    REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION hold_reservations();
CREATE TRIGGER hold_changed_reservations
    AFTER UPDATE ON storage_reservations
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION hold_reservations();
CREATE TRIGGER hold_deleted_reservations
    AFTER DELETE ON storage_reservations
    REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT
    EXECUTE FUNCTION hold_reservations();

-- Written by the lifecycle; a test holds the two equal.
CREATE TRIGGER guard_storage_reservations_status
    AFTER UPDATE ON storage_reservations
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('OPEN', 'COMMITTED'),
        ('OPEN', 'RELEASED'),
        ('OPEN', 'EXPIRED'),
        ('EXPIRED', 'OPEN')
    ))
    EXECUTE FUNCTION refuse_transition();
