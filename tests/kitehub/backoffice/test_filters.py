"""The date range of a list means whole days in Vietnamese time."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import PaymentOrder
from tests.factories.billing import PaymentOrderFactory

# The 24th of November in Hồ Chí Minh City.
FIRST = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
LAST = datetime(2026, 11, 24, 16, 59, 59, 999999, tzinfo=UTC)
BEFORE = datetime(2026, 11, 23, 16, 59, 59, tzinfo=UTC)
AFTER = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


def codes(client: Client, **days: str) -> list[str]:
    url = reverse("admin:billing_paymentorder_changelist")
    page = client.get(url, {f"paid_at_{end}": day for end, day in days.items()})
    assert page.status_code == 200
    return sorted(order.order_id for order in page.context["cl"].result_list)


@pytest.fixture
def orders(db: None) -> None:
    for name, moment in [("A", BEFORE), ("B", FIRST), ("C", LAST), ("D", AFTER)]:
        order = PaymentOrderFactory(paid=True, order_id=name, paid_at=moment)
        assert PaymentOrder.objects.get(pk=order.pk).paid_at == moment


def test_both_days_are_included(back_office: Client, orders: None) -> None:
    assert codes(back_office, **{"from": "24/11/2026", "to": "24/11/2026"}) == ["B", "C"]
    assert codes(back_office, **{"from": "24/11/2026"}) == ["B", "C", "D"]
    assert codes(back_office, to="23/11/2026") == ["A"]


@pytest.mark.parametrize("rubbish", ["31/02/2026", "x", "-1", "9999-12-31", "' OR 1=1"])
def test_rubbish_is_passed_over(back_office: Client, orders: None, rubbish: str) -> None:
    assert codes(back_office, to=rubbish) == ["A", "B", "C", "D"]


def test_the_first_day_of_all_is_no_error(back_office: Client, orders: None) -> None:
    assert codes(back_office, **{"from": "0001-01-01"}) == ["A", "B", "C", "D"]
