-- Nobody but SQL by hand rewrites such rows: Django deletes and inserts. One event a person and
-- statement, of groups and permissions that they have come into or lost by it.
CREATE FUNCTION log_rewritten_memberships()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO security_events
        (kind, user_id, login, actor, reason, address, browser, details)
    SELECT 'POWERS_CHANGED', person.id, person.email,
        COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user),
        COALESCE(current_setting('kitehub.reason', true), ''),
        COALESCE(current_setting('kitehub.address', true), ''),
        COALESCE(current_setting('kitehub.browser', true), ''),
        jsonb_strip_nulls(jsonb_build_object(
            'groups_removed', jsonb_agg(auth_group.name ORDER BY auth_group.name)
                FILTER (WHERE NOT changed.given),
            'groups_added', jsonb_agg(auth_group.name ORDER BY auth_group.name)
                FILTER (WHERE changed.given)
        ))
    FROM (
        (
            SELECT user_id, group_id, false AS given FROM before
            EXCEPT
            SELECT user_id, group_id, false FROM after
        )
        UNION ALL
        (
            SELECT user_id, group_id, true FROM after
            EXCEPT
            SELECT user_id, group_id, true FROM before
        )
    ) AS changed
    JOIN kitehub_users AS person ON person.id = changed.user_id
    JOIN auth_group ON auth_group.id = changed.group_id
    GROUP BY person.id, person.email;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_rewritten_groups
    AFTER UPDATE ON kitehub_users_groups
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_rewritten_memberships();

CREATE FUNCTION log_rewritten_own_permissions()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO security_events
        (kind, user_id, login, actor, reason, address, browser, details)
    SELECT 'POWERS_CHANGED', person.id, person.email,
        COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user),
        COALESCE(current_setting('kitehub.reason', true), ''),
        COALESCE(current_setting('kitehub.address', true), ''),
        COALESCE(current_setting('kitehub.browser', true), ''),
        jsonb_strip_nulls(jsonb_build_object(
            'permissions_removed', jsonb_agg(
                kind.app_label || '.' || permission.codename
                ORDER BY kind.app_label, permission.codename
            ) FILTER (WHERE NOT changed.given),
            'permissions_added', jsonb_agg(
                kind.app_label || '.' || permission.codename
                ORDER BY kind.app_label, permission.codename
            ) FILTER (WHERE changed.given)
        ))
    FROM (
        (
            SELECT user_id, permission_id, false AS given FROM before
            EXCEPT
            SELECT user_id, permission_id, false FROM after
        )
        UNION ALL
        (
            SELECT user_id, permission_id, true FROM after
            EXCEPT
            SELECT user_id, permission_id, true FROM before
        )
    ) AS changed
    JOIN kitehub_users AS person ON person.id = changed.user_id
    JOIN auth_permission AS permission ON permission.id = changed.permission_id
    JOIN django_content_type AS kind ON kind.id = permission.content_type_id
    GROUP BY person.id, person.email;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_rewritten_permissions
    AFTER UPDATE ON kitehub_users_user_permissions
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_rewritten_own_permissions();

-- One event a group and statement.
CREATE FUNCTION log_rewritten_group_permissions()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO security_events (kind, actor, reason, address, browser, details)
    SELECT 'GROUP_CHANGED',
        COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user),
        COALESCE(current_setting('kitehub.reason', true), ''),
        COALESCE(current_setting('kitehub.address', true), ''),
        COALESCE(current_setting('kitehub.browser', true), ''),
        jsonb_strip_nulls(jsonb_build_object(
            'group', auth_group.name,
            'permissions_removed', jsonb_agg(
                kind.app_label || '.' || permission.codename
                ORDER BY kind.app_label, permission.codename
            ) FILTER (WHERE NOT changed.given),
            'permissions_added', jsonb_agg(
                kind.app_label || '.' || permission.codename
                ORDER BY kind.app_label, permission.codename
            ) FILTER (WHERE changed.given)
        ))
    FROM (
        (
            SELECT group_id, permission_id, false AS given FROM before
            EXCEPT
            SELECT group_id, permission_id, false FROM after
        )
        UNION ALL
        (
            SELECT group_id, permission_id, true FROM after
            EXCEPT
            SELECT group_id, permission_id, true FROM before
        )
    ) AS changed
    JOIN auth_group ON auth_group.id = changed.group_id
    JOIN auth_permission AS permission ON permission.id = changed.permission_id
    JOIN django_content_type AS kind ON kind.id = permission.content_type_id
    GROUP BY auth_group.id, auth_group.name;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER log_group_permissions_rewritten
    AFTER UPDATE ON auth_group_permissions
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION log_rewritten_group_permissions();

-- Whatever a writer's search path, it is these tables that are read and written.
DO $$
DECLARE
    named TEXT;
BEGIN
    FOREACH named IN ARRAY ARRAY[
        'log_rewritten_memberships', 'log_rewritten_own_permissions',
        'log_rewritten_group_permissions'
    ] LOOP
        EXECUTE format(
            'ALTER FUNCTION %I() SET search_path = %I, pg_temp', named, current_schema()
        );
    END LOOP;
END $$;
