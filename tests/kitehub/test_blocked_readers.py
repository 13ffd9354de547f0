"""Who asks why a school is blocked is told, and led to, what their role may see and no more."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing.enums import SubscriptionStatus
from billing.models import PaymentOrder, Subscription
from kitehub.models import ApiKey, Instance, StaffRole
from kitehub.roles import Role
from kitehub.workflows import suspend, watch_instances
from tests.factories.billing import FeedSilenceFactory, PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import list_url, page_url
from tests.kitehub.test_blocked import whole

CANCELED = "Chọn “Bỏ yêu cầu hủy” ở trang của gói đăng ký trước khi hết kỳ."
SUSPENDED = "Chọn “Cho hoạt động lại” trong “Thao tác khác” ở trang của trường."
ASK = " Vai trò của bạn không làm được việc này: hãy nhờ bộ phận {}."
DAY = timedelta(days=1)
# What each of the roles is told, beside what all of them are.
SEES = {
    Role.SUPPORT: {"order", "database", "storage"},
    Role.FINANCE: {"order", "silence"},
    Role.OPERATOR: {"silence", "database", "storage", "keys"},
    Role.AUDITOR: {"order", "silence", "database", "storage", "keys"},
}


def reader(role: Role) -> Client:
    member = UserFactory(staff=True)
    member.groups.add(StaffRole.objects.get(pk=role).group)
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def unpaid(db: None) -> tuple[Instance, Subscription, PaymentOrder]:
    """A school that was past due while the bank was silent, has an open order and no live key."""
    school, end = whole(), timezone.now() - 4 * DAY
    paid = SubscriptionFactory(
        instance=school,
        status=SubscriptionStatus.PAST_DUE,
        current_period_start=end - 30 * DAY,
        current_period_end=end,
    )
    FeedSilenceFactory(feed__account_number="", starts_at=end + DAY, ends_at=end + 2 * DAY)
    ended = {"revoked_at": timezone.now(), "revoked_by": "x", "revoked_reason": "y"}
    ApiKey.objects.filter(instance=school).update(**ended)
    watch_instances()
    return school, paid, PaymentOrderFactory(instance=school)


@pytest.mark.parametrize("role", SEES)
def test_each_role_is_told_and_led_to_what_it_may_see(
    unpaid: tuple[Instance, Subscription, PaymentOrder], role: Role
) -> None:
    school, paid, order = unpaid
    client = reader(role)
    page = client.get(page_url(school, "why"))
    rows = [row for _name, _access, row, _reason in page.context["allowed"]]
    labels = {line.label for cause in page.context["causes"] for line in cause.evidence}
    told = {
        "order": order.order_id in page.text,
        "silence": "Kênh báo giao dịch" in labels,
        "database": bool(page.context["database"]) and "Cấu trúc" in page.text,
        "storage": any(" / " in row for row in rows),
    }
    assert {name for name, is_told in told.items() if is_told} == SEES[role] - {"keys"}
    assert "Thời gian ân hạn" in labels
    links = {address for cause in page.context["causes"] for _words, address in cause.links}
    expected = {page_url(paid)}
    expected |= {page_url(order)} if "order" in SEES[role] else set()
    expected |= {f"{list_url(ApiKey)}?q={school.subdomain}"} if "keys" in SEES[role] else set()
    assert links == expected
    for address in links:
        assert client.get(address).status_code == 200, address


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "canceled", "suspended"),
    [
        (Role.FINANCE, CANCELED, SUSPENDED + ASK.format("Vận hành")),
        (Role.OPERATOR, CANCELED + ASK.format("Kế toán"), SUSPENDED),
    ],
)
def test_what_helps_names_the_button_and_for_who_lacks_it_whom_to_ask(
    role: Role, canceled: str, suspended: str
) -> None:
    school = whole()
    SubscriptionFactory(instance=school, status=SubscriptionStatus.CANCELED)
    suspend(instance_id=school.pk, reason="nợ phí", actor="lan@kitehub.vn")
    page = reader(role).get(page_url(school, "why"))
    assert [cause.helps for cause in page.context["causes"][:2]] == [suspended, canceled]
