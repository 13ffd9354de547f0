"""Versions: which migration belongs to which, and in what order they run."""

import pytest
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from kitehub.db.versions import PLAN, Versions

# As design of the schema has them; a renamed migration would be run again on a live database.
NAMES = {
    1: {("kitehub", "0002_v1_instance_configs")},
    2: {("billing", "0001_v2_payment_orders")},
    3: {("kitehub", "0003_v3_instance_bank_accounts")},
    4: {("analytics", "0001_v4_guest_analytics")},
    5: {("branding", "0001_v5_branding_jobs")},
    6: {("billing", "0002_v6_subscriptions")},
    7: {("storage", "0001_v7_storage_tracking")},
    8: {
        ("kitehub", "0004_v8_performance_indexes"),
        ("billing", "0003_v8_performance_indexes"),
        ("analytics", "0002_v8_performance_indexes"),
        ("branding", "0002_v8_performance_indexes"),
    },
}


@pytest.fixture(scope="module")
def versions() -> Versions:
    return Versions(MigrationLoader(None))


def test_each_version_of_the_plan_has_its_migrations(versions: Versions) -> None:
    found = {step.number: set(step.migrations) for step in versions.steps}

    assert {number: found[number] for number in PLAN} == NAMES


def test_people_and_djangos_own_tables_are_v0(versions: Versions) -> None:
    zero = set(versions.steps[0].migrations)

    assert ("kitehub", "0001_users") in zero
    assert {app for app, _ in zero} >= {"auth", "contenttypes", "sessions", "admin"}
    assert {app for app, _ in zero}.isdisjoint({"billing", "analytics", "branding", "storage"})


def test_the_queue_of_jobs_is_v0(versions: Versions) -> None:
    queue = [key for key in versions.order if key[0] in {"procrastinate", "jobs"}]

    assert ("jobs", "0001_job_failures") in queue
    assert set(queue) <= set(versions.steps[0].migrations)


def test_a_version_needs_nothing_of_a_later_one(versions: Versions) -> None:
    for step in versions.steps:
        below = versions.up_to(step.number)
        assert versions.needed_by(below) == below
        assert len(below) == len(set(below))


def test_steps_cover_every_migration_once(versions: Versions) -> None:
    spread = [key for step in versions.steps for key in step.migrations]

    assert sorted(spread) == sorted(versions.order)
    assert [step.number for step in versions.steps] == list(range(versions.newest + 1))


def test_a_migration_without_a_number_belongs_to_what_it_depends_on() -> None:
    loader = MigrationLoader(None)
    graph = loader.graph
    for name, parent in {
        "0098_merge": ("storage", "0001_v7_storage_tracking"),
        "0099_v3_late": ("storage", "0098_merge"),
    }.items():
        graph.add_node(("storage", name), Migration(name, "storage"))
        graph.add_dependency(None, ("storage", name), parent)
    versions = Versions(loader)

    assert versions.of["storage", "0098_merge"] == 7
    assert versions.of["storage", "0099_v3_late"] == 3


@pytest.mark.parametrize(("number", "text"), [(1, "instance configs"), (8, "performance indexes")])
def test_descriptions_are_the_names_in_words(number: int, text: str, versions: Versions) -> None:
    assert versions.steps[number].description == text
