"""The inbox is worked through by the keyboard, on a desk and on a phone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import BankTransfer, PlannedMatch
from tests.billing.bookings import line
from tests.billing.settling import OWN, subscribe
from tests.billing.settling import school as with_account
from tests.browser.accessible import findings, too_wide

pytestmark = pytest.mark.django_db(transaction=True)
INBOX = "/admin/billing/banktransfer/inbox/"


def waiting(count: int) -> list[BankTransfer]:
    now = timezone.now()
    return [
        line(
            599_000,
            account_number=OWN,
            memo=f"Phu huynh {number} dong tien",
            transferred_at=now,
            received_at=now + timedelta(seconds=number),
        )
        for number in range(count)
    ]


def test_keys_walk_choose_assign_and_undo(desk: Any) -> None:
    first, other = (subscribe(with_account(), at=timezone.now()) for _ in range(2))
    waiting(3)
    desk.goto(INBOX)
    memo = desk.locator("#content section p").first

    def reads(said: str) -> None:
        desk.locator("#content section p", has_text=said).first.wait_for()

    reads("Phu huynh 0")
    assert findings(desk) == []
    desk.keyboard.press("j")
    reads("Phu huynh 1")
    desk.keyboard.press("k")
    reads("Phu huynh 0")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    chosen = desk.locator("[data-inbox-assign]:focus").locator("xpath=ancestor::form")
    code = chosen.locator("a").first.inner_text()
    desk.keyboard.press("Enter")
    reads("Phu huynh 1")
    plan = PlannedMatch.objects.get()
    assert plan.order.order_id == code
    assert code in {first.order_id, other.order_id}
    assert findings(desk) == []
    desk.keyboard.press("u")
    desk.get_by_text("Đã hoàn tác: giao dịch lại chờ xử lý.").wait_for()
    reads("Phu huynh 0")
    plan.refresh_from_db()
    assert plan.state == "TAKEN_BACK"
    assert memo.is_visible()
    desk.set_viewport_size({"width": 390, "height": 844})
    assert too_wide(desk) == ""


def test_keys_are_letters_where_somebody_types(desk: Any) -> None:
    subscribe(with_account(), at=timezone.now())
    waiting(2)
    desk.goto(INBOX)
    desk.get_by_role("link", name="Giữ làm tiền dư").click()
    field = desk.locator("#modal-content [name=subdomain]")
    field.fill("")
    field.press_sequentially("juk")
    assert field.input_value() == "juk"
    assert "line=" not in desk.url
    assert findings(desk) == []
