"""The benchmark runs; what it measures is not asserted."""

from collections.abc import Iterator

import pytest

from storage.models import StorageEvent, StorageUsage
from tests.benchmarks import ledger
from tests.benchmarks.sql import execute

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _without_bare_tables() -> Iterator[None]:
    yield
    execute("DROP TABLE bare_events, bare_usage")
    for table in ("storage_events", "storage_usage"):
        execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")


@pytest.mark.usefixtures("_without_bare_tables")
def test_ledger_compares_both_ways_of_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    ledger.main(["--events", "16", "--rounds", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[2:8]] == [
        [instances, writers] for instances in ("1", "100") for writers in ("1", "4", "16")
    ]
    assert lines[8].startswith("worst ratio ")
    events = StorageEvent.objects.count()
    assert execute("SELECT count(*) FROM bare_events") == [(2 * events,)]  # two bare sides
    sums = StorageUsage.objects.values_list("used_bytes", flat=True)
    assert sum(sums) == 1000 * events
    assert execute("SELECT sum(used_bytes) FROM bare_usage") == [(2 * 1000 * events,)]
