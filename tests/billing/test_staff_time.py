"""Staff give days, pause and resume on a subscription's page, each with a reason.

Here one person may give them alone; test_goodwill_admin.py has those that another approves.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from billing.models import Subscription, SubscriptionAdjustment
from tests.billing.test_money_admin import clerk
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import act as act_on
from tests.kitehub.backoffice.pages import (
    act_on_all,
    form_of,
    list_url,
    messages_of,
    opened,
    page_url,
    results_of,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 10**9


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
    typed = subscription.instance.subdomain
    page = act(back_office, subscription, "extend", days="3", retyped=typed)
    assert messages_of(page) == ["Đã thêm 3 ngày."]
    subscription.refresh_from_db()
    assert subscription.current_period_end == end + 3 * DAY
    row = SubscriptionAdjustment.objects.get()
    assert (row.days, row.reason, row.created_by) == (3, "ngân hàng bảo trì", "staff@kitehub.test")
    assert LogEntry.objects.count() == 1
    assert (
        "ngân hàng bảo trì" in back_office.get(page_url(subscription, "history")).content.decode()
    )


@pytest.mark.parametrize("wrong", [{"days": "0"}, {"days": "4000"}, {"reason": " "}])
def test_nonsense_and_silence_change_nothing(
    wrong: dict[str, str],
    back_office: Client,
    subscription: Subscription,
) -> None:
    act(back_office, subscription, "extend", **({"days": "3"} | wrong))
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
    assert offered(back_office, subscription) == {"extend"}
    assert "không còn thời gian" in messages_of(act(back_office, subscription, "pause"))[-1]
    assert "tier" not in opened(back_office, subscription)


def test_dates_are_seen_before_days_are_given(
    back_office: Client, subscription: Subscription
) -> None:
    end = timezone.localtime(subscription.current_period_end)
    typed = subscription.instance.subdomain
    sent = {"_form_submitted": "True", "days": "3", "reason": "x", "retyped": typed}
    page = back_office.post(page_url(subscription, "extend"), sent)
    assert f"{end:%d/%m/%Y} → {end + 3 * DAY:%d/%m/%Y}" in page.text
    assert not SubscriptionAdjustment.objects.exists()
    plan = form_of(page)["plan"]
    for _ in range(2):  # sent twice it is given once: the second shows what it would add
        back_office.post(page_url(subscription, "extend"), {**sent, "plan": plan})
    assert SubscriptionAdjustment.objects.count() == 1


def test_a_pause_says_that_nobody_gets_in_and_what_is_left(
    back_office: Client, subscription: Subscription
) -> None:
    page = back_office.get(page_url(subscription, "pause"))
    assert "đến khi nhân viên kết thúc tạm dừng" in page.text
    assert "28 ngày" in page.text
    assert not SubscriptionAdjustment.objects.exists()
    act(back_office, subscription, "pause")
    again = back_office.get(page_url(subscription, "pause"))
    assert "Không thực hiện được:" in again.text
    assert "Đã thanh toán đến" in back_office.get(page_url(subscription, "unpause")).text


def test_it_is_cancelled_at_its_end_and_that_is_undone(
    back_office: Client, subscription: Subscription
) -> None:
    names = ("stop", "go-on")

    def shown() -> set[str]:
        text = back_office.get(page_url(subscription)).text
        return {name for name in names if f"/{name}/" in text}

    end = subscription.current_period_end
    assert shown() == {"stop"}
    assert "Đã hủy" in back_office.get(page_url(subscription, "stop")).text
    said = messages_of(act(back_office, subscription, "stop"))
    assert said == ["Gói sẽ kết thúc khi hết thời gian đã trả tiền."]
    subscription.refresh_from_db()
    assert (subscription.status, subscription.current_period_end) == ("CANCELED", end)
    assert shown() == {"go-on"}
    assert messages_of(act(back_office, subscription, "go_on")) == ["Đã bỏ yêu cầu hủy gói."]
    subscription.refresh_from_db()
    assert (subscription.status, subscription.canceled_at) == ("ACTIVE", None)
    Subscription.objects.update(status="EXPIRED")
    assert "Chưa có gì thay đổi" in messages_of(act(back_office, subscription, "stop"))[0]
    subscription.refresh_from_db()
    assert subscription.status == "EXPIRED"


def test_what_ends_with_its_period_says_until_when_and_is_not_over(
    back_office: Client, subscription: Subscription
) -> None:
    end = timezone.localtime(subscription.current_period_end)
    said = f"Hủy khi hết kỳ ({end:%d/%m/%Y})"
    pages = (page_url(subscription), list_url(Subscription))
    assert [said in back_office.get(page).text for page in pages] == [False, False]
    Subscription.objects.update(status="CANCELED", canceled_at=timezone.now(), pending_tier="BASIC")
    assert [said in back_office.get(page).text for page in pages] == [True, True]
    assert offered(back_office, subscription) == {"extend"}
    assert "/keep-tier/" not in back_office.get(page_url(subscription)).text
    Subscription.objects.update(
        current_period_start=timezone.now() - 31 * DAY, current_period_end=timezone.now() - DAY
    )
    assert ["Hủy khi hết kỳ (" in back_office.get(page).text for page in pages] == [False, False]


def test_several_get_days_each_with_its_result(
    back_office: Client, subscription: Subscription
) -> None:
    other = SubscriptionFactory(current_period_start=timezone.now() - DAY)
    ends = subscription.current_period_end, other.current_period_end
    address, rows = list_url(Subscription), [subscription, other]
    wrong = act_on_all(back_office, address, "extend_all", rows, days="0")
    assert list(results_of(wrong).values()) == [True, True]
    assert "days" in wrong.context["form"].errors
    assert not SubscriptionAdjustment.objects.exists()
    page = act_on_all(back_office, address, "extend_all", rows, days="2", reason="sự cố")
    assert list(results_of(page).values()) == [True, True]
    subscription.refresh_from_db()
    other.refresh_from_db()
    now = subscription.current_period_end, other.current_period_end
    assert now == (ends[0] + 2 * DAY, ends[1] + 2 * DAY)


def test_each_takes_its_own_permission(subscription: Subscription) -> None:
    looking = clerk("view_subscription", "change_subscription")
    sent = {"_form_submitted": "True", "reason": "x", "days": "1"}
    for name in ("extend", "pause", "unpause", "stop", "go_on"):
        assert looking.post(page_url(subscription, name), sent).status_code == 403
    gives = clerk("view_subscription", "extend_subscription")
    assert gives.post(page_url(subscription, "stop"), sent).status_code == 403
    assert gives.post(page_url(subscription, "extend"), sent).status_code == 200
