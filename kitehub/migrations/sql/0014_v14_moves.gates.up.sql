-- When a gate last changed, in microseconds since 1970. A sequence, because everybody sees it at
-- once, also a transaction whose snapshot is older than the gate's row.
CREATE SEQUENCE gates_changed_at MINVALUE 0 START 0;

-- Raises where an instance's gate is closed. A suspension outweighs a move, which ends by itself.
CREATE FUNCTION refuse_gated(instance UUID)
RETURNS VOID AS $$
DECLARE
    why TEXT;
BEGIN
    SELECT reason INTO why
    FROM instance_gates
    WHERE instance_id = instance AND reason <> 'WATCHED'
        AND (expires_at IS NULL OR expires_at > clock_timestamp())
        AND (reason = 'MOVING' OR current_setting('kitehub.migrating', true) IS DISTINCT FROM 'on')
    ORDER BY array_position(ARRAY['MOVED', 'SUSPENDED', 'MOVING'], reason::text)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'writes of instance % are refused: %', instance, CASE why
                WHEN 'MOVED' THEN 'it has moved to another database'
                WHEN 'SUSPENDED' THEN 'it is suspended'
                ELSE 'it is being moved, try again in a moment'
            END
            USING ERRCODE = '55K01',
                DETAIL = json_build_object('instance', instance, 'reason', why);
    END IF;
END;
$$ LANGUAGE plpgsql;

-- What a transaction sees that keeps its first snapshot may be older than a gate: it has to begin
-- again. All others see each gate that is there when they ask.
CREATE FUNCTION refuse_old_snapshot()
RETURNS VOID AS $$
BEGIN
    IF (SELECT last_value FROM gates_changed_at)
        >= (EXTRACT(EPOCH FROM transaction_timestamp()) * 1000000)::bigint
    THEN
        RAISE EXCEPTION 'could not serialize access: a write gate changed meanwhile'
            USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again.';
    END IF;
END;
$$ LANGUAGE plpgsql;

-- kitehub.moving is set by what copies and removes rows as they are, past the other triggers. It
-- does nothing but for schools whose gate is closed for a move.
CREATE FUNCTION refuse_unmoved(instance UUID)
RETURNS VOID AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM instance_gates
        WHERE instance_id = instance AND reason IN ('MOVING', 'MOVED')
    ) THEN
        RAISE EXCEPTION 'kitehub.moving is set, and instance % is not being moved', instance
            USING ERRCODE = 'restrict_violation';
    END IF;
END;
$$ LANGUAGE plpgsql;

-- For tables that have one row an instance: before each row.
CREATE FUNCTION gate_row()
RETURNS TRIGGER AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM refuse_old_snapshot();
    END IF;
    IF current_setting('kitehub.moving', true) = 'on' THEN
        PERFORM refuse_unmoved(COALESCE(NEW.instance_id, OLD.instance_id));
    ELSIF EXISTS (SELECT FROM instance_gates) THEN
        IF TG_OP <> 'INSERT' THEN
            PERFORM refuse_gated(OLD.instance_id);
        END IF;
        IF TG_OP = 'INSERT' OR NEW.instance_id <> OLD.instance_id THEN
            PERFORM refuse_gated(NEW.instance_id);
        END IF;
    END IF;
    RETURN COALESCE(NEW, OLD);
END;
$$ LANGUAGE plpgsql;

-- For all other tables: after a statement, however many rows it wrote. `touched` are the new rows,
-- of a DELETE the old ones; an UPDATE has the old ones in `before`.
CREATE FUNCTION gate_rows()
RETURNS TRIGGER AS $$
DECLARE
    moving BOOLEAN := COALESCE(current_setting('kitehub.moving', true) = 'on', false);
    instance UUID;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM refuse_old_snapshot();
    END IF;
    IF NOT moving AND NOT EXISTS (SELECT FROM instance_gates) THEN
        RETURN NULL;
    END IF;
    FOR instance IN SELECT DISTINCT instance_id FROM touched LOOP
        IF moving THEN
            PERFORM refuse_unmoved(instance);
        ELSE
            PERFORM refuse_gated(instance);
        END IF;
    END LOOP;
    IF TG_OP = 'UPDATE' THEN
        FOR instance IN SELECT DISTINCT instance_id FROM before LOOP
            IF moving THEN
                PERFORM refuse_unmoved(instance);
            ELSE
                PERFORM refuse_gated(instance);
            END IF;
        END LOOP;
        INSERT INTO instance_changes (instance_id, table_name, row_id)
        SELECT rows.instance_id, TG_TABLE_NAME, rows.id
        FROM before AS rows
        JOIN instance_gates AS gate ON gate.instance_id = rows.instance_id
        WHERE gate.reason = 'WATCHED' AND NOT moving;
    END IF;
    INSERT INTO instance_changes (instance_id, table_name, row_id)
    SELECT rows.instance_id, TG_TABLE_NAME, rows.id
    FROM touched AS rows
    JOIN instance_gates AS gate ON gate.instance_id = rows.instance_id
    WHERE gate.reason = 'WATCHED' AND NOT moving;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

-- TRUNCATE empties the tables of all schools, so it may not go past the gate of any, nor unseen
-- by a move.
CREATE FUNCTION gate_table()
RETURNS TRIGGER AS $$
DECLARE
    instance UUID;
BEGIN
    FOR instance IN SELECT DISTINCT instance_id FROM instance_gates LOOP
        PERFORM refuse_gated(instance);
    END LOOP;
    IF EXISTS (SELECT FROM instance_gates WHERE reason = 'WATCHED') THEN
        RAISE EXCEPTION '% is refused: an instance is being copied', TG_OP
            USING ERRCODE = 'object_in_use';
    END IF;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

-- A writer's own search path must not lead the triggers elsewhere; what they call goes with them.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['gate_row()', 'gate_rows()', 'gate_table()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
