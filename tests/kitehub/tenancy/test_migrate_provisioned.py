"""`manage.py migrate_tenants` on a silo as `open_instance` makes it, whose role may do little."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from kitehub import tenancy, workflows
from kitehub.models import Instance
from kitehub.tenancy import provisioning
from kitehub.tenancy.fanout import gather
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
        silos.execute(0, "ALTER TABLE storage_usage DROP COLUMN one")
        with pytest.raises(CommandError, match="1 of 1 differ"):
            call_command("migrate_tenants", "--status", "--validate")
