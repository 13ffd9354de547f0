"""Two of the demo's schools live in databases of their own, where the server lets us make them."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from analytics.models import GuestEvent, GuestSession
from kitehub import tenancy
from kitehub.demo import load, silos
from kitehub.demo.schools import SCHOOLS
from kitehub.models import Instance, InstanceConfig
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from storage.models import StorageEvent, StorageUsage
from tests.kitehub.demo.conftest import AT

MINE = [school.id for school in SCHOOLS if school.brand in silos.BRANDS]


@pytest.fixture
def nothing_left(transactional_db: None) -> Iterator[None]:
    yield
    close_all()
    silos._drop([silos._home(school) for school in MINE])
    with provisioning.administration() as admin:
        provisioning.drop_templates(admin)


def databases() -> set[str]:
    names = [silos._home(school).database_username for school in MINE]
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname = ANY (%s)", [names])
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.usefixtures("nothing_left")
def test_interrupted_it_leaves_no_database_and_run_again_both_schools_live_in_theirs() -> None:
    def interrupt(line: str) -> None:
        if line.startswith("Branding jobs"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(at=AT, own_databases=True, report=interrupt)
    assert databases() == set()
    # As a kill would leave it: of a run whose rows are gone.
    silos._make([silos._home(school) for school in MINE])
    counts = load(at=AT, own_databases=True)
    assert counts.events == 50_000
    schools = Instance.objects.filter(pk__in=MINE)
    assert {tenancy.database_of(school) for school in schools} == databases()
    inside = 0
    for school in schools:
        for model in (InstanceConfig, GuestSession, GuestEvent, StorageUsage, StorageEvent):
            rows: Any = model.objects.filter(instance_id=school.pk)
            assert rows.count() == 0  # not in the pool
            with tenancy.use(school):
                assert model.objects.count() > 0
        with tenancy.use(school):
            inside += GuestEvent.objects.count()
            # Dated by the demo's clock, in there too.
            assert StorageUsage.objects.get().last_updated < AT
    assert GuestEvent.objects.count() + inside == 50_000
    printed = StringIO()
    call_command("migrate_tenants", "--status", stdout=printed)
    assert printed.getvalue().count("up to date") == 2
    again: list[str] = []
    load(at=AT, own_databases=True, report=again.append)
    assert again == ["The demo is already there; nothing was changed."]


@pytest.mark.django_db
def test_role_that_may_make_no_databases_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE kitehub_demo_poor")
        cursor.execute("SET LOCAL ROLE kitehub_demo_poor")
        assert "lacks CREATEDB or CREATEROLE" in silos._obstacle()
        cursor.execute("RESET ROLE")
    monkeypatch.setattr(silos, "_obstacle", lambda: "the role is poor.")
    said: list[str] = []
    with silos.homes(said.append) as made:
        assert made == {}
    assert said == ["No school gets a database of its own: the role is poor."]
    assert databases() == set()
