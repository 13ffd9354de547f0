-- The log is kept: rows are added, and taken away only once they are older than two years.
CREATE TRIGGER keep_security_events
    BEFORE UPDATE ON security_events
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_recent_security_events
    BEFORE DELETE ON security_events
    FOR EACH ROW
    WHEN (OLD.at > CURRENT_TIMESTAMP - INTERVAL '2 years')
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_security_events_whole
    BEFORE TRUNCATE ON security_events
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change();

-- Whoever writes them, SQL by hand included: e-mail addresses and powers.
CREATE FUNCTION log_account_change()
RETURNS TRIGGER AS $$
DECLARE
    who TEXT := COALESCE(
        NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user
    );
    why TEXT := COALESCE(current_setting('kitehub.reason', true), '');
    place TEXT := COALESCE(current_setting('kitehub.address', true), '');
    program TEXT := COALESCE(current_setting('kitehub.browser', true), '');
    powers JSONB := '{}';
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.email IS DISTINCT FROM NEW.email THEN
        INSERT INTO security_events
            (kind, user_id, login, actor, reason, address, browser, details)
        VALUES ('EMAIL_CHANGED', NEW.id, NEW.email, who, why, place, program,
            jsonb_build_object('before', OLD.email, 'after', NEW.email));
    END IF;
    IF TG_OP = 'INSERT' OR OLD.is_active IS DISTINCT FROM NEW.is_active THEN
        powers = powers || jsonb_build_object('is_active', NEW.is_active);
    END IF;
    IF TG_OP = 'INSERT' OR OLD.is_staff IS DISTINCT FROM NEW.is_staff THEN
        powers = powers || jsonb_build_object('is_staff', NEW.is_staff);
    END IF;
    IF TG_OP = 'INSERT' OR OLD.is_superuser IS DISTINCT FROM NEW.is_superuser THEN
        powers = powers || jsonb_build_object('is_superuser', NEW.is_superuser);
    END IF;
    IF powers <> '{}' THEN
        INSERT INTO security_events
            (kind, user_id, login, actor, reason, address, browser, details)
        VALUES ('POWERS_CHANGED', NEW.id, NEW.email, who, why, place, program, powers);
    END IF;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_powerful_accounts
    AFTER INSERT ON kitehub_users
    FOR EACH ROW
    WHEN (NEW.is_staff OR NEW.is_superuser)
    EXECUTE FUNCTION log_account_change();
CREATE TRIGGER log_account_changes
    AFTER UPDATE ON kitehub_users
    FOR EACH ROW
    WHEN ((OLD.email, OLD.is_active, OLD.is_staff, OLD.is_superuser)
        IS DISTINCT FROM (NEW.email, NEW.is_active, NEW.is_staff, NEW.is_superuser))
    EXECUTE FUNCTION log_account_change();

-- One event a person and statement: groups that they came into, or left.
CREATE FUNCTION log_memberships()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO security_events
        (kind, user_id, login, actor, reason, address, browser, details)
    SELECT 'POWERS_CHANGED', person.id, person.email,
        COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user),
        COALESCE(current_setting('kitehub.reason', true), ''),
        COALESCE(current_setting('kitehub.address', true), ''),
        COALESCE(current_setting('kitehub.browser', true), ''),
        jsonb_build_object(TG_ARGV[0], jsonb_agg(auth_group.name ORDER BY auth_group.name))
    FROM changed
    JOIN kitehub_users AS person ON person.id = changed.user_id
    JOIN auth_group ON auth_group.id = changed.group_id
    GROUP BY person.id, person.email;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_joined_groups
    AFTER INSERT ON kitehub_users_groups
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_memberships('groups_added');
CREATE TRIGGER log_left_groups
    AFTER DELETE ON kitehub_users_groups
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_memberships('groups_removed');

-- Permissions that somebody has beside those of their groups.
CREATE FUNCTION log_own_permissions()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO security_events
        (kind, user_id, login, actor, reason, address, browser, details)
    SELECT 'POWERS_CHANGED', person.id, person.email,
        COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user),
        COALESCE(current_setting('kitehub.reason', true), ''),
        COALESCE(current_setting('kitehub.address', true), ''),
        COALESCE(current_setting('kitehub.browser', true), ''),
        jsonb_build_object(TG_ARGV[0], jsonb_agg(
            kind.app_label || '.' || permission.codename
            ORDER BY kind.app_label, permission.codename
        ))
    FROM changed
    JOIN kitehub_users AS person ON person.id = changed.user_id
    JOIN auth_permission AS permission ON permission.id = changed.permission_id
    JOIN django_content_type AS kind ON kind.id = permission.content_type_id
    GROUP BY person.id, person.email;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_given_permissions
    AFTER INSERT ON kitehub_users_user_permissions
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_own_permissions('permissions_added');
CREATE TRIGGER log_taken_permissions
    AFTER DELETE ON kitehub_users_user_permissions
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_own_permissions('permissions_removed');

-- Permissions of groups: one event a group and statement.
CREATE FUNCTION log_group_permissions()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO security_events (kind, actor, reason, address, browser, details)
    SELECT 'GROUP_CHANGED',
        COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user),
        COALESCE(current_setting('kitehub.reason', true), ''),
        COALESCE(current_setting('kitehub.address', true), ''),
        COALESCE(current_setting('kitehub.browser', true), ''),
        jsonb_build_object('group', auth_group.name, TG_ARGV[0], jsonb_agg(
            kind.app_label || '.' || permission.codename
            ORDER BY kind.app_label, permission.codename
        ))
    FROM changed
    JOIN auth_group ON auth_group.id = changed.group_id
    JOIN auth_permission AS permission ON permission.id = changed.permission_id
    JOIN django_content_type AS kind ON kind.id = permission.content_type_id
    GROUP BY auth_group.id, auth_group.name;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_group_permissions_given
    AFTER INSERT ON auth_group_permissions
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_group_permissions('permissions_added');
CREATE TRIGGER log_group_permissions_taken
    AFTER DELETE ON auth_group_permissions
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_group_permissions('permissions_removed');

-- Whatever a writer's search path, it is these tables that are read and written.
DO $$
DECLARE
    named TEXT;
BEGIN
    FOREACH named IN ARRAY ARRAY[
        'log_account_change', 'log_memberships', 'log_own_permissions', 'log_group_permissions'
    ] LOOP
        EXECUTE format(
            'ALTER FUNCTION %I() SET search_path = %I, pg_temp', named, current_schema()
        );
    END LOOP;
END $$;
