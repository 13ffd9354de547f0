"""Pages go by key: each row is on one page, whatever else happens, and no address breaks that."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from django.utils import timezone

from billing.models import PaymentOrder
from kitehub.backoffice.keyset import order_of
from kitehub.models import User
from tests.factories.billing import PaymentOrderFactory, ReceiptFactory
from tests.kitehub.backoffice.pages import list_url

URL = list_url(PaymentOrder)
AMOUNT = 3  # The column's number, behind the boxes, code and status.


@pytest.fixture
def orders(db: None, monkeypatch: pytest.MonkeyPatch) -> list[PaymentOrder]:
    """Seven orders, three of one moment, on pages of two; the newest first."""
    monkeypatch.setattr(admin.site._registry[PaymentOrder], "list_per_page", 2)
    made = PaymentOrderFactory.create_batch(7)
    PaymentOrder.objects.filter(pk__in=[order.pk for order in made[2:5]]).update(
        created_at=made[3].created_at
    )
    for number, order in enumerate(made):
        PaymentOrder.objects.filter(pk=order.pk).update(amount=1_000 * (number // 3 + 1))
    return list(PaymentOrder.objects.order_by("-created_at", "-pk"))


def listed(client: Client, address: str) -> Any:
    page = client.get(URL + address)
    assert page.status_code == 200, address
    return page.context["cl"]


def walk(client: Client, address: str, link: str) -> tuple[list[Any], str]:
    """The keys of all pages from an address on, and the address of the last one."""
    seen: list[Any] = []
    for _ in range(20):
        changes = listed(client, address)
        keys = [row.pk for row in changes.result_list]
        seen = seen + keys if link == "next_url" else keys + seen
        if not getattr(changes, link):
            return seen, address
        address = getattr(changes, link)
    raise AssertionError("The pages have no end.")


def test_each_row_is_on_one_page_there_and_back(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    there, last = walk(back_office, "", "next_url")
    assert there == [order.pk for order in orders]
    assert listed(back_office, last).first_url == "?"
    back, _ = walk(back_office, last, "previous_url")
    assert back == there


def test_rows_that_come_meanwhile_push_none_to_another_page(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    address = listed(back_office, "").next_url
    # All rows of a test's transaction are of one moment, and the key's order is anybody's guess.
    PaymentOrderFactory(created_at=timezone.now() + timedelta(minutes=1))
    PaymentOrder.objects.filter(pk=orders[0].pk).delete()
    shown = [row.pk for row in listed(back_office, address).result_list]
    assert shown == [order.pk for order in orders[2:4]]


def test_a_page_whose_rows_are_done_is_the_first_page(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    _, last = walk(back_office, "?tab=PENDING", "next_url")
    PaymentOrder.objects.filter(pk=orders[-1].pk).update(status="EXPIRED")
    changes = listed(back_office, last)
    assert [row.pk for row in changes.result_list] == [order.pk for order in orders[:2]]
    assert (bool(changes.next_url), changes.previous_url) == (True, "")
    # The same the other way: nothing is left before the second page.
    back = listed(back_office, changes.next_url).previous_url
    PaymentOrder.objects.filter(pk__in=[orders[0].pk, orders[1].pk]).update(status="EXPIRED")
    changes = listed(back_office, back)
    assert [row.pk for row in changes.result_list] == [order.pk for order in orders[2:4]]
    assert (bool(changes.next_url), changes.previous_url) == (True, "")


def test_people_sort_by_what_has_an_index_only(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    def by(*columns: str) -> list[Any]:
        return walk(back_office, "", "next_url")[0]

    own = [order.pk for order in orders]
    columns = ("amount", "created_at", "pk")
    up = list(PaymentOrder.objects.order_by(*columns).values_list("pk", flat=True))
    assert walk(back_office, f"?o={AMOUNT}", "next_url")[0] == up
    assert walk(back_office, f"?o=-{AMOUNT}", "next_url")[0] == up[::-1]
    # Status and type have none, and the others are rubbish.
    for asked in ("2", "-4.1", "99", "-", "x", "1.1.1", "9" * 50, "٣", "-0"):
        assert walk(back_office, f"?o={asked}", "next_url")[0] == own, asked
    assert walk(back_office, f"?o=x.2.-{AMOUNT}", "next_url")[0] == up[::-1]
    headers = back_office.get(URL).content.decode()
    assert headers.count('class="align-middle font-semibold') > headers.count("?o=") > 0


def test_rubbish_for_a_cursor_is_the_first_page(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    receipt = ReceiptFactory()  # It has an order of its own.
    newest = PaymentOrder.objects.order_by("-created_at", "-pk").values_list("pk", flat=True)
    first = list(newest[:2])
    good = listed(back_office, "").next_cursor
    sorted_by_amount = listed(back_office, f"?o={AMOUNT}").next_cursor
    of_receipts = order_of(type(receipt), ("-year",)).cursor(receipt, of="?")
    for cursor in ("", "x", "%00", good[:-1], good + "x", ":" * 9, sorted_by_amount, of_receipts):
        for name in ("after", "before"):
            shown = listed(back_office, f"?{name}={cursor}").result_list
            assert [row.pk for row in shown] == first, cursor
    # Nor does a form that keeps the address's parameters land in the middle of something else.
    narrowed = listed(back_office, f"?after={good}&status__exact=PENDING").result_list
    assert [row.pk for row in narrowed] == list(newest.filter(status="PENDING")[:2])
    assert [row.pk for row in listed(back_office, f"?after={good}").result_list] != first


def test_an_order_of_columns_that_no_comparison_follows_is_refused() -> None:
    assert order_of(User, ("email",)).columns == ("email",)
    assert order_of(PaymentOrder, ("-created_at",)).names == ["-created_at", "-id"]
    for names in (("-created_at", "amount"), ("paid_at",)):
        with pytest.raises(ImproperlyConfigured):
            order_of(PaymentOrder, names)


def test_all_rows_of_an_address_can_be_had_without_pages(
    staff: User, orders: list[PaymentOrder]
) -> None:
    rows_of = admin.site._registry[PaymentOrder].filtered_rows
    request = RequestFactory().get(URL, {"tab": "PENDING", "after": "x", "o": f"-{AMOUNT}"})
    request.user = staff
    assert [row.amount for row in rows_of(request)] == sorted(
        (order.amount for order in orders), reverse=True
    )
    request = RequestFactory().get(URL, {"q": "299k"})
    request.user = staff
    assert list(rows_of(request)) == []
