"""The tier of a school in the admin: read on its page, changed by its own action."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from billing.models import Subscription, SubscriptionHistory
from billing.services.orders import open_order
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import act, form_of, messages_of, opened, page_url, save
from tests.kitehub.jobs.working import states

pytestmark = pytest.mark.django_db


@pytest.fixture
def school(db: None) -> Instance:
    return SubscriptionFactory().instance


def change(client: Client, school: Instance, tier: str) -> Any:
    return act(client, school, "change_tier", tier=tier, reason="khách nâng gói")


def test_the_form_cannot_change_it(back_office: Client, school: Instance) -> None:
    assert "tier" not in opened(back_office, school)
    assert save(back_office, school, tier="PREMIUM").status_code == 302
    school.refresh_from_db()
    assert (school.tier, states()) == ("BASIC", [])


def test_the_dialog_shows_what_each_tier_costs_and_allows(
    back_office: Client, school: Instance
) -> None:
    page = back_office.get(page_url(school, "change_tier"))
    assert form_of(page)["tier"] == "BASIC"
    text = page.content.decode()
    for shown in ("299.000\u00a0₫", "1.299.000\u00a0₫", "200", "không giới hạn", "hiện tại"):
        assert shown in text
    assert Instance.objects.get().tier == "BASIC"


def test_the_action_goes_the_way_of_all_tier_changes(back_office: Client, school: Instance) -> None:
    assert messages_of(change(back_office, school, "PREMIUM")) == ["Gói hiện tại là Cao cấp."]
    assert Instance.objects.get().tier == Subscription.objects.get().tier == "PREMIUM"
    last = SubscriptionHistory.objects.order_by("changed_at", "id").last()
    assert last is not None
    assert last.change_reason == "khách nâng gói"
    assert last.changed_by == "staff@kitehub.test"
    assert states() == ["todo"]
    assert "PREMIUM" in LogEntry.objects.get().change_message
    history = back_office.get(page_url(school, "history")).content.decode()
    assert "khách nâng gói" in history
    assert "Cao cấp" in history


def test_an_unknown_tier_changes_nothing(back_office: Client, school: Instance) -> None:
    assert change(back_office, school, "GOLD").status_code == 200
    assert (Instance.objects.get().tier, states()) == ("BASIC", [])


def test_an_ended_subscription_and_a_deleted_school_are_said(
    back_office: Client, school: Instance
) -> None:
    Subscription.objects.update(status="EXPIRED")
    assert "gói đăng ký đã kết thúc" in change(back_office, school, "PREMIUM").text
    school.delete()
    assert "đã bị xóa" in change(back_office, school, "PREMIUM").text
    assert (Instance.all_objects.get().tier, states()) == ("BASIC", [])


def test_what_it_costs_and_from_when_is_seen_before_it_is_done(
    back_office: Client, school: Instance
) -> None:
    order = open_order(instance=school, actor="lan", tier=Tier.BASIC)
    sent = {"_form_submitted": "True", "tier": "PREMIUM", "reason": "khách nâng gói"}
    page = back_office.post(page_url(school, "change_tier"), sent)
    for shown in ("299.000\u00a0₫ → 1.299.000\u00a0₫", "Cơ bản → Cao cấp", order.order_id):
        assert shown in page.text
    assert (Instance.objects.get().tier, states()) == ("BASIC", [])
    plan = form_of(page)["plan"]
    # Another tier than the one that was looked at is shown first.
    back_office.post(page_url(school, "change_tier"), {**sent, "tier": "STANDARD", "plan": plan})
    assert Instance.objects.get().tier == "BASIC"
    back_office.post(page_url(school, "change_tier"), {**sent, "plan": plan})
    assert Instance.objects.get().tier == "PREMIUM"
