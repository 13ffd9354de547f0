"""Programs that ask for one order many times at once, as impatient ones do."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from billing.models import PaymentOrder
from billing.services import orders
from kitehub.models import Instance
from tests.billing.api.conftest import ask, with_account
from tests.concurrency.threads import PATIENCE, together
from tests.kitehub.api.conftest import program
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 8
# By what it would be seen that another has opened it meanwhile.
KEYS = {
    "payment_orders_client_reference_key": "(instance_id, client_reference)"
    " WHERE client_reference IS NOT NULL",
    "payment_orders_open_subject_key": "(instance_id, subject)"
    " WHERE NOT deleted AND status = 'PENDING' AND subject IS NOT NULL",
}


@pytest.fixture(autouse=True)
def _all_look_before_one_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """At who has used the reference: twice, once before the terms are made and once after."""
    look, all_have, looks = orders._by_reference, threading.Barrier(MANY), threading.local()

    def together_at_first(instance: Instance, reference: str) -> PaymentOrder | None:
        found = look(instance, reference)
        looks.count = getattr(looks, "count", 0) + 1
        if looks.count <= 2:
            all_have.wait(PATIENCE)
        return found

    monkeypatch.setattr(orders, "_by_reference", together_at_first)


@contextmanager
def unguarded() -> Iterator[None]:
    for name in KEYS:
        execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        PaymentOrder.all_objects.all().hard_delete()
        for name, what in KEYS.items():
            execute(f"CREATE UNIQUE INDEX {name} ON payment_orders {what}")


def ask_at_once() -> list[Any]:
    school = with_account()
    clients = [program(school) for _ in range(MANY)]
    return together(*[lambda each=each: ask(each, client_reference="GD-1") for each in clients])


def test_one_reference_opens_one_order() -> None:
    answers = ask_at_once()
    assert Counter(each.status_code for each in answers) == {201: 1, 200: MANY - 1}
    order = PaymentOrder.all_objects.get()
    assert {each.json()["code"] for each in answers} == {order.order_id}
    assert (order.status, order.version) == ("PENDING", 0)


def test_control_without_the_unique_keys_each_opens_one() -> None:
    with unguarded():
        answers = ask_at_once()
        assert [each.status_code for each in answers] == [201] * MANY
        assert PaymentOrder.all_objects.count() == MANY
