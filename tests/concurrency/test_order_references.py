"""Programs that ask for one order many times at once, as impatient ones do."""

from collections import Counter
from typing import Any

import pytest

from billing.models import PaymentOrder
from kitehub.models import Instance
from tests.billing.api.conftest import ask, with_account
from tests.concurrency.threads import together
from tests.kitehub.api.conftest import program
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 8
UNIQUE = "payment_orders_client_reference_key"


def ask_at_once(school: Instance) -> list[Any]:
    clients = [program(school) for _ in range(MANY)]
    return together(*[lambda each=each: ask(each, client_reference="GD-1") for each in clients])


def test_one_reference_opens_one_order() -> None:
    answers = ask_at_once(with_account())
    assert Counter(each.status_code for each in answers) == {201: 1, 200: MANY - 1}
    order = PaymentOrder.all_objects.get()
    assert {each.json()["code"] for each in answers} == {order.order_id}
    assert (order.status, order.version) == ("PENDING", 0)


def test_control_without_the_unique_key_it_opens_several() -> None:
    execute(f"DROP INDEX {UNIQUE}")
    try:
        answers = ask_at_once(with_account())
        opened = [each for each in answers if each.status_code == 201]
        assert len(opened) == PaymentOrder.all_objects.count() > 1
    finally:
        PaymentOrder.all_objects.all().hard_delete()
        execute(
            f"CREATE UNIQUE INDEX {UNIQUE} ON payment_orders (instance_id, client_reference)"
            " WHERE client_reference IS NOT NULL"
        )
