"""`manage.py migrate_tenants` on a silo as `open_instance` makes it, whose role may do little."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from kitehub import tenancy, workflows
from kitehub.models import Instance
from kitehub.tenancy import provisioning
from kitehub.tenancy.fanout import gather
from kitehub.tenancy.placement import alias_at
from kitehub.workflows import opening
from tests.factories.kitehub import UserFactory
from tests.kitehub.tenancy.fleet import Fleet
from tests.migrations.later import later

COLUMN = 'operations = [migrations.AddField("storageusage", "one", models.IntegerField(null=True))]'
TABLE = """operations = [migrations.RunSQL("CREATE TABLE later (n integer)", hints=USAGE),
    migrations.RunSQL("COMMENT ON TABLE later IS 'made later'", hints=USAGE)]"""


@pytest.fixture
def school(transactional_db: None) -> Iterator[Instance]:
    opened = workflows.open_instance(
        subdomain="sao-mai", organization_name="Sao Mai", owner=UserFactory(), actor="t", silo=True
    ).instance
    yield opened
    with provisioning.administration() as admin:
        provisioning.drop(admin, tenancy.database_of(opened), opened.database_username)
        provisioning.drop_templates(admin)


def test_role_of_a_silo_may_be_all_that_migrates_and_validates_it(
    school: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with later("storage", tmp_path, column=COLUMN, table=TABLE):
        call_command("migrate_tenants")
        assert capsys.readouterr().out.splitlines()[-1] == "1 silo: 1 migrated."
        call_command("migrate_tenants", "--status", "--validate")
        assert "up to date, no differences" in capsys.readouterr().out
        silos = Fleet([])
        silos.silos, _ = gather([(school.subdomain, school)])
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'later'"
        assert silos.values(owner) == ["kitehub_tenants"]  # as what the template made
        silos.execute(0, "ALTER TABLE storage_usage DROP COLUMN one")
        with pytest.raises(CommandError, match="1 of 1 differ"):
            call_command("migrate_tenants", "--status", "--validate")


def test_extension_that_the_role_may_not_make_is_one_line_that_says_how(
    school: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_available_extensions"
            " WHERE installed_version IS NULL AND name IN ('vector', 'pg_trgm') LIMIT 1"
        )
        ((name,),) = cursor.fetchall()
    there = f"SELECT count(*) FROM pg_extension WHERE extname = '{name}'"
    body = f'operations = [CreateExtension("{name}", models=("storage.StorageUsage",))]'
    with later("storage", tmp_path, extension=body):
        with pytest.raises(CommandError, match="1 of 1 failed"):
            call_command("migrate_tenants")
        made = f'CREATE EXTENSION "{name}"'
        superuser = connections[alias_at(tenancy.database_of(school))]
        with superuser.cursor() as cursor:
            cursor.execute(made)
        superuser.close()
        told = capsys.readouterr().out.splitlines()
        call_command("migrate_tenants")
        assert "1 silo: 1 migrated." in capsys.readouterr().out
        # The template, whose administrator may, has it.
        with provisioning.administration() as admin:
            template = provisioning.ensure_template(admin, opening._migrate)
            admin.execute(f"CREATE DATABASE extended TEMPLATE {template}")
        try:
            copy = connections[alias_at("extended")]
            with copy.cursor() as cursor:
                cursor.execute(there)
                assert cursor.fetchall() == [(1,)]
            copy.close()
        finally:
            with provisioning.administration() as admin:
                provisioning.drop(admin, "extended", "nobody_extended")
    line, summary = told
    assert f"lacks a right in the database {tenancy.database_of(school)}" in line
    assert f'As the owner or a superuser run: CREATE EXTENSION "{name}";' in line
    assert summary == "1 silo: 1 failed."


def test_what_is_in_the_way_is_said_before_the_first_migration_runs(
    school: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = """operations = [migrations.CreateModel("StorageUsageNote", fields=[
        ("id", models.BigAutoField(primary_key=True))], options={"db_table": "later"})]"""
    silos = Fleet([])
    silos.silos, _ = gather([(school.subdomain, school)])
    silos.execute(0, "CREATE TABLE later (n integer)")
    with (
        later("storage", tmp_path, column=COLUMN, model=model),
        patch("kitehub.tenancy.router.FORMER", frozenset({"storage.storageusagenote"})),
    ):
        with pytest.raises(CommandError, match="1 of 1 failed"):
            call_command("migrate_tenants")
        assert "Nothing was done: what the migrations would make" in (
            line := capsys.readouterr().out.splitlines()[0]
        )
        assert line.endswith(" table later")
        columns = "SELECT count(*) FROM pg_attribute WHERE attname = 'one'"
        assert silos.values(columns) == [0]
        silos.execute(0, "DROP TABLE later")
        call_command("migrate_tenants")
        assert silos.values(columns) == [1]
