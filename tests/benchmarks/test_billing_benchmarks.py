"""The benchmarks run; what they measure is not asserted."""

from collections.abc import Iterator

import pytest

from tests.benchmarks import duties, expiry, save
from tests.benchmarks.sql import execute

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _without_plan() -> Iterator[None]:
    yield
    execute("DROP SCHEMA plan CASCADE")
    execute("ALTER TABLE payment_orders RESET (autovacuum_enabled)")


@pytest.mark.usefixtures("_without_plan")
def test_save_compares_both_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    save.main(["--rows", "20", "--chunk", "5", "--single", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[2:8]] == [
        [change, chunk] for change in ("amount", "status", "paid") for chunk in ("1", "5")
    ]
    assert lines[8].startswith("worst ratio ")


def test_expiry_compares_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    expiry.main(["--orders", "50", "--batch", "20", "--rounds", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [len(line.split()) for line in lines[1:4]] == [6, 5, 5]
    assert lines[4].startswith("ratio ")
    assert lines[5].startswith("longest lock ")


def test_duties_have_a_night_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    duties.main(["--schools", "60"])
    lines = capsys.readouterr().out.splitlines()
    done = [line.split(None, 3)[3] for line in lines[2:5]]
    assert done == [
        "Advance(begun=2, retiered=0, moved=2, failed=())",
        "Renewals(opened=2, failed=())",
        "Reminders(asked=8, failed=0)",
    ]
    assert all("=0" in line for line in lines[5:])
