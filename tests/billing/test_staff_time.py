"""Staff give days, pause and resume on a subscription's page, each with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from billing.models import Subscription, SubscriptionAdjustment
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import act as act_on
from tests.kitehub.backoffice.pages import messages_of, opened, page_url

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def subscription(db: None) -> Subscription:
    return SubscriptionFactory(current_period_start=timezone.now() - DAY)


def act(client: Client, row: Subscription, name: str, **said: Any) -> Any:
    return act_on(client, row, name, **{"reason": "ngân hàng bảo trì", **said})


def offered(client: Client, row: Subscription) -> set[str]:
    text = client.get(page_url(row)).content.decode()
    return {name for name in ("extend", "pause", "unpause") if f"/{name}/" in text}


def test_days_are_given_with_a_reason_and_told_in_the_history(
    back_office: Client,
    subscription: Subscription,
) -> None:
    end = subscription.current_period_end
    page = act(back_office, subscription, "extend", days="3")
    assert messages_of(page) == ["Đã thêm 3 ngày."]
    subscription.refresh_from_db()
    assert subscription.current_period_end == end + 3 * DAY
    row = SubscriptionAdjustment.objects.get()
    assert (row.days, row.reason, row.created_by) == (3, "ngân hàng bảo trì", "staff@kitehub.test")
    assert LogEntry.objects.count() == 1
    assert (
        "ngân hàng bảo trì" in back_office.get(page_url(subscription, "history")).content.decode()
    )


@pytest.mark.parametrize("wrong", [{"days": "0"}, {"days": "4000"}, {"days": "3", "reason": " "}])
def test_nonsense_and_silence_change_nothing(
    wrong: dict[str, str],
    back_office: Client,
    subscription: Subscription,
) -> None:
    act(back_office, subscription, "extend", **wrong)
    assert not SubscriptionAdjustment.objects.exists()


def test_a_pause_is_offered_then_its_end(
    back_office: Client,
    subscription: Subscription,
) -> None:
    assert offered(back_office, subscription) == {"extend", "pause"}
    assert messages_of(act(back_office, subscription, "pause")) == ["Đã tạm dừng."]
    assert offered(back_office, subscription) == {"extend", "unpause"}
    assert "đang tạm dừng" in messages_of(act(back_office, subscription, "pause"))[-1]
    assert messages_of(act(back_office, subscription, "unpause")) == ["Đã kết thúc tạm dừng."]
    assert "không tạm dừng" in messages_of(act(back_office, subscription, "unpause"))[-1]


def test_what_is_over_cannot_be_paused(
    back_office: Client,
    subscription: Subscription,
) -> None:
    Subscription.objects.update(status="EXPIRED")
    assert "không còn thời gian" in messages_of(act(back_office, subscription, "pause"))[-1]
    assert "tier" not in opened(back_office, subscription)
