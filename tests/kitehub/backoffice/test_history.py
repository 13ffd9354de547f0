"""Who changed a subscription, when, why, and what against the row before."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.admin import Changes
from billing.models import Subscription, SubscriptionHistory
from kitehub.db.acting import acting
from tests.factories.billing import SubscriptionFactory, SubscriptionHistoryFactory
from tests.kitehub.backoffice.pages import act, list_url, page_url


def change(subscription: Subscription, who: str = "lan", why: str = "", **values: Any) -> None:
    for name, value in values.items():
        setattr(subscription, name, value)
    with transaction.atomic(), acting(who, why):
        subscription.save()


def newest_first(subscription: Subscription) -> list[Any]:
    return list(
        SubscriptionHistory.objects.filter(subscription=subscription)
        .with_previous()
        .order_by("-changed_at", "-id")
    )


def lines(row: Any) -> list[str]:
    return list(Changes().lines(row))


@pytest.fixture
def subscription(db: None) -> Subscription:
    made: Subscription = SubscriptionFactory(monthly_price=299_000)
    change(made, "lan@kitehub.test", "khách nâng gói", tier="PREMIUM", monthly_price=999_000)
    return made


def test_page_tells_who_when_why_and_what_newest_first(
    back_office: Client, subscription: Subscription
) -> None:
    change(subscription, "minh@kitehub.test", status="CANCELED")
    text = back_office.get(page_url(subscription)).content.decode()
    told = [
        "Trạng thái: Đang hoạt động → Đã hủy",
        "minh@kitehub.test",
        "Gói: Cơ bản → Cao cấp",
        "Giá mỗi tháng: 299.000\u00a0₫ → 999.000\u00a0₫",
        "lan@kitehub.test",
        "khách nâng gói",
        "Khởi đầu:",
    ]
    history = text[text.index("Nội dung thay đổi") :]
    places = [history.index(part) for part in told]
    assert places == sorted(places)


def test_page_tells_it_in_english(back_office: Client, subscription: Subscription) -> None:
    back_office.cookies["django_language"] = "en"
    text = back_office.get(page_url(subscription)).content.decode()
    assert "Tier: Basic → Premium" in text
    assert "Begins with:" in text


def test_reason_given_in_the_admin_is_the_history_s(
    back_office: Client, subscription: Subscription
) -> None:
    act(back_office, subscription, "stop", reason="hợp đồng 12/HĐ")
    newest = newest_first(subscription)[0]
    assert (newest.changed_by, newest.change_reason) == ("staff@kitehub.test", "hợp đồng 12/HĐ")
    assert lines(newest)[0] == "Trạng thái: Đang hoạt động → Đã hủy"


def test_deletion_and_period_are_told(subscription: Subscription) -> None:
    change(subscription, current_period_end=subscription.current_period_end + timedelta(days=30))
    subscription.delete()
    deleted, longer = newest_first(subscription)[:2]
    assert lines(deleted) == ["Đã xóa: Không → Có"]
    assert [line.split(":")[0] for line in lines(longer)] == ["Kết thúc kỳ"]


def test_rows_from_before_v10_know_nothing_of_the_rest(subscription: Subscription) -> None:
    """As the plan's trigger wrote them: without period, without deletion."""
    SubscriptionHistoryFactory(
        subscription=subscription, tier="BASIC", changed_at=timezone.now() + timedelta(seconds=1)
    )
    newest = newest_first(subscription)[0]
    assert lines(newest) == ["Gói: Cao cấp → Cơ bản"]
    SubscriptionHistoryFactory(
        subscription=subscription,
        tier="STANDARD",
        current_period_end=timezone.now(),
        deleted=False,
        changed_at=timezone.now() + timedelta(seconds=2),
    )
    assert lines(newest_first(subscription)[0]) == ["Gói: Cơ bản → Tiêu chuẩn"]


def test_filtered_list_compares_with_the_real_row_before(
    back_office: Client, subscription: Subscription
) -> None:
    change(subscription, status="PAST_DUE")
    change(subscription, status="ACTIVE", monthly_price=500_000)
    page = back_office.get(list_url(SubscriptionHistory), {"status__exact": "ACTIVE"})
    newest = page.context["cl"].result_list[0]
    assert lines(newest)[0] == "Trạng thái: Quá hạn → Đang hoạt động"
    assert "Trạng thái: Quá hạn → Đang hoạt động" in page.content.decode()


def test_page_of_one_change_tells_it(back_office: Client, subscription: Subscription) -> None:
    newest = newest_first(subscription)[0]
    text = back_office.get(page_url(newest)).content.decode()
    assert "Gói: Cơ bản → Cao cấp" in text
    assert "khách nâng gói" in text


def test_changes_in_one_instant_are_told_in_one_order(subscription: Subscription) -> None:
    moment = subscription.history.latest("changed_at").changed_at
    SubscriptionHistory.objects.bulk_create(
        SubscriptionHistory(
            subscription=subscription,
            tier="PREMIUM",
            status="ACTIVE",
            monthly_price=price,
            changed_at=moment + timedelta(seconds=1),
        )
        for price in (1, 2, 3)
    )
    rows = newest_first(subscription)
    assert [row.previous and row.previous["monthly_price"] for row in rows] == [
        *[row.monthly_price for row in rows[1:]],
        None,
    ]


@pytest.mark.parametrize("page", ["subscription", "list"])
def test_queries_do_not_grow_with_the_history(
    page: str, back_office: Client, subscription: Subscription
) -> None:
    url = page_url(subscription) if page == "subscription" else list_url(SubscriptionHistory)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert back_office.get(url).status_code == 200
        counts.append(len(queries))
        for price in range(1, 9):
            change(subscription, monthly_price=price)
            SubscriptionFactory()
    # A subscription's page also tells what else happened, and what belongs to it.
    assert counts == ([22, 22] if page == "subscription" else [4, 4])


def test_history_is_nobody_s_to_write(back_office: Client, subscription: Subscription) -> None:
    newest = newest_first(subscription)[0]
    for name in ("change", "delete"):
        assert back_office.post(page_url(newest, name), {"post": "yes"}).status_code == 403
    add = reverse("admin:billing_subscriptionhistory_add")
    assert back_office.post(add, {"tier": "BASIC"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [newest.pk], "confirmed": "yes"}
    back_office.post(list_url(SubscriptionHistory), form)
    assert subscription.history.count() == 2
