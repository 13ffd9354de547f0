"""The benchmarks run, and both sides come to the same rows; what they measure is not asserted."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test.testcases import LiveServerThread

from billing.models import Receipt
from tests.benchmarks import matching, schools, settle, webhooks
from tests.kitehub.jobs.working import run_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _without_schools() -> Iterator[None]:
    yield
    schools.clear()


def test_settling_writes_what_the_hand_written_transaction_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settle.main(["--lines", "2", "--turns", "2", "--workers", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines[2].split()) == 4
    assert lines[3].startswith("best ratio ")
    assert Receipt.objects.count() == 2 * 2 * 3  # a round of warming up


def test_webhooks_end_in_paid_orders(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.KITEHUB_WEBHOOK_SECRETS = {"sepay": {"signing_keys": (webhooks.WEBHOOK_SECRET,)}}
    site = LiveServerThread("127.0.0.1", lambda application: application)
    site.daemon = True
    site.start()
    site.is_ready.wait()
    try:
        webhooks.compare(site.port, [2], messages=3, rounds=1, settle_now=run_due)
    finally:
        site.terminate()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines[-1].split()) == 7
    assert Receipt.objects.count() == 2 * 3 * 2


def test_matching_finds_the_orders_of_most_memos(capsys: pytest.CaptureFixture[str]) -> None:
    matching.main(["--orders", "60", "--lines", "100", "--turn", "50"])
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[-2].split()[-1].rstrip("%")) > 80
    assert lines[-1].startswith("ratio ")
