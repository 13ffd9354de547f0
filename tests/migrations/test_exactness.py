"""V1 to V8 are the plan: equal to its own SQL at every version, on the way there and back."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Catalog
from tests.migrations import plan_sql, rows
from tests.migrations.databases import database, execute, go_to, newest, value

OURS = ("kitehub", "billing", "analytics", "branding", "storage", "jobs")
THEIRS = ("django_", "auth_", "procrastinate_")


@dataclass
class Journey:
    """The catalogs that one database had at each version, forward and then back with rows."""

    forward: dict[int, Catalog] = field(default_factory=dict)
    back: dict[int, Catalog] = field(default_factory=dict)
    rows_back: dict[int, dict[str, object]] = field(default_factory=dict)
    live: BaseDatabaseWrapper | None = None


@pytest.fixture(scope="module")
def journey(_databases_allowed: None) -> Iterator[Journey]:
    made = Journey()
    with database() as live:

        def going(number: int) -> None:
            made.forward[number] = catalog.read(live)

        def coming_back(number: int) -> None:
            made.back[number] = catalog.read(live)
            made.rows_back[number] = {
                table: value(live, f"SELECT count(*) FROM {table}") for table in rows.tables(number)
            }

        go_to(live, 0, going)
        go_to(live, newest(), going)
        rows.fill(live, upto=8)
        go_to(live, 0, coming_back)
        made.live = live
        yield made


@pytest.mark.parametrize("version", plan_sql.VERSIONS)
def test_our_migrations_make_what_the_plan_makes(
    version: int, journey: Journey, reference: dict[int, Catalog]
) -> None:
    ours = journey.forward[version].without(journey.forward[0])

    assert [str(drift) for drift in catalog.diff(reference[version], ours)] == []
    assert ours == reference[version]


def test_the_plan_counts_as_it_was_counted(reference: dict[int, Catalog]) -> None:
    plan = reference[8]
    indexes = Counter(
        "idx" if key.name.startswith("idx_") else key.name.rsplit("_", 1)[-1]
        for key in plan.of_kind("index")
    )
    comments = Counter("column" if key.name else "table" for key in plan.of_kind("comment"))

    assert Counter(key.kind for key in plan) == {
        "table": 10,
        "column": 130,
        "constraint": 26,
        "index": 60,
        "enum": 4,
        "function": 3,
        "trigger": 7,
        "comment": 25,
    }
    assert indexes == {"idx": 43, "pkey": 10, "key": 7}
    assert comments == {"table": 9, "column": 16}


def test_each_step_back_gives_exactly_the_version_before(journey: Journey) -> None:
    differences = {
        number: [str(drift) for drift in catalog.diff(journey.forward[number], found)]
        for number, found in journey.back.items()
    }

    assert differences == {number: [] for number in range(newest())}
    assert all(journey.back[number] == journey.forward[number] for number in journey.back)


def test_steps_back_keep_the_rows_of_what_stays(journey: Journey) -> None:
    for number, counts in journey.rows_back.items():
        assert counts.keys() == set(rows.tables(number))
        assert all(counts.values()), (number, counts)


def test_forward_zero_forward_is_clean(journey: Journey) -> None:
    assert journey.live is not None
    go_to(journey.live, newest())

    assert catalog.read(journey.live) == journey.forward[newest()]


def test_everything_that_the_plan_names_is_there_at_the_newest_version(
    journey: Journey, reference: dict[int, Catalog]
) -> None:
    assert reference[8].keys() - journey.forward[newest()].keys() == set()


def test_nothing_of_ours_is_left_when_every_app_goes_to_zero(
    current: BaseDatabaseWrapper,
) -> None:
    made_by_us = [
        key
        for key in catalog.read(current)
        if key.kind in catalog.FREE_KINDS and not (key.table or key.name).startswith(THEIRS)
    ]
    executor = MigrationExecutor(current)

    executor.migrate([(app, None) for app in OURS])

    left = catalog.read(current)
    recorded = MigrationExecutor(current).loader.applied_migrations
    assert len(made_by_us) >= 20
    assert not [str(key) for key in made_by_us if key in left]
    assert not {app for app, _ in recorded} & set(OURS)
    # What is left is what Django's and procrastinate's migrations make, and nothing besides.
    assert catalog.diff(*scratch.catalogs(current, recorded), left) == []


class TestThePlanAsWritten:
    """The errors of the plan that docs/schema.md lists, so that nobody takes them for ours."""

    @pytest.fixture
    def at_two(self, empty: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
        plan_sql.build(empty, upto=2)
        return empty

    def test_v3_does_not_run(self, at_two: BaseDatabaseWrapper) -> None:
        with pytest.raises(ProgrammingError, match='syntax error at or near "NOT"'):
            execute(at_two, plan_sql.as_written(3))

    def test_its_rollback_script_stops_at_v1(self, empty: BaseDatabaseWrapper) -> None:
        plan_sql.build(empty, upto=8)
        scripts = plan_sql.rollbacks()
        for version in range(8, 1, -1):
            execute(empty, scripts[version])

        with pytest.raises(Exception, match="trigger update_instances_updated_at on table instan"):
            execute(empty, scripts[1])
