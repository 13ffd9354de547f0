"""One bank line that is told by many at once is stored and settled once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from billing.enums import TransferState
from billing.feeds import casso, sepay
from billing.models import BankFeed, BankTransfer, FeedSilence
from billing.services import silences, transfers
from billing.services.statements import import_statement
from billing.services.transfers import record_all
from kitehub.jobs.models import Job
from tests.billing.feeds.bodies import body, published
from tests.billing.statements.files import simple
from tests.concurrency.threads import PATIENCE, Background, together

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OWN = "0123499999"
SEPAY = body(published("SePay", 1)["payload"])
CASSO = body({"error": 0, "data": [published("Casso V1")["payload"]["data"][0] | {
    "bank_sub_acc_id": OWN, "amount": 2277000, "when": "2023-03-25", "tid": "MBVCB.3278907687",
}]})  # fmt: skip
STATEMENT = simple(["25/03/2023", "", "2.277.000", "", "payment content", "MBVCB.3278907687"])


def by_sepay() -> Any:
    return record_all(sepay.parse(SEPAY), at=NOW)


def by_casso() -> Any:
    return record_all(casso.parse(CASSO), at=NOW)


def by_statement() -> Any:
    return import_statement(
        data=STATEMENT, filename="a.csv", mapping=None, account_number=OWN, actor="lan", at=NOW
    )


def to_be_settled() -> int:
    """How many lines await settlement; each has its job."""
    waiting = BankTransfer.objects.filter(state=TransferState.RECEIVED).count()
    assert Job.objects.filter(task_name=transfers.SETTLE).count() == waiting
    return waiting


def test_two_messages_after_a_silence_end_it_once() -> None:
    feed = {"provider": "SEPAY", "account_number": OWN}
    silences.hear(**feed, at=NOW)
    with transaction.atomic():
        silences.hear(**feed, at=NOW + timedelta(days=9))
        other = Background(lambda: silences.hear(**feed, at=NOW + timedelta(days=9, seconds=1)))
        other.wait_until_blocked_or_done()
    assert other.join() is None
    assert FeedSilence.objects.count() == 1
    assert BankFeed.objects.get().received == 3


def test_sixteen_deliveries_of_a_webhook_at_once_are_one_line(settings: Any) -> None:
    settings.KITEHUB_WEBHOOK_SECRETS = {"sepay": {"tokens": ("key",)}}

    def deliver() -> int:
        return Client().post(
            "/api/v1/webhooks/sepay", SEPAY, content_type="application/json",
            headers={"Authorization": "Apikey key"},
        ).status_code  # fmt: skip

    assert together(*[deliver] * 16) == [200] * 16
    assert to_be_settled() == BankTransfer.objects.count() == 1
    assert BankFeed.objects.get().received == 16


def test_two_services_and_a_statement_at_once_are_settled_once() -> None:
    results = together(*[by_sepay, by_casso, by_sepay, by_casso, by_statement, by_statement] * 2)
    assert not [each for each in results if isinstance(each, Exception)]
    assert to_be_settled() == 1


def test_control_without_the_lock_both_services_are_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both_looked = threading.Barrier(2)
    find_twin = transfers.find_twin

    def look_and_wait(row: BankTransfer) -> Any:
        found = find_twin(row)
        both_looked.wait(PATIENCE)
        return found

    monkeypatch.setattr(transfers, "find_twin", look_and_wait)
    monkeypatch.setattr(transfers, "lock", lambda rows: None)
    together(by_sepay, by_casso)
    assert to_be_settled() == 2
