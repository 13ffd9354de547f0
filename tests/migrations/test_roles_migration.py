"""Groups of staff come with V18, however a database gets there, and go with it; staff's own stay."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.roles import GROUP_NAMES, Role, permissions_of
from kitehub.services.roles import sync_after_migrate
from tests.migrations.commands import schema
from tests.migrations.databases import database, execute, value

NAMES = set(GROUP_NAMES.values())
HELD = """
    SELECT kind.app_label || '.' || permission.codename
    FROM auth_group
    JOIN auth_group_permissions AS held ON held.group_id = auth_group.id
    JOIN auth_permission AS permission ON permission.id = held.permission_id
    JOIN django_content_type AS kind ON kind.id = permission.content_type_id
    WHERE auth_group.name = '{}'
"""
GIVE = """
    INSERT INTO auth_group_permissions (group_id, permission_id)
    SELECT auth_group.id, permission.id
    FROM auth_group, auth_permission AS permission
    JOIN django_content_type AS kind ON kind.id = permission.content_type_id
    WHERE auth_group.name = '{}' AND kind.app_label || '.' || permission.codename = '{}'
"""


@pytest.fixture(scope="module")
def made(_databases_allowed: None) -> Iterator[BaseDatabaseWrapper]:
    """A database that `migrate` has made from nothing."""
    with database() as live:
        call_command("migrate", database=live.alias, verbosity=0)
        yield live


@pytest.fixture
def migrated(made: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    with database(made) as live:
        yield live


def groups(live: BaseDatabaseWrapper) -> set[object]:
    return {name for (name,) in execute(live, "SELECT name FROM auth_group")}


def held(live: BaseDatabaseWrapper, group: str) -> set[object]:
    return {name for (name,) in execute(live, HELD.format(group))}


def expected(live: BaseDatabaseWrapper, role: Role) -> set[object]:
    """What the table says, as far as there are such permissions."""
    known = execute(
        live,
        "SELECT app_label || '.' || codename FROM auth_permission"
        " JOIN django_content_type AS kind ON kind.id = content_type_id",
    )
    return {name for (name,) in known if name in permissions_of(role)}


def test_migrate_from_nothing_gives_every_role_what_it_may(
    migrated: BaseDatabaseWrapper,
) -> None:
    assert groups(migrated) == NAMES
    for role in Role:
        assert held(migrated, GROUP_NAMES[role]) == expected(migrated, role) != set()
    # Again: nothing more, nothing less.
    before = execute(migrated, "SELECT group_id, permission_id FROM auth_group_permissions")
    call_command("migrate", database=migrated.alias, verbosity=0)
    sync_after_migrate(using=migrated.alias)
    after = execute(migrated, "SELECT group_id, permission_id FROM auth_group_permissions")
    assert sorted(before) == sorted(after)


def test_schema_to_gives_them_too_and_takes_them_back(empty: BaseDatabaseWrapper) -> None:
    assert schema(empty, "to", "V17", "--yes").code == 0
    execute(empty, "INSERT INTO auth_group (name) VALUES ('Kế toán'), ('Giáo vụ')")
    assert schema(empty, "to", "V18", "--yes").code == 0
    assert groups(empty) == NAMES | {"Giáo vụ", "Kế toán 2"}
    assert held(empty, "Kế toán") == set(), "staff's own group gets nothing by its name"
    assert held(empty, "Kế toán 2") == expected(empty, Role.FINANCE) != set()
    assert schema(empty, "to", "V17", "--yes").code == 0
    assert groups(empty) == {"Kế toán", "Giáo vụ"}
    assert value(empty, "SELECT count(*) FROM auth_group_permissions") == 0


def test_a_step_back_keeps_what_staff_made_of_a_group(migrated: BaseDatabaseWrapper) -> None:
    execute(migrated, "UPDATE auth_group SET name = 'Chăm sóc' WHERE name = 'Hỗ trợ'")
    execute(migrated, GIVE.format("Vận hành", "kitehub.change_user"))
    execute(
        migrated,
        """
        WITH person AS (
            INSERT INTO kitehub_users
                (email, password, full_name, is_superuser, is_staff, is_active)
            VALUES ('lan@example.vn', '', 'Lan', false, true, true) RETURNING id
        )
        INSERT INTO kitehub_users_groups (user_id, group_id)
        SELECT person.id, auth_group.id FROM person, auth_group WHERE name = 'Kế toán'
        """,
    )
    assert schema(migrated, "to", "V17", "--yes").code == 0
    assert groups(migrated) == {"Chăm sóc", "Vận hành", "Kế toán"}
    assert held(migrated, "Vận hành") == {"kitehub.change_user"}
    assert held(migrated, "Kế toán") == held(migrated, "Chăm sóc") == set()
    assert value(migrated, "SELECT count(*) FROM kitehub_users_groups") == 1
    assert schema(migrated, "to", "V18", "--yes").code == 0
    assert groups(migrated) >= {*NAMES, "Chăm sóc", "Vận hành 2", "Kế toán 2"}
    assert held(migrated, "Kế toán") == set(), "whoever is in it gets nothing unasked"


def test_every_change_of_powers_is_in_the_log_whoever_makes_it(
    migrated: BaseDatabaseWrapper,
) -> None:
    said = execute(migrated, "SELECT kind, actor, details->>'group' FROM security_events")
    assert {("GROUP_CHANGED", "migrate", name) for name in NAMES} == set(said)
    execute(
        migrated,
        """
        INSERT INTO kitehub_users (email, password, full_name, is_superuser, is_staff, is_active)
        VALUES ('lan@example.vn', '', 'Lan', false, true, true),
               ('chu-truong@example.vn', '', 'Chủ trường', false, false, true);
        UPDATE kitehub_users SET email = 'an@example.vn', is_superuser = true
        WHERE email = 'lan@example.vn';
        UPDATE kitehub_users SET full_name = 'An';
        INSERT INTO kitehub_users_groups (user_id, group_id)
        SELECT person.id, auth_group.id FROM kitehub_users AS person, auth_group
        WHERE email = 'an@example.vn' AND name IN ('Hỗ trợ', 'Kế toán');
        DELETE FROM kitehub_users_groups
        WHERE group_id = (SELECT id FROM auth_group WHERE name = 'Hỗ trợ');
        INSERT INTO kitehub_users_user_permissions (user_id, permission_id)
        SELECT person.id, permission.id FROM kitehub_users AS person, auth_permission AS permission
        WHERE email = 'an@example.vn' AND codename = 'view_receipt';
        """,
    )
    who = f"db:{value(migrated, 'SELECT current_user')}"
    found = execute(
        migrated,
        "SELECT kind, login, actor, details::text FROM security_events"
        " WHERE kind <> 'GROUP_CHANGED' ORDER BY id",
    )
    assert found == [
        (
            "POWERS_CHANGED",
            "lan@example.vn",
            who,
            '{"is_staff": true, "is_active": true, "is_superuser": false}',
        ),
        (
            "EMAIL_CHANGED",
            "an@example.vn",
            who,
            '{"after": "an@example.vn", "before": "lan@example.vn"}',
        ),
        ("POWERS_CHANGED", "an@example.vn", who, '{"is_superuser": true}'),
        ("POWERS_CHANGED", "an@example.vn", who, '{"groups_added": ["Hỗ trợ", "Kế toán"]}'),
        ("POWERS_CHANGED", "an@example.vn", who, '{"groups_removed": ["Hỗ trợ"]}'),
        (
            "POWERS_CHANGED",
            "an@example.vn",
            who,
            '{"permissions_added": ["billing.view_receipt"]}',
        ),
    ]
