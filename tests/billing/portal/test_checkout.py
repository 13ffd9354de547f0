"""The page of an order: how to pay, what has come, and by itself that it is paid."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import PaymentOrder
from billing.services.orders import payload_of
from billing.services.settlement import settle_transfer
from kitehub.models import Instance
from tests.billing.portal.orders import open_order
from tests.billing.qr_readers import read_pixels, svg_pixels
from tests.factories.billing import BankTransferFactory
from tests.kitehub.portal.conftest import texts

pytestmark = pytest.mark.django_db


def url(order: PaymentOrder) -> str:
    return f"/schools/sao-mai/orders/{order.order_id}/"


def poll_url(page: Any) -> str:
    (found,) = re.findall(r'hx-get="([^"]+)"', texts(page))
    return str(found).replace("&amp;", "&")


@pytest.fixture
def order(school: Instance) -> PaymentOrder:
    return open_order(school)


def changed(order: PaymentOrder, **fields: Any) -> None:
    """As the settlement leaves it, past the triggers that it goes by."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        PaymentOrder.objects.filter(pk=order.pk).update(**fields)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "vi",
            ["Tiêu chuẩn, 1 tháng", "599.000\xa0₫", "Không sửa nội dung chuyển khoản.", "Sao chép"],
        ),
        ("en", ["Standard for 1 month", "599,000\xa0₫", "Don't change the memo.", "Copy"]),
    ],
)
def test_the_page_says_all_that_a_payer_needs(
    language: str, words: list[str], browser: Client, order: PaymentOrder
) -> None:
    browser.cookies["django_language"] = language
    page = browser.get(url(order))
    shown = texts(page)
    for word in [*words, "Vietcombank", "0011002233445", "CONG TY KITEHUB", order.order_id]:
        assert word in shown, word
    (svg,) = re.findall(r"<svg.*?</svg>", shown, re.DOTALL)
    assert read_pixels(svg_pixels(svg, 4)).text == payload_of(order, at=timezone.now())
    copied = re.findall(r'data-copy="([^"]*)"', shown)
    assert copied == ["0011002233445", "599000", order.order_id]
    assert not re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", shown)


def test_the_page_asks_until_something_has_changed(browser: Client, order: PaymentOrder) -> None:
    poll = poll_url(browser.get(url(order)))
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(poll).status_code == 204
    assert len(queries) == 4
    changed(order, paid_amount=200_000)
    part = browser.get(poll)
    assert part.status_code == 200
    assert "200.000\xa0₫" in texts(part)
    assert 'data-copy="399000"' in texts(part)
    assert "<html" not in texts(part)
    again = poll_url(part)
    assert again != poll
    changed(
        order,
        paid_amount=599_000,
        status="PAID",
        paid_at=timezone.now(),
        transaction_reference="FT1",
    )
    paid = texts(browser.get(again))
    assert "Đã thanh toán. Xin cảm ơn!" in paid
    assert "hx-get" not in paid, "it asks no more"
    assert "<svg" not in paid
    assert "Đã thanh toán" in texts(browser.get(url(order)))


def test_what_is_exchanged_is_inside_what_screen_readers_listen_to(
    browser: Client, order: PaymentOrder
) -> None:
    page = browser.get(url(order))
    assert re.search(r'<div aria-live="polite">\s*<div id="checkout" hx-get', texts(page))
    changed(order, paid_amount=200_000)
    part = texts(browser.get(poll_url(page)))
    assert re.findall(r'<(\w+)[^>]* aria-live="(\w+)"', part) == [("time", "off")], (
        "not each second"
    )
    assert 'role="status"' not in part, "it would be read twice"


def test_an_order_whose_time_is_up_is_shown_so_before_the_duty_has_run(
    browser: Client, school: Instance
) -> None:
    order = open_order(school, expires_at=timezone.now() - timedelta(seconds=1))
    page = texts(browser.get(url(order)))
    assert "Đơn này đã hết hạn." in page
    assert "<svg" not in page
    assert "hx-get" not in page


def test_a_cancelled_order_says_not_to_pay_it(browser: Client, order: PaymentOrder) -> None:
    PaymentOrder.objects.filter(pk=order.pk).update(status="CANCELLED")
    page = texts(browser.get(url(order)))
    assert "Đơn này đã bị hủy." in page
    assert "0011002233445" not in page


def test_an_older_programs_order_has_no_code_and_the_page_opens(
    browser: Client, school: Instance
) -> None:
    order = open_order(school, bank_bin=None, account_number=None, months=None, purpose=None)
    page = browser.get(url(order))
    assert page.status_code == 200
    assert "<svg" not in texts(page)


def test_no_order_but_the_schools_own_to_kitehub_is_there(
    browser: Client, school: Instance
) -> None:
    enrollment = open_order(school, type="ENROLLMENT", tier=None, amount=1_000_000)
    for code in (enrollment.order_id, "KH22222222", "x", "%00", "KH'--"):
        assert browser.get(f"/schools/sao-mai/orders/{code}/").status_code == 404, code


def test_a_page_whose_session_is_over_is_loaded_anew(client: Client, order: PaymentOrder) -> None:
    answer = client.get(f"{url(order)}state/", headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_money_that_came_when_nothing_was_left_to_upgrade_is_said_to_be_credit(
    browser: Client, school: Instance
) -> None:
    order = open_order(school, purpose="UPGRADE", months=None, status="EXPIRED", amount=300_000)
    line = BankTransferFactory(account_number=order.account_number, amount=300_000, memo=order.memo)
    settle_transfer(transfer_id=line.pk)
    browser.cookies["django_language"] = "en"
    shown = texts(browser.get(url(order)))
    assert "nothing was left to upgrade" in shown
    assert "300,000\xa0₫ has arrived and is your credit now." in shown
    assert "you need do nothing" not in shown
