"""Staff change what a school has bought on its subscription's page: now, or from its end on."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from billing.enums import OrderPurpose
from billing.models import Subscription
from billing.services import renewals
from billing.services.orders import open_order
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.portal import usage
from tests.billing.test_money_admin import clerk
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import act, form_of, messages_of, page_url
from tests.kitehub.jobs.working import states

pytestmark = pytest.mark.django_db
WHY = "trường gọi điện"
LEVERS = ("change-tier", "lower", "keep-tier")


@pytest.fixture
def own(db: None) -> Subscription:
    """A month of STANDARD that began yesterday."""
    return SubscriptionFactory(
        tier="STANDARD",
        instance__tier="STANDARD",
        monthly_price=599_000,
        current_period_start=timezone.now() - timedelta(days=1),
    )


def offered(client: Client, row: Subscription) -> set[str]:
    text = client.get(page_url(row)).text
    return {name for name in LEVERS if f"/{name}/" in text}


def fresh(row: Subscription) -> Subscription:
    return Subscription.all_objects.get(pk=row.pk)


def test_a_lower_tier_is_asked_for_after_a_look_and_that_is_taken_back(
    back_office: Client, own: Subscription
) -> None:
    assert offered(back_office, own) == {"change-tier", "lower"}
    done = act(back_office, own, "lower", tier="BASIC", reason=WHY)
    assert messages_of(done) == ["Từ khi hết thời gian đã trả tiền, trường dùng gói Cơ bản."]
    now = fresh(own)
    assert (now.tier, now.pending_tier, now.monthly_price) == ("STANDARD", "BASIC", 599_000)
    assert now.updated_by == "staff@kitehub.test"
    assert offered(back_office, own) == {"change-tier", "lower", "keep-tier"}
    # It is told of on the page: that the next tier is another one, and who wanted it, and why.
    page = back_office.get(page_url(own)).text
    for told in ("gói từ kỳ sau", WHY, "staff@kitehub.test"):
        assert told in page.lower()
    assert "Cơ bản" in back_office.get(page_url(own, "history")).text
    order = renewals.open_renewal(instance=own.instance, at=timezone.now(), actor="nightly")
    assert (order.tier, order.purpose) == ("BASIC", OrderPurpose.PERIOD)
    kept = back_office.get(page_url(own, "keep_tier")).text
    assert "Tiêu chuẩn" in kept
    assert order.order_id in kept, "who pays it has the lower tier all the same"
    assert messages_of(act(back_office, own, "keep_tier", reason=WHY)) == ["Gói giữ nguyên."]
    assert fresh(own).pending_tier is None
    assert LogEntry.objects.count() == 2


def test_what_is_lost_is_seen_before_it_is_asked_for(
    back_office: Client, own: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(usage._counts, "maxStudents", lambda instance_id: 350)
    order = open_order(instance=own.instance, actor="lan", tier=Tier.STANDARD)
    asked = back_office.get(page_url(own, "lower")).text
    assert ("BASIC" in asked, "STANDARD" in asked, "PREMIUM" in asked) == (True, False, False)
    sent = {"_form_submitted": "True", "tier": "BASIC", "reason": WHY}
    page = back_office.post(page_url(own, "lower"), sent)
    end = timezone.localtime(own.current_period_end)
    for shown in (
        f"{end:%d/%m/%Y}",
        "Tiêu chuẩn → Cơ bản",
        "599.000\u00a0₫ → 299.000\u00a0₫",
        "đang dùng 350",
        order.order_id,
    ):
        assert shown in page.text
    assert fresh(own).pending_tier is None
    plan = form_of(page)["plan"]
    monkeypatch.setitem(usage._counts, "maxStudents", lambda instance_id: 351)
    back_office.post(page_url(own, "lower"), {**sent, "plan": plan})
    assert fresh(own).pending_tier is None, "more is used than was looked at"


def test_what_the_school_has_not_got_is_no_loss_and_what_it_uses_may_be_unknown(
    back_office: Client, own: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {"_form_submitted": "True", "tier": "BASIC", "reason": WHY}
    monkeypatch.setitem(usage._counts, "maxStudents", lambda instance_id: None)
    assert "hiện chưa biết" in back_office.post(page_url(own, "lower"), sent).text
    Instance.objects.update(database_url="nonsense")
    page = back_office.post(page_url(own, "lower"), sent).text
    assert "hiện chưa biết" in page
    assert "Tiêu chuẩn → Cơ bản" in page


@pytest.mark.parametrize("wrong", [{"tier": "PREMIUM"}, {"tier": "STANDARD"}, {"reason": " "}])
def test_only_a_lower_tier_and_with_a_reason(
    wrong: dict[str, str], back_office: Client, own: Subscription
) -> None:
    act(back_office, own, "lower", **{"tier": "BASIC", "reason": WHY, **wrong})
    assert fresh(own).pending_tier is None


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED"])
def test_what_is_over_or_cancelled_gets_no_lower_tier(
    status: str, back_office: Client, own: Subscription
) -> None:
    Subscription.objects.update(status=status, canceled_at=timezone.now())
    assert "lower" not in offered(back_office, own)
    said = act(back_office, own, "lower", tier="BASIC", reason=WHY).text
    assert "đã hủy hoặc đã kết thúc" in said
    assert fresh(own).pending_tier is None


def test_nothing_is_kept_that_nobody_wanted_to_give_up(
    back_office: Client, own: Subscription
) -> None:
    assert "Không thực hiện được:" in back_office.get(page_url(own, "keep_tier")).text
    refused = act(back_office, own, "keep_tier", reason=WHY)
    assert "không có yêu cầu hạ gói" in messages_of(refused)[-1]
    own.delete()
    assert offered(back_office, own) == set()
    assert "đã bị xóa" in act(back_office, own, "lower", tier="BASIC", reason=WHY).text


def test_the_tier_is_changed_by_the_schools_own_dialog_which_leads_back(
    back_office: Client, own: Subscription
) -> None:
    page = back_office.get(page_url(own)).text
    link = page[page.index("/change-tier/") - 250 : page.index("/change-tier/") + 250]
    assert "hx-get" in link, "it opens as a dialog"
    asked = back_office.get(page_url(own, "change_tier"))
    assert asked.url.startswith(page_url(own.instance, "change_tier"))
    assert back_office.post(page_url(own, "change_tier"), {}).url == asked.url
    sent = {"_form_submitted": "True", "tier": "PREMIUM", "reason": WHY}
    seen = back_office.post(asked.url, sent)
    assert (fresh(own).tier, states()) == ("STANDARD", [])
    done = back_office.post(asked.url, {**sent, "plan": form_of(seen)["plan"]})
    assert done.url == page_url(own)
    assert (fresh(own).tier, Instance.objects.get().tier) == ("PREMIUM", "PREMIUM")
    assert states() == ["todo"]


def test_below_the_lowest_tier_there_is_none(back_office: Client, own: Subscription) -> None:
    Subscription.objects.update(tier="BASIC", monthly_price=299_000)
    assert offered(back_office, own) == {"change-tier"}


def test_each_takes_the_power_to_change_plans(own: Subscription) -> None:
    gives: Any = clerk("view_subscription", "change_subscription", "extend_subscription")
    sent = {"_form_submitted": "True", "tier": "BASIC", "reason": WHY}
    for name in ("change_tier", "lower", "keep_tier"):
        assert gives.get(page_url(own, name)).status_code == 403
        assert gives.post(page_url(own, name), sent).status_code == 403
    assert offered(gives, own) == set()
    changes = clerk("view_subscription", "change_plan")
    assert offered(changes, own) == {"change-tier", "lower"}
    act(changes, own, "lower", tier="BASIC", reason=WHY)
    assert fresh(own).pending_tier == "BASIC"
