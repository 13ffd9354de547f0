"""The page of a subscription: its state, what happens next and when, what happened, receipts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from billing.dunning import Stage, Step
from billing.enums import SubscriptionStatus as Status
from billing.models import PaymentOrder, Receipt, Subscription
from billing.portal.subscription_words import day, next_steps
from billing.services import credit
from billing.services.orders import open_order, to_transfer
from billing.services.settlement import settle_transfer
from billing.services.subscriptions import extend
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.factories.billing import BankTransferFactory, SubscriptionFactory
from tests.kitehub.portal.conftest import texts

URL = "/schools/sao-mai/"
AT = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 3, 22, 20, tzinfo=UTC)  # the 23rd in Vietnam


def said(status: Status, stage: Stage | None = None, **more: Any) -> str:
    fields = {"tier": Tier.STANDARD, "status": status, "current_period_end": END}
    has = Subscription(**(fields | more.pop("fields", {})))
    given = {"coming": None, "renewal_days": 7, "paused": False, "at": AT}
    where = stage or Stage(Step.CURRENT, None)
    with translation.override("vi"):
        return " ".join(next_steps(has, stage=where, **(given | more)))


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        (Status.TRIAL, {}, "dùng thử miễn phí đến ngày 23/03/2026"),
        (Status.ACTIVE, {}, "Đã thanh toán đến ngày 23/03/2026. Trước đó 7 ngày"),
        (Status.ACTIVE, {"fields": {"pending_tier": "BASIC"}}, "bạn dùng gói Cơ bản"),
        (Status.CANCELED, {}, "vẫn dùng đầy đủ đến ngày 23/03/2026"),
        (Status.CANCELED, {"at": END}, "đã hết hạn ngày 23/03/2026"),
        (Status.EXPIRED, {}, "Hãy chọn gói và thanh toán"),
        (Status.ACTIVE, {"paused": True}, "đang tạm dừng"),
        (
            Status.PAST_DUE,
            {"stage": Stage(Step.WARNED, END + timedelta(days=3))},
            "đã hết ngày 23/03/2026. Hãy thanh toán trước ngày 26/03/2026",
        ),
        (
            Status.PAST_DUE,
            {"stage": Stage(Step.BLOCKED, END + timedelta(days=7))},
            "Ngày 30/03/2026 trường sẽ bị tạm ngưng.",
        ),
        (Status.PAST_DUE, {"stage": Stage(Step.BLOCKED, None)}, "đã hết ngày 23/03/2026."),
    ],
)
def test_what_happens_next_is_said_with_its_day(status: Status, more: Any, words: str) -> None:
    assert words in said(status, **more)


def paid(school: Instance) -> PaymentOrder:
    """An order for a month of STANDARD after a trial of BASIC, and the money for it."""
    trial = {"status": "TRIAL", "trial_end": timezone.now() + timedelta(days=14)}
    SubscriptionFactory(instance=school, current_period_end=trial["trial_end"], **trial)
    order = open_order(instance=school, tier=Tier.STANDARD, actor="lan@example.vn")
    transfer = BankTransferFactory(
        account_number=order.account_number, amount=order.amount, memo=order.memo
    )
    settle_transfer(transfer_id=transfer.pk)
    order.refresh_from_db()
    return order


@pytest.mark.django_db
def test_the_page_says_state_periods_history_and_receipts(
    browser: Client, school: Instance
) -> None:
    order, receipt = paid(school), Receipt.objects.get()
    with CaptureQueriesContext(connection) as queries:
        page = texts(browser.get(URL))
    assert len(queries) == 13
    for words in [
        "Tiêu chuẩn",
        "Đang hoạt động",
        order.order_id,
        receipt.code,
        "Dùng thử miễn phí",
        "Bắt đầu dùng thử gói Cơ bản.",
        "Đã chuyển sang gói Tiêu chuẩn. Đã thanh toán.",
    ]:
        assert words in page, words
    browser.cookies["django_language"] = "en"
    page = texts(browser.get(URL))
    for words in ["Active", "Free trial", "The plan is now Standard. It was paid.", "Receipts"]:
        assert words in page, words
    assert "Paid for" in texts(browser.get(f"{URL}orders/{order.order_id}/"))


@pytest.mark.django_db
def test_history_says_that_days_were_given(browser: Client, school: Instance) -> None:
    paid(school)
    at = timezone.now()
    extend(instance_id=school.pk, days=7, at=at, actor="minh", reason="Lỗi của chúng tôi")
    end = day(Subscription.objects.get().current_period_end)
    page = texts(browser.get(URL))
    assert f"Nhân viên KiteHub cấp thêm 7 ngày: đến {end}." in page
    assert "minh" not in page
    assert "Lỗi của chúng tôi" not in page


@pytest.mark.django_db
def test_an_open_order_is_asked_for_with_what_its_own_page_asks_for(
    browser: Client, school: Instance
) -> None:
    SubscriptionFactory(instance=school)
    credit.grant(instance_id=school.pk, amount=99_000, reason="x", actor="na", at=timezone.now())
    order = open_order(instance=school, tier=Tier.STANDARD, actor="lan@example.vn")
    assert to_transfer(order) == order.amount - 99_000
    for page in (URL, f"{URL}orders/{order.order_id}/"):
        assert "500.000\xa0₫" in texts(browser.get(page)), page


@pytest.mark.django_db
def test_it_is_cancelled_after_a_question_and_taken_back(browser: Client, school: Instance) -> None:
    SubscriptionFactory(instance=school)
    assert "Sau đó gói kết thúc" in texts(browser.get(f"{URL}cancel/"))
    assert Subscription.objects.get().status == "ACTIVE"
    browser.post(f"{URL}cancel/", {"reason": "Nghỉ hè\x00\n" + "x" * 600})
    has = Subscription.objects.get()
    assert (has.status, has.updated_by) == ("CANCELED", "lan@example.vn")
    assert has.history.order_by("-changed_at").first().change_reason.startswith("Nghỉ hè x")
    page = texts(browser.get(URL))
    assert "Không hủy nữa" in page
    assert "Đã hủy" in page
    assert browser.get(f"{URL}cancel/")["Location"] == URL, "nothing is left to cancel"
    back = browser.get(f"{URL}undo/")
    assert back["Location"] == URL, "whoever signed in again on the way comes by GET"
    assert browser.post(f"{URL}undo/", {"what": "?"}).status_code == 404
    assert browser.post(f"{URL}undo/").status_code == 404
    assert Subscription.objects.get().status == "CANCELED"
    browser.post(f"{URL}undo/", {"what": "cancel"})
    assert Subscription.objects.get().status == "ACTIVE"
    assert "Đã rút lại yêu cầu hủy." in texts(browser.get(URL))


@pytest.mark.django_db
def test_what_is_over_can_be_neither_cancelled_nor_taken_back(
    browser: Client, school: Instance
) -> None:
    past = timezone.now() - timedelta(days=60)
    SubscriptionFactory(instance=school, status="EXPIRED", current_period_start=past)
    assert browser.post(f"{URL}cancel/")["Location"] == URL
    answer = browser.post(f"{URL}undo/", {"what": "cancel"}, follow=True)
    assert "vừa được thay đổi ở nơi khác" in texts(answer)
    assert Subscription.objects.get().status == "EXPIRED"


@pytest.mark.django_db
def test_a_receipt_is_shown_and_downloaded(browser: Client, school: Instance) -> None:
    paid(school)
    receipt = Receipt.objects.get()
    there = f"{URL}receipts/{receipt.year}/{receipt.number}"
    page = browser.get(f"{there}/")
    assert receipt.code in texts(page)
    assert f'href="{there}.pdf"' in texts(page)
    assert f'href="{URL}"' in texts(page)
    pdf = browser.get(f"{there}.pdf")
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF")
    assert Receipt.objects.count() == 1
    for missing in ("2026/999", "1/1", f"2026/{10**30}"):
        assert browser.get(f"{URL}receipts/{missing}/").status_code == 404
