"""`manage.py migrate_tenants` says what became of each silo, to people and to programs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from kitehub.db.versions import MigrationKey
from kitehub.models import Instance
from tests.kitehub.tenancy.conftest import living_in
from tests.kitehub.tenancy.fleet import Fleet, fleet, saved
from tests.migrations.commands import Outcome, manage
from tests.migrations.databases import newest
from tests.migrations.later import later

Later = Callable[..., AbstractContextManager[list[MigrationKey]]]
ONE = 'operations = [migrations.AddField("storageusage", "one", models.IntegerField(null=True))]'


@pytest.fixture(scope="module")
def shared(migrated_silo: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Fleet]:
    with django_db_blocker.unblock(), fleet(migrated_silo, 2) as made:
        yield made


@pytest.fixture
def silos(shared: Fleet, transactional_db: None) -> Iterator[Fleet]:
    """The silos of two schools, as they were before each test."""
    shared.schools = [living_in(silo.address) for silo in shared.silos]
    for school, name in zip(shared.schools, ("an", "binh"), strict=True):
        school.subdomain = name
        saved(school)
    yield shared
    shared.forget("one", "stray")


@pytest.fixture
def then(tmp_path: Path) -> Later:
    return partial(later, "storage", tmp_path)


def run(*arguments: str) -> Outcome:
    out = StringIO()
    try:
        call_command("migrate_tenants", "--jobs=2", *arguments, stdout=out)
    except CommandError as error:
        return Outcome(error.returncode, out.getvalue(), str(error))
    return Outcome(0, out.getvalue(), "")


def told(silos: Fleet, number: int) -> str:
    return f"{('an', 'binh')[number]} ({silos.silos[number].address})"


def test_each_silo_that_changed_is_told_and_a_second_run_finds_nothing_to_do(
    silos: Fleet, then: Later
) -> None:
    with then(one=ONE):
        lines = run().out.splitlines()
        assert sorted(lines[:2]) == [
            f"{told(silos, number)}: migrated, 1 migration done" for number in range(2)
        ]
        assert lines[2:] == ["2 silos: 2 migrated."]
        assert run().out == "2 silos: 2 up to date.\n"


def test_failed_silo_is_one_line_and_exit_code_1(silos: Fleet, then: Later) -> None:
    silos.execute(0, "ALTER TABLE storage_usage ADD one integer")
    with then(one=ONE):
        outcome = run("--canary=0")
    assert (outcome.code, outcome.error) == (
        1,
        "1 of 2 failed. Run this again once that is mended.",
    )
    assert (
        f'{told(silos, 0)}: FAILED: storage.9001_one: ProgrammingError: column "one" of relation '
        '"storage_usage" already exists'
    ) in outcome.out.splitlines()


def test_canary_that_fails_holds_the_rest_back(silos: Fleet, then: Later) -> None:
    silos.execute(0, "ALTER TABLE storage_usage ADD one integer")
    with then(one=ONE):
        outcome = run("--canary=1", "--jobs=1", "--json")
    assert outcome.error == (
        "1 of 2 failed, and 1 was held back. Run this again once that is mended."
    )
    counts = outcome.json["counts"]
    assert (counts["failed"], counts["held"]) == (1, 1)


def test_dry_run_says_what_would_run_where(silos: Fleet, then: Later) -> None:
    platform = 'operations = [migrations.RunSQL("x", hints={"models": ["kitehub.Instance"]})]'
    python = "operations = [migrations.RunPython(print, hints=USAGE)]"
    with then(one=ONE, platform=platform, python=python) as keys:
        outcome = run("--dry-run")
        (first, *_) = found = run("--dry-run", "--json").json["silos"]
    assert outcome.out.splitlines()[1:] == [
        "  storage.9001_one       its SQL",
        "  storage.9002_platform  only recorded",
        "  storage.9003_python    by Django (RunPython)",
        "2 silos: 2 to do.",
    ]
    assert [each["state"] for each in found] == ["to_do", "to_do"]
    assert first["left"] == [".".join(key) for key in keys]
    assert [step["way"] for step in first["steps"]] == ["sql", "record", "django"]
    assert not silos.recorded() & set(keys)


def test_one_instance_may_be_named_by_subdomain_or_id(silos: Fleet, then: Later) -> None:
    with then(one=ONE) as keys:
        for name in ("binh", str(silos.schools[1].id)):
            assert run("--instance", name, "--json").json["silos"][0]["instances"] == ["binh"]
        assert silos.recorded(1) >= set(keys)
        assert not silos.recorded(0) & set(keys)


def test_instance_that_is_none_or_in_the_pool_is_an_error_of_usage(pooled: Instance) -> None:
    assert run("--instance", "nobody").code == 2
    outcome = run("--instance", pooled.subdomain)
    assert (outcome.code, "lives in the pool" in outcome.error) == (2, True)
    assert run().out == "There is no silo.\n"


def test_deleted_instance_is_left_alone(silos: Fleet) -> None:
    silos.schools[0].delete()
    assert run().out == "1 silo: 1 up to date.\n"


def test_address_that_cannot_be_read_fails_alone(silos: Fleet) -> None:
    bad = Instance.objects.get(subdomain="an")
    bad.database_url = "mysql://u:s3cret@h/x"
    bad.save()
    outcome = run()
    assert outcome.code == 1
    assert outcome.out.splitlines()[-1] == "2 silos: 1 up to date, 1 failed."
    assert "s3cret" not in outcome.out


class TestStatus:
    def test_says_the_version_of_each(self, silos: Fleet, then: Later) -> None:
        with then(one=ONE):
            assert run("--instance=an").code == 0
            lines = run("--status").out.splitlines()
        assert lines == [
            f"{told(silos, 0)}: V{newest()}, up to date",
            # What has no number in its name belongs to the version that it builds on.
            f"{told(silos, 1)}: V{newest('storage') - 1}, 1 migration to do",
        ]

    def test_drift_is_found_with_validate_only(self, silos: Fleet) -> None:
        silos.execute(1, "ALTER TABLE storage_usage ADD stray integer")
        assert run("--status").code == 0
        outcome = run("--status", "--validate", "--json")
        assert outcome.code == 3
        first, second = outcome.json["silos"]
        assert first["drift"] == []
        (line,) = second["drift"]
        assert "storage_usage.stray" in line

    def test_silo_that_cannot_be_read_is_a_failure(self, silos: Fleet) -> None:
        gone = Instance.objects.get(subdomain="an")
        gone.database_url = "postgres:///there_is_no_such_silo"
        gone.save()
        outcome = run("--status")
        assert outcome.code == 1
        assert "has no database there_is_no_such_silo" in outcome.out

    def test_wants_no_contradiction(self, db: None) -> None:
        assert run("--validate").code == 2
        assert run("--status", "--dry-run").code == 2


@pytest.mark.parametrize("wrong", ["--jobs=0", "--jobs=two", "--canary=-1", "--lock-timeout=x"])
def test_numbers_are_checked(wrong: str, db: None) -> None:
    with pytest.raises(CommandError):
        call_command("migrate_tenants", wrong)


def test_runs_as_people_run_it(silos: Fleet) -> None:
    outcome = manage(connection, "migrate_tenants")
    assert (outcome.code, outcome.out, outcome.error) == (0, "2 silos: 2 up to date.\n", "")
