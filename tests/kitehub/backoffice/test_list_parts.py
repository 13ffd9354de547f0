"""Tabs, periods, chips, counts and sums of a list, and what it says where it is empty."""

from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from billing.models import BankTransfer, PaymentOrder
from kitehub.backoffice import changelist, counts, sums
from kitehub.backoffice.filters import periods
from kitehub.models import Instance
from tests.factories.billing import (
    BankTransferFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
)
from tests.kitehub.backoffice.pages import list_url, messages_of

URL = list_url(PaymentOrder)


def listed(client: Client, address: str = "", url: str = URL) -> Any:
    page = client.get(url + address)
    assert page.status_code == 200
    return page.context["cl"]


@pytest.fixture
def orders(db: None) -> list[PaymentOrder]:
    """Three orders of 100.000, 200.000 and 300.000 đồng that wait, and one that is paid."""
    waiting = [PaymentOrderFactory(amount=100_000 * number) for number in (1, 2, 3)]
    return [*waiting, PaymentOrderFactory(paid=True, amount=299_000)]


def test_tabs_count_the_states_and_lead_to_them(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    PaymentAllocationFactory(order=orders[0], transfer=BankTransferFactory(amount=50_000))
    tabs = {str(tab.label): tab for tab in listed(back_office).tabs}
    assert [tab.said for tab in tabs.values()] == ["4", "3", "1", "0", "0", "1"]
    page = back_office.get(URL + tabs["Thanh toán một phần"].url)
    assert [row.pk for row in page.context["cl"].result_list] == [orders[0].pk]
    assert page.content.decode().count('aria-current="page"') >= 1
    # The other tabs keep what narrows the list, whose parts nobody counts.
    narrowed = listed(back_office, "?amount_from=200.000").tabs
    assert {tab.said for tab in narrowed} == {""}
    assert all("amount_from" in tab.url for tab in narrowed)
    assert len(listed(back_office, "?tab=bogus").result_list) == 4
    # A filter that says the same opens the tab.
    same = listed(back_office, "?status__exact=PAID")
    assert [tab.active for tab in same.tabs] == [False, False, True, False, False, False]
    assert same.chips == []
    assert [row.pk for row in same.result_list] == [orders[3].pk]


def test_transfers_that_wait_for_a_person_come_first(back_office: Client) -> None:
    tabs = listed(back_office, url=list_url(BankTransfer)).tabs
    assert tabs[1].url == "?tab=UNMATCHED"


def test_more_than_the_most_is_said_so_and_not_added_up(
    back_office: Client, orders: list[PaymentOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelist, "MOST_COUNTED", 2)
    for function in (counts.count_up_to, counts.counts_up_to, counts.spoken):
        monkeypatch.setattr(function, "__defaults__", (2,))
    changes = listed(back_office)
    assert (changes.said_count, changes.sums) == ("2+", None)
    assert [tab.said for tab in changes.tabs][:3] == ["2+", "2+", "1"]
    # Only what is asked for is added up, and only of this list.
    page = back_office.get(URL + changes.sum_url)
    assert page.context["cl"].said_count == "4"
    assert "899.000\u00a0₫" in page.content.decode()
    assert listed(back_office, changes.sum_url + "&tab=PENDING").sums is None
    # Nor can rows be chosen that nobody counted.
    sent = {"action": "delete_selected", "select_across": "1", "index": "0"}
    sent["_selected_action"] = str(orders[0].pk)
    monkeypatch.setattr("kitehub.backoffice.lists.MOST_COUNTED", 2)
    answer = back_office.post(URL, sent, follow=True)
    assert "Hãy thu hẹp danh sách rồi chọn tất cả." in messages_of(answer)[0]
    assert PaymentOrder.objects.count() == 4


def test_a_sum_that_takes_too_long_is_given_up(
    back_office: Client, orders: list[PaymentOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "_sums", lambda *args: exec_sleep())
    monkeypatch.setattr(sums, "SUM_SECONDS", "0.05")
    monkeypatch.setattr(changelist, "sums_of", lambda *args: None)
    page = back_office.get(URL + listed(back_office).sum_url)
    assert "không tính được tổng trong 15 giây" in page.content.decode()
    assert len(page.context["cl"].result_list) == 4


def exec_sleep() -> Any:
    list(PaymentOrder.objects.raw("SELECT id, pg_sleep(5) FROM payment_orders"))


def test_filters_that_take_too_long_are_told_so(
    back_office: Client, orders: list[PaymentOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelist.CarefulChangeList, "_page", lambda *args: exec_sleep())
    monkeypatch.setattr(changelist, "LIST_SECONDS", "0.05")
    page = back_office.get(URL, {"amount_from": "1"}).content.decode()
    assert "mất quá nhiều thời gian" in page
    assert "Xóa tất cả bộ lọc" in page


def test_sums_are_of_all_that_is_listed(back_office: Client, orders: list[PaymentOrder]) -> None:
    def said(address: str, url: str = URL) -> list[str]:
        return [each.text.replace("\u00a0", " ") for each in listed(back_office, address, url).sums]

    assert said("")[0] == "899.000 ₫"
    assert said("?tab=PENDING")[0] == "600.000 ₫"
    BankTransferFactory(amount=5_000)
    transfers = said("", list_url(BankTransfer))
    assert transfers == ["5.000 ₫", "0 ₫"]


@pytest.mark.parametrize(
    ("asked", "amounts"),
    [
        ("amount_from=200.000", {200_000, 300_000, 299_000}),
        ("amount_from=200000&amount_to=299,000 ₫", {200_000, 299_000}),
        ("amount_to=100k", {100_000}),
        ("amount_to=x&amount_from=%00", set()),
        ("q=299.000", {299_000}),
        ("q=299k&tab=PENDING", set()),
    ],
)
def test_amounts_are_found(
    back_office: Client, orders: list[PaymentOrder], asked: str, amounts: set[int]
) -> None:
    rows = listed(back_office, f"?{asked}").result_list
    assert {row.amount for row in rows} == amounts


def test_a_range_of_amounts_is_in_its_own_order(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    rows = listed(back_office, "?amount_from=1").result_list
    assert [row.amount for row in rows] == [300_000, 299_000, 200_000, 100_000]
    rows = listed(back_office, "?amount_from=1&created_at_from=01/01/2020").result_list
    newest = PaymentOrder.objects.order_by("-created_at", "-pk")
    assert [row.pk for row in rows] == [order.pk for order in newest]


def test_a_number_that_is_a_reference_is_no_amount(back_office: Client) -> None:
    PaymentOrderFactory(amount=299_000)
    named = PaymentOrderFactory(paid=True, amount=1_000, transaction_reference="299000")
    assert [row.pk for row in listed(back_office, "?q=299000").result_list] == [named.pk]


def test_each_chip_takes_its_own_off(back_office: Client, orders: list[PaymentOrder]) -> None:
    asked = "?q=299000&amount_from=1k&created_at_from=01/11/2026&status__exact=PAID&tab=PAID"
    changes = listed(back_office, asked)
    chips = {str(chip.label): chip for chip in changes.chips}
    assert {label: chip.value.replace("\u00a0", " ") for label, chip in chips.items()} == {
        "Tìm kiếm": "299000",
        "Số tiền": "từ 1.000 ₫",
        "Tạo lúc": "từ 01/11/2026",
        "Trạng thái": "Đã thanh toán",
    }
    for chip in chips.values():
        left = listed(back_office, chip.url)
        assert {str(each.label) for each in left.chips} == chips.keys() - {str(chip.label)}
    assert listed(back_office, changes.cleared_url).chips == []
    assert changes.cleared_url == "?tab=PAID"


def test_the_usual_periods_are_days_of_vietnam() -> None:
    found = {str(label): days for label, *days in periods(date(2026, 3, 1))}
    assert list(found.values()) == [
        [date(2026, 3, 1), date(2026, 3, 1)],
        [date(2026, 2, 28), date(2026, 2, 28)],
        [date(2026, 2, 23), date(2026, 3, 1)],
        [date(2026, 1, 31), date(2026, 3, 1)],
        [date(2026, 3, 1), date(2026, 3, 1)],
        [date(2026, 2, 1), date(2026, 2, 28)],
    ]


def test_a_period_is_one_click_and_a_second_takes_it_off(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    today = listed(back_office).presets[0]
    chosen = listed(back_office, today.url)
    assert len(chosen.result_list) == 4
    assert [preset.active for preset in chosen.presets][:2] == [True, False]
    assert len(chosen.chips) == 1
    assert listed(back_office, chosen.presets[0].url).chips == []
    yesterday = listed(back_office, chosen.presets[1].url)
    assert (list(yesterday.result_list), len(yesterday.chips)) == ([], 1)


def test_an_empty_list_says_what_to_do(back_office: Client) -> None:
    bare = back_office.get(list_url(Instance)).content.decode()
    assert "Chưa có gì ở đây" in bare
    assert "Mở trường đầu tiên tại đây" in bare
    narrowed = back_office.get(list_url(Instance), {"q": "nowhere"}).content.decode()
    assert "Không tìm thấy" in narrowed
    assert "Xóa tất cả bộ lọc" in narrowed
    tab = back_office.get(list_url(Instance), {"tab": "TRIAL"}).content.decode()
    assert "Không có bản ghi nào ở trạng thái này" in tab


def test_choices_of_filters_are_not_counted(back_office: Client) -> None:
    assert not listed(back_office, "?_facets=True").add_facets
    assert all(not each.date_hierarchy for each in admin.site._registry.values())
