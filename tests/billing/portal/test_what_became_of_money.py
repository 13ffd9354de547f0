"""An order's page says what its money bought, and where the rest of it is."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from billing.enums import OrderPurpose
from billing.models import PaymentOrder, Receipt
from billing.portal.subscription_words import day
from billing.receipts.texts import what
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from billing.services.subscriptions import extend
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.settling import line
from tests.kitehub.portal.conftest import texts

pytestmark = pytest.mark.django_db


def page(browser: Client, order: PaymentOrder) -> str:
    return texts(browser.get(f"/schools/sao-mai/orders/{order.order_id}/"))


def pay(order: PaymentOrder, amount: int = 0) -> None:
    at = timezone.now()
    told = line(order.memo, amount or order.amount, at)
    settle_transfer(transfer_id=told.pk, at=at)


def test_an_upgrade_goes_as_far_as_what_it_raises(browser: Client, school: Instance) -> None:
    for _month in range(2):
        pay(open_order(instance=school, tier=Tier.STANDARD, actor="lan"))
    upgrade = {"purpose": OrderPurpose.UPGRADE, "amount": 900_000}
    order = open_order(instance=school, tier=Tier.PREMIUM, actor="lan", **upgrade)  # type: ignore[arg-type]
    pay(order)
    school.refresh_from_db()
    assert school.subscription_expires_at is not None
    assert school.subscription_expires_at > timezone.now() + timedelta(days=50)
    words = f"Chênh lệch nâng lên gói Cao cấp đến {day(school.subscription_expires_at)}"
    extend(instance_id=school.pk, days=7, at=timezone.now(), actor="minh", reason="sorry")
    assert words in page(browser, order), "days that were given later are none of its"
    receipt = Receipt.objects.get(order=order)
    assert words in texts(
        browser.get(f"/schools/sao-mai/receipts/{receipt.year}/{receipt.number}/")
    )
    old = {name: said for name, said in receipt.content.items() if name != "upgrade"}
    earlier = Receipt(year=2026, number=1, content=old, issued_at=receipt.issued_at)
    with translation.override("vi"):
        assert what(earlier.printed).startswith("Phí dịch vụ KiteHub")


def test_what_was_too_much_is_said_to_be_credit(browser: Client, school: Instance) -> None:
    order = open_order(instance=school, tier=Tier.STANDARD, actor="lan")
    pay(order)
    assert "chuyển thừa" not in page(browser, order)
    pay(order, 101_000)
    words = "Bạn đã chuyển thừa 101.000\xa0₫; số tiền này được giữ làm tiền dư của trường."
    assert words in page(browser, order)


def test_a_replaced_order_leads_on_and_says_where_its_money_is(
    browser: Client, school: Instance
) -> None:
    pay(open_order(instance=school, tier=Tier.STANDARD, actor="lan"))
    order = open_order(instance=school, tier=Tier.STANDARD, actor="lan")
    said = f"Đơn gia hạn {order.order_id} của bạn chưa thanh toán"
    assert said in texts(browser.get("/schools/sao-mai/plans/"))
    for _more in range(2):
        last = open_order(instance=school, tier=Tier.STANDARD, actor="lan")
    pay(order, 50_000)
    shown = page(browser, order)
    assert f'href="/schools/sao-mai/orders/{last.order_id}/"' in shown
    assert "Đã nhận 50.000\xa0₫ ghi mã đơn này" in shown
    pay(last)
    assert "Đơn gia hạn" not in texts(browser.get("/schools/sao-mai/plans/"))
