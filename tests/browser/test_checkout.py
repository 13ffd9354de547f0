"""The page of an order in a real browser: its QR code is read off the screen, and it turns paid."""

from typing import Any

import pytest
from django.utils import timezone

from billing import vietqr
from billing.models import PaymentOrder
from billing.services.orders import open_order, payload_of
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.feeds.bodies import body, published
from tests.billing.qr_readers import read_pixels
from tests.browser.screens import grey_pixels
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.jobs.working import run_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(school: Instance, monkeypatch: pytest.MonkeyPatch) -> PaymentOrder:
    monkeypatch.setattr("billing.views.checkout.POLL", 300)
    SubscriptionFactory(instance=school, status="TRIAL")
    return open_order(instance=school, tier=Tier.STANDARD, actor="lan@example.vn")


def pay(page: Any, order: PaymentOrder, amount: int, number: int) -> None:
    """The bank's line as a service tells it, over HTTP, and the job that settles it."""
    told = published("SePay", 1)["payload"] | {
        "id": number,
        "accountNumber": order.account_number,
        "transferAmount": amount,
        "code": None,
        "content": f"CT DEN {order.memo} FT26",
        "description": "",
    }
    answer = page.request.post(
        "/api/v1/webhooks/sepay",
        data=body(told),
        headers={"Content-Type": "application/json", "Authorization": "Apikey sepay-key"},
    )
    assert answer.ok
    run_due()


def on_screen(page: Any) -> vietqr.VietQR:
    """What the QR code says that the page shows, read by another's reader."""
    return vietqr.decode(read_pixels(grey_pixels(page.locator(".qr").screenshot())).text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_qr_code_on_the_screen_asks_for_the_order(
    scheme: str, page: Any, order: PaymentOrder
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/schools/sao-mai/orders/{order.order_id}/")
    payload = payload_of(order, at=timezone.now())
    assert read_pixels(grey_pixels(page.locator(".qr").screenshot())).text == payload
    for button, copied in zip(
        page.locator(".copy-button").all(),
        [order.account_number, "599000", order.order_id],
        strict=True,
    ):
        button.click()
        page.wait_for_function(
            "button => button.textContent == 'Đã chép'", arg=button.element_handle()
        )
        assert page.evaluate("navigator.clipboard.readText()") == copied
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing is wider than the phone"


def test_an_open_page_shows_what_comes_until_it_is_paid(
    page: Any, order: PaymentOrder, settings: Any
) -> None:
    settings.KITEHUB_WEBHOOK_SECRETS = {"sepay": {"tokens": ("sepay-key",)}}
    page.goto(f"/schools/sao-mai/orders/{order.order_id}/")
    assert on_screen(page).amount == 599_000
    pay(page, order, 200_000, 1)
    page.locator("#checkout", has_text="Đã nhận 200.000").wait_for()
    assert on_screen(page).amount == 399_000
    pay(page, order, 399_000, 2)
    page.locator("#checkout[data-state=PAID]", has_text="Đã thanh toán. Xin cảm ơn!").wait_for()
    page.get_by_role("link", name="Xem gói đăng ký của bạn").click()
    page.locator("main", has_text="Đã thanh toán đến ngày").wait_for()
