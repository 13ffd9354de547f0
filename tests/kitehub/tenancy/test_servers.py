"""Silos on two PostgreSQL servers at once: the platform's own and one that the settings name."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from analytics.models import GuestEvent
from kitehub import tenancy, workflows
from kitehub.db.servers import servers
from kitehub.models import Instance, InstanceConfig, User
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from kitehub.tenancy.servers import UnknownServer, server_of
from tests.concurrency.own_server import OwnServer, programs
from tests.factories.kitehub import UserFactory
from tests.migrations.later import later

COLUMN = 'operations = [migrations.AddField("storageusage", "one", models.IntegerField(null=True))]'


@pytest.fixture(scope="module")
def second(django_db_blocker: Any) -> Iterator[OwnServer]:
    """Another server of the version under test, whose administrator is no superuser."""
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        under_test = cursor.connection.info.server_version
    folder = Path(tempfile.mkdtemp(prefix="kitehub-second-"))
    server = OwnServer(folder, programs(under_test // 10_000))
    try:
        server.make()
        server.execute("CREATE ROLE hub LOGIN CREATEDB CREATEROLE PASSWORD 'a,secret=of:hub'")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def owner(second: OwnServer, settings: Any, transactional_db: None) -> Iterator[User]:
    """Somebody whose schools may live on either server."""
    address = f"postgres://hub:a%2Csecret%3Dof%3Ahub@{quote(str(second.folder), safe='')}:5432"
    settings.KITEHUB_SILO_SERVERS = servers(f"b={address}/postgres?connect_timeout=5")
    yield UserFactory()
    close_all()
    for name in ("", "b"):
        with provisioning.administration(name) as admin:
            for school in Instance.all_objects.exclude(database_username=""):
                if server_of(school) == name:
                    at, role = tenancy.database_of(school), school.database_username
                    provisioning.drop(admin, at, role)


@pytest.fixture(scope="module", autouse=True)
def _no_template_left(django_db_blocker: Any) -> Iterator[None]:
    yield
    with django_db_blocker.unblock(), provisioning.administration() as admin:
        provisioning.drop_templates(admin)


@contextmanager
def stopped(server: OwnServer) -> Iterator[None]:
    close_all()
    server.stop()
    try:
        yield
    finally:
        server.start()


def open_school(owner: User, subdomain: str, **where: Any) -> Instance:
    return workflows.open_instance(
        subdomain=subdomain, organization_name=subdomain, owner=owner, actor="t", **where
    ).instance


def test_schools_on_two_servers_are_opened_used_and_migrated_alike(
    owner: User, second: OwnServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with provisioning.staying_connected():
        here = open_school(owner, "here", silo=True)
        there = open_school(owner, "there", server="b")
    assert (server_of(here), server_of(there)) == ("", "b")
    assert "hub:" not in there.database_url
    assert "secret" not in there.database_url
    for school in (here, there):
        with tenancy.use(school), tenancy.atomic():
            GuestEvent.objects.create(session_id=school.subdomain, event_type="page_view")
    database = tenancy.database_of(there)
    rows = second.execute("SELECT session_id, current_user FROM guest_events", database=database)
    assert rows == [("there", "postgres")]
    own = "SELECT datname FROM pg_database WHERE datname LIKE 'kitehub%' AND NOT datistemplate"
    assert second.execute(own) == [(database,)]
    with later("storage", tmp_path, column=COLUMN):
        call_command("migrate_tenants")
        assert "2 silos: 2 migrated." in capsys.readouterr().out
        call_command("migrate_tenants", "--status", "--validate")
    assert capsys.readouterr().out.count("up to date, no differences") == 2


def test_of_a_server_that_is_down_only_the_silos_fail_and_the_rest_is_done_later(
    owner: User, second: OwnServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = open_school(owner, "here", silo=True)
    there = open_school(owner, "there", server="b")
    with later("storage", tmp_path, column=COLUMN):
        with stopped(second):
            with tenancy.use(here):
                assert InstanceConfig.objects.count() == 1
            with tenancy.use(there), pytest.raises(OperationalError):
                InstanceConfig.objects.count()
            with pytest.raises(CommandError, match="1 of 2 failed"):
                call_command("migrate_tenants")
            said = capsys.readouterr().out
            assert "doesn't answer" in said
            assert "secret" not in said
            assert "2 silos: 1 migrated, 1 failed." in said
            with pytest.raises(provisioning.ServerRefused, match="in KITEHUB_SILO_SERVERS"):
                open_school(owner, "third", server="b")
        # What the failure cut short is finished by the same calls; a new silo is a copy of the
        # newest template.
        open_school(owner, "third", server="b")
        call_command("migrate_tenants")
        assert "3 silos: 2 up to date, 1 migrated." in capsys.readouterr().out


def test_server_without_a_name_is_an_error_that_says_which_there_are(
    owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnknownServer, match="no server c: KITEHUB_SILO_SERVERS names b"):
        open_school(owner, "there", server="c")
    assert not Instance.all_objects.exists()
    arguments = ["provision_instance", "there", "--owner", owner.email, "--name", "There"]
    call_command(*arguments, "--silo", "--server", "b")
    assert "on the server b." in capsys.readouterr().out


def test_role_that_may_make_no_databases_is_told_in_one_line(
    owner: User, second: OwnServer
) -> None:
    second.execute("ALTER ROLE hub NOCREATEROLE")
    try:
        with pytest.raises(provisioning.ServerRefused, match='ALTER ROLE "hub" CREATEROLE;'):
            open_school(owner, "there", server="b")
    finally:
        second.execute("ALTER ROLE hub CREATEROLE")
