"""The date range of a list means whole days in Vietnamese time."""

from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse, reverse_lazy

from billing.models import PaymentOrder
from tests.factories.billing import PaymentOrderFactory

# The 24th of November in Hồ Chí Minh City.
FIRST = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
LAST = datetime(2026, 11, 24, 16, 59, 59, 999999, tzinfo=UTC)
BEFORE = datetime(2026, 11, 23, 16, 59, 59, tzinfo=UTC)
AFTER = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
LIST = reverse_lazy("admin:billing_paymentorder_changelist")


def codes(client: Client, **days: str) -> list[str]:
    page = client.get(LIST, {f"paid_at_{end}": day for end, day in days.items()})
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


@pytest.mark.parametrize("rubbish", ["31/02/2026", "x", "-1", "' OR 1=1"])
def test_a_day_that_is_none_gives_no_rows_and_is_told(
    back_office: Client, orders: None, rubbish: str
) -> None:
    asked = {"paid_at_from": "23/11/2026", "paid_at_to": rubbish}
    page = back_office.get(LIST, asked)
    changes = page.context["cl"]
    assert list(changes.result_list) == []
    assert changes.refusals == [
        f"Thanh toán lúc: không đọc được “{rubbish}”. Hãy nhập ngày như 31/12/2026."
    ]
    text = unescape(page.text)
    assert changes.refusals[0] in text
    (chip,) = changes.chips
    assert chip.is_unread
    assert rubbish in chip.value
    assert text.count("không đọc được</span>") == 1
    # Nor is it a file of everything: that leads to the list, which says so.
    answer = back_office.get(reverse("admin:billing_paymentorder_export", args=["csv"]), asked)
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?{urlencode(asked)}")


def test_an_amount_is_read_as_people_write_it_or_gives_no_rows(back_office: Client) -> None:
    PaymentOrderFactory(order_id="A", amount=1_499_999)
    PaymentOrderFactory(order_id="B", amount=1_500_000)
    changes = back_office.get(LIST, {"amount_from": " 1tr5 "}).context["cl"]
    assert [order.order_id for order in changes.result_list] == ["B"]
    assert changes.refusals == []
    changes = back_office.get(LIST, {"amount_from": "1tr5", "amount_to": "hai triệu"}).context["cl"]
    assert list(changes.result_list) == []
    assert "“hai triệu”" in changes.refusals[0]
    assert [chip.is_unread for chip in changes.chips] == [True]


def test_blanks_are_no_filter(back_office: Client, orders: None) -> None:
    assert codes(back_office, to=" ") == ["A", "B", "C", "D"]


def test_the_first_day_of_all_is_no_error(back_office: Client, orders: None) -> None:
    assert codes(back_office, **{"from": "0001-01-01"}) == ["A", "B", "C", "D"]


def test_up_to_the_last_day_of_all_is_whatever_has_one(
    back_office: Client, orders: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order by a column that may be empty is for rows that have it: else pages would end."""
    monkeypatch.setattr(admin.site._registry[PaymentOrder], "list_per_page", 2)
    for _ in range(3):
        PaymentOrderFactory()
    changes = back_office.get(LIST, {"paid_at_to": "31/12/9999"}).context["cl"]
    shown = [order.order_id for order in changes.result_list]
    assert changes.counted == 4
    changes = back_office.get(f"{LIST}{changes.next_url}").context["cl"]
    shown += [order.order_id for order in changes.result_list]
    assert sorted(shown) == ["A", "B", "C", "D"]
    assert not changes.next_url
