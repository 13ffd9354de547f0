"""Plans and prices; what is ordered is what the page offers at that moment."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing.enums import OrderPurpose, PaymentStatus
from billing.models import PaymentOrder, Subscription
from billing.services import credit
from kitehub import tenancy
from kitehub.enums import Tier
from kitehub.models import Instance
from storage.models import StorageUsage
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.portal.conftest import texts

pytestmark = pytest.mark.django_db
URL = "/schools/sao-mai/plans/"
NBSP = "\xa0"


@pytest.fixture
def standard(school: Instance) -> Subscription:
    """STANDARD, bought half a month ago for a month."""
    start = timezone.now() - timedelta(days=15)
    return SubscriptionFactory(
        instance=school,
        tier=Tier.STANDARD,
        current_period_start=start,
        current_period_end=start + timedelta(days=30),
    )


def order(browser: Client, **said: Any) -> Any:
    return browser.post(URL, said)


def test_who_tries_buys_any_plan_for_some_months(browser: Client, school: Instance) -> None:
    SubscriptionFactory(instance=school, status="TRIAL")
    page = texts(browser.get(URL))
    for words in ["Tiêu chuẩn", f"599.000{NBSP}₫", f"12 tháng – 15.588.000{NBSP}₫", "Tối đa 200"]:
        assert words in page
    answer = order(browser, tier="PREMIUM", months="12", amount="1")
    made = PaymentOrder.objects.get()
    assert answer["Location"] == f"/schools/sao-mai/orders/{made.order_id}/"
    assert (made.tier, made.months, made.amount) == ("PREMIUM", 12, 12 * 1_299_000)
    assert (made.user, made.created_by) == (school.owner, "lan@example.vn")
    assert browser.get(answer["Location"]).status_code == 200
    order(browser, tier="BASIC", months="1")
    made.refresh_from_db()
    assert made.status == PaymentStatus.CANCELLED, "the first is superseded"
    assert "Bạn có một đơn chờ thanh toán" in texts(browser.get("/schools/sao-mai/"))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"tier": "GOLD", "months": "1"},
        {"tier": "BASIC"},
        {"tier": "BASIC", "months": "2"},
        {"tier": "BASIC", "months": "-1"},
        {"tier": "BASIC\x00", "months": "x"},
    ],
)
def test_what_is_not_offered_is_refused(
    said: dict[str, str], browser: Client, school: Instance
) -> None:
    SubscriptionFactory(instance=school, status="TRIAL")
    answer = browser.post(URL, said, follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    assert 'class="note error"' in texts(answer)
    assert not PaymentOrder.objects.exists()


def test_an_upgrade_costs_what_the_page_says(
    browser: Client, school: Instance, standard: Subscription
) -> None:
    page = texts(browser.get(URL))
    (said,) = re.findall(rf"([\d.]+){NBSP}₫: phần chênh lệch giá", page)
    order(browser, tier="PREMIUM", months="12")
    made = PaymentOrder.objects.get()
    assert made.purpose == OrderPurpose.UPGRADE
    assert f"{made.amount:,}".replace(",", ".") == said
    assert 300_000 < made.amount < 400_000, "half of 700.000"


def test_an_upgrade_is_open_no_longer_than_what_it_raises(
    browser: Client, school: Instance
) -> None:
    end = timezone.now() + timedelta(hours=2)
    SubscriptionFactory(
        instance=school,
        tier=Tier.STANDARD,
        current_period_start=end - timedelta(days=30),
        current_period_end=end,
    )
    order(browser, tier="PREMIUM")
    assert PaymentOrder.objects.get().expires_at == end


def test_credit_is_said_and_pays(browser: Client, school: Instance, standard: Any) -> None:
    credit.grant(instance_id=school.pk, amount=700_000, reason="x", actor="na", at=timezone.now())
    assert f"700.000{NBSP}₫ tiền dư" in texts(browser.get(URL))
    answer = order(browser, tier="STANDARD", months="1")
    assert "Đã thanh toán. Xin cảm ơn!" in texts(browser.get(answer["Location"]))


def test_a_downgrade_is_shown_first_with_what_is_used_and_can_be_undone(
    browser: Client, school: Instance, standard: Subscription
) -> None:
    with tenancy.use(school):
        StorageUsage.objects.create(instance_id=school.pk, used_bytes=2**30, limit_bytes=2**33)
    led = order(browser, tier="BASIC", months="1")
    assert led["Location"] == f"{URL}BASIC/"
    page = texts(browser.get(led["Location"]))
    for words in [
        "Hạ xuống gói Cơ bản",
        f"Không có dung lượng lưu tệp; bạn đang dùng 1,0{NBSP}GB",
        "Công cụ tương tác với học viên",
    ]:
        assert words in page
    assert Subscription.objects.get().pending_tier is None
    assert browser.post(led["Location"])["Location"] == "/schools/sao-mai/"
    assert Subscription.objects.get().pending_tier == "BASIC"
    assert "bạn dùng gói Cơ bản" in texts(browser.get("/schools/sao-mai/"))
    assert "Bắt đầu từ ngày" in texts(browser.get(URL))
    browser.post("/schools/sao-mai/undo/", {"what": "downgrade"})
    assert Subscription.objects.get().pending_tier is None
    assert not PaymentOrder.objects.exists()


def test_only_a_lower_plan_is_one_to_change_down_to(
    browser: Client, standard: Subscription
) -> None:
    assert browser.get(f"{URL}PREMIUM/")["Location"] == URL
    assert browser.post(f"{URL}STANDARD/")["Location"] == URL
    assert browser.get(f"{URL}GOLD/").status_code == 404


def test_a_school_without_a_subscription_has_pages_that_say_so(
    browser: Client, school: Instance
) -> None:
    for url in (URL, "/schools/sao-mai/"):
        assert "chưa có gói đăng ký" in texts(browser.get(url))
    assert browser.post(URL, {"tier": "BASIC", "months": "1"}).status_code == 200
    assert browser.get(f"{URL}BASIC/").status_code == 404
    assert not PaymentOrder.objects.exists()


def test_no_account_to_pay_to_is_no_traceback(
    browser: Client, standard: Subscription, settings: Any
) -> None:
    settings.KITEHUB_BANK_ACCOUNT = ""
    answer = browser.post(URL, {"tier": "STANDARD", "months": "1"}, follow=True)
    assert "Vui lòng liên hệ" in texts(answer)


def test_a_school_whose_address_can_not_be_read_can_be_paid_for(
    browser: Client, school: Instance, standard: Subscription
) -> None:
    Instance.objects.update(database_url="nonsense")
    assert "Hạ xuống gói Cơ bản" in texts(browser.get(f"{URL}BASIC/"))
    there = order(browser, tier="STANDARD", months="1")["Location"]
    assert browser.get(there).status_code == 200


def test_nobody_pays_for_a_closed_school(
    browser: Client, school: Instance, standard: Subscription
) -> None:
    Instance.objects.update(status="CLOSED")
    answer = browser.post(URL, {"tier": "STANDARD", "months": "1"}, follow=True)
    assert "Trường này đã đóng." in texts(answer)
    assert not PaymentOrder.objects.exists()


def test_pages_are_in_english_too(browser: Client, standard: Subscription) -> None:
    browser.cookies["django_language"] = "en"
    page = texts(browser.get(URL))
    for words in ["Plans and prices", "3 months – 1,797,000", "Up to 200 students", "Upgrade now"]:
        assert words in page
