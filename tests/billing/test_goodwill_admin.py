"""Staff propose credit and days, and approve each other's."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import CreditEntry, Goodwill, Subscription, SubscriptionAdjustment
from billing.services import credit
from kitehub.models import Instance
from tests.billing.test_money_admin import clerk
from tests.factories.billing import GoodwillFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import (
    act,
    act_on_all,
    form_of,
    list_url,
    messages_of,
    page_url,
    results_of,
)

pytestmark = pytest.mark.django_db
ADD = reverse("admin:billing_goodwill_add")
DAY = timedelta(days=1)


@pytest.fixture
def school() -> Instance:
    return InstanceFactory()


@pytest.fixture
def own(school: Instance) -> Subscription:
    return SubscriptionFactory(instance=school, current_period_start=timezone.now() - DAY)


def offered(client: Client, row: Goodwill) -> set[str]:
    text = client.get(page_url(row)).text
    return {name for name in ("approve", "decline", "withdraw") if f"/{name}/" in text}


def entered(client: Client, school: Instance) -> dict[str, str]:
    return form_of(client.get(ADD)) | {
        "instance": str(school.pk),
        "amount": "50000",
        "retyped": "50.000 ₫",
        "reason": "Xin lỗi vì sự cố",
    }


def test_credit_is_proposed_once_with_a_reason(back_office: Client, school: Instance) -> None:
    way = reverse("admin:billing_creditentry_give")
    assert way in back_office.get(list_url(CreditEntry)).text
    assert back_office.get(way).url == ADD  # type: ignore[attr-defined]
    assert "Một người khác sẽ duyệt" in back_office.get(ADD).text
    form = entered(back_office, school)
    wrong: dict[str, str]
    for wrong in (
        {"amount": "0", "retyped": "0"},
        {"amount": "10000000000000", "retyped": "10000000000000"},
        {"amount": "500000"},
        {"once": ""},
        {"reason": ""},
    ):
        page = back_office.post(ADD, form | wrong)
        assert form_of(page)["once"] == wrong.get("once", form["once"])
    page = back_office.post(ADD, form, follow=True)
    assert messages_of(page)[0] == "Đã gửi đề xuất. Một người khác sẽ duyệt."
    assert "Khoản tặng này đã có rồi." in back_office.post(ADD, form).text
    row = Goodwill.objects.get()
    assert (row.status, row.proposed_by) == ("PROPOSED", "staff@kitehub.test")
    assert credit.balance(instance_id=school.pk) == 0
    assert "Xin lỗi vì sự cố" in back_office.get(page_url(row)).text


def test_days_are_proposed_with_their_dates_and_what_they_are_worth(
    back_office: Client, own: Subscription
) -> None:
    end = timezone.localtime(own.current_period_end)
    page = back_office.get(page_url(own, "extend"))
    assert "Một người khác sẽ duyệt" in page.text
    sent = form_of(page) | {"_form_submitted": "True", "days": "3", "reason": "sự cố"}
    sent["retyped"] = own.instance.subdomain  # type: ignore[union-attr]
    page = back_office.post(page_url(own, "extend"), sent)
    assert f"{end:%d/%m/%Y} → {end + 3 * DAY:%d/%m/%Y}" in page.text
    assert "3 ngày sử dụng · 29.900" in page.text
    sent["plan"] = form_of(page)["plan"]
    assert not Goodwill.objects.exists()
    page = back_office.post(page_url(own, "extend"), sent, follow=True)
    assert messages_of(page) == ["Đã đề xuất thêm 3 ngày. Một người khác sẽ duyệt."]
    own.refresh_from_db()
    assert own.current_period_end == end
    # Sent again it is proposed no second time.
    again = back_office.post(page_url(own, "extend"), sent)
    assert "Khoản tặng này đã có rồi." in again.text
    (row,) = Goodwill.objects.all()
    assert (row.days, row.reason) == (3, "sự cố")
    assert LogEntry.objects.get().object_id == str(own.pk)
    assert "3 ngày sử dụng" in back_office.get(page_url(own, "history")).text
    # Another dialog shows what waits.
    other = back_office.post(
        page_url(own, "extend"), sent | {"once": "", "plan": "", "reason": "x"}
    )
    assert "Cũng đang đề xuất cho trường này" in other.text


def test_another_person_approves_and_types_the_amount_again(
    back_office: Client, own: Subscription, school: Instance
) -> None:
    end = own.current_period_end
    money = GoodwillFactory(instance=school)
    days = GoodwillFactory(instance=school, kind="EXTENSION", days=30, amount=299_000)
    assert offered(back_office, money) == {"approve", "decline"}
    shown = back_office.get(page_url(money, "approve")).text
    assert "0\u00a0₫ → 50.000\u00a0₫" in shown
    assert "Cũng đang đề xuất cho trường này" in shown
    for row, typed in ((money, "30"), (days, "299000")):
        act(back_office, row, "approve", reason="x", retyped=typed)
    assert not CreditEntry.objects.exists()
    assert not SubscriptionAdjustment.objects.exists()
    said = ["Đã duyệt, trường đã nhận được."]
    for row, typed in ((money, "50.000 ₫"), (days, "30")):
        page = act(back_office, row, "approve", reason="Đúng", retyped=typed)
        assert messages_of(page) == said
        assert offered(back_office, row) == set()
        assert messages_of(act(back_office, row, "approve", reason="x", retyped=typed)) != said
    own.refresh_from_db()
    assert own.current_period_end == end + 30 * DAY
    assert credit.balance(instance_id=school.pk) == 50_000
    # Who proposed and who approved, on the pages of the goodwill, the subscription and the school.
    for page_of in (money, own, school):
        text = back_office.get(page_url(page_of)).text
        assert "Đã duyệt khoản tặng" in text, page_of
        assert "lan" in text


def test_who_proposed_it_withdraws_it_and_does_nothing_else(
    back_office: Client, school: Instance
) -> None:
    own, other = GoodwillFactory(proposed_by="staff@kitehub.test"), GoodwillFactory()
    assert offered(back_office, own) == {"withdraw"}
    for row, name in ((own, "approve"), (own, "decline"), (other, "withdraw")):
        act(back_office, row, name, reason="x", retyped="50000")
        row.refresh_from_db()
        assert row.status == "PROPOSED"
    said = messages_of(act(back_office, own, "withdraw", reason="Nhầm trường"))
    assert said == ["Đã rút lại đề xuất."]
    act(back_office, other, "decline", reason="")
    other.refresh_from_db()
    assert other.status == "PROPOSED"
    assert messages_of(act(back_office, other, "decline", reason="x")) == ["Đã từ chối."]
    own.refresh_from_db()
    assert (own.status, own.decision) == ("WITHDRAWN", "Nhầm trường")
    assert not CreditEntry.objects.exists()


def test_several_are_approved_each_with_its_result(back_office: Client) -> None:
    own = GoodwillFactory(proposed_by="staff@kitehub.test", amount=1_000)
    other = GoodwillFactory()
    for said in ({}, {"reason": "Đúng"}):
        page = act_on_all(back_office, list_url(Goodwill), "approve_all", [own, other], **said)
        assert results_of(page) == {str(own): False, str(other): True}
    assert CreditEntry.objects.get().pk == other.pk


def test_several_get_days_proposed_and_the_page_says_so(
    back_office: Client, own: Subscription
) -> None:
    rows = [own, SubscriptionFactory(current_period_start=timezone.now() - DAY)]
    page = act_on_all(back_office, list_url(Subscription), "extend_all", rows, days="2", reason="x")
    assert list(results_of(page).values()) == [True, True]
    assert "Một người khác sẽ duyệt" in page.text
    assert sorted(Goodwill.objects.values_list("days", "status")) == 2 * [(2, "PROPOSED")]
    assert not SubscriptionAdjustment.objects.exists()


def test_what_is_small_is_given_at_once_and_said_to_be(
    back_office: Client, own: Subscription, school: Instance, settings: Any
) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 100_000
    assert "tự tặng tối đa 100.000" in back_office.get(ADD).text
    page = back_office.post(ADD, entered(back_office, school), follow=True)
    assert messages_of(page)[0] == "Đã tặng."
    assert "tự tặng tối đa 50.000" in back_office.get(page_url(own, "extend")).text
    said = {"reason": "x", "retyped": school.subdomain}
    page = act(back_office, own, "extend", days="5", **said)
    assert messages_of(page) == ["Đã thêm 5 ngày."]
    page = act(back_office, own, "extend", days="1", **said)
    assert messages_of(page) == ["Đã đề xuất thêm 1 ngày. Một người khác sẽ duyệt."]
    states = [row.status for row in Goodwill.objects.order_by("proposed_at")]
    assert states == ["GIVEN", "GIVEN", "PROPOSED"]
    assert credit.balance(instance_id=school.pk) == 50_000


def test_the_list_is_searched_and_narrowed(back_office: Client, school: Instance) -> None:
    row = GoodwillFactory(instance=school, amount=77_000)
    given = GoodwillFactory(status="GIVEN")
    for asked in (
        {"q": school.subdomain},
        {"q": str(school.pk)},
        {"q": "77.000"},
        {"tab": "PROPOSED"},
        {"amount_from": "60000"},
    ):
        found = back_office.get(list_url(Goodwill), asked).context["cl"].result_list
        assert [each.pk for each in found] == [row.pk], asked
    found = back_office.get(list_url(Goodwill), {"tab": "GIVEN"}).context["cl"].result_list
    assert [each.pk for each in found] == [given.pk]


def test_each_takes_its_own_permission(school: Instance, own: Subscription) -> None:
    row = GoodwillFactory(instance=school)
    looking = clerk("view_goodwill", "view_instance", "view_subscription")
    assert looking.get(page_url(row)).status_code == 200
    assert looking.get(ADD).status_code == 403
    proposing = clerk("view_goodwill", "grant_credit", "extend_subscription")
    assert proposing.get(ADD).status_code == 200
    for name in ("approve", "decline"):
        assert act(looking, row, name, reason="x").status_code == 403
        assert act(proposing, row, name, reason="x").status_code == 403
    assert act(looking, row, "withdraw", reason="x").status_code == 403
    deciding = clerk("view_goodwill", "approve_goodwill")
    act(deciding, row, "approve", reason="x", retyped="50000")
    assert credit.balance(instance_id=school.pk) == 50_000
    # Who may not see goodwill learns nothing of it on other pages.
    text = clerk("view_subscription").get(page_url(own)).text
    assert "khoản tặng" not in text.lower()
