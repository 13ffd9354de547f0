"""The benchmark of the adoption runs; what it measures is not asserted."""

import re

import pytest
from pytest_django import DjangoDbBlocker

from tests.benchmarks import adoption
from tests.migrations.databases import database


def test_adoption_measures_each_migration_and_loses_no_row(
    capsys: pytest.CaptureFixture[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), database() as empty:
        adoption.measure(empty, 2_000)
    said = capsys.readouterr().out
    for title in ("V8 to V9, --online", "V8 to V9 ", "V9 to the newest"):
        assert f"\n{title}" in said
    phase = r"^{} +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d  \S"
    for name in ("billing.0004_v9_timestamptz", "billing.0006_v10_payment_orders"):
        assert re.search(phase.format(name), said, re.MULTILINE), said
    assert "mended 40 rows" in said
    assert "payment_orders_paid_check is broken by rows from before it (1)" in said
    assert said.count("2,000, 0 lost") == 3
