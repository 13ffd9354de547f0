"""What staff may change in the admin, and what nobody may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from kitehub.models import Instance, User
from tests.factories.analytics import GuestEventFactory
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.factories.storage import StorageEventFactory
from tests.kitehub.backoffice.pages import save

AUDITED = ["billing_subscriptionhistory", "storage_storageevent", "analytics_guestevent"]


@pytest.fixture
def history(db: None) -> SubscriptionHistory:
    subscription = SubscriptionFactory()
    subscription.tier = "PREMIUM"
    subscription.updated_by = "lan@kitehub.test"
    subscription.save()
    return subscription.history.latest("changed_at")


@pytest.mark.parametrize("name", AUDITED)
def test_audit_tables_cannot_be_written(
    name: str, back_office: Client, history: SubscriptionHistory
) -> None:
    rows = {
        "billing_subscriptionhistory": history,
        "storage_storageevent": StorageEventFactory(),
        "analytics_guestevent": GuestEventFactory(),
    }
    row = rows[name]
    before = type(row)._base_manager.values().get(pk=row.pk)
    assert back_office.post(reverse(f"admin:{name}_add"), {}).status_code == 403
    change = reverse(f"admin:{name}_change", args=[row.pk])
    assert back_office.get(change).status_code == 200
    assert back_office.post(change, {"tier": "BASIC"}).status_code == 403
    delete = reverse(f"admin:{name}_delete", args=[row.pk])
    assert back_office.post(delete, {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    back_office.post(reverse(f"admin:{name}_changelist"), bulk)
    assert type(row)._base_manager.values().get(pk=row.pk) == before


def test_what_an_order_asks_for_cannot_be_changed_once_it_is_open(back_office: Client) -> None:
    order = PaymentOrderFactory(amount=299000)
    answer = save(back_office, order, status="CANCELLED", amount="1", order_id="KHX")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    order.refresh_from_db()
    assert (order.status, order.amount) == ("CANCELLED", 299000)
    assert order.order_id != "KHX"
    assert order.updated_by == "staff@kitehub.test"


def test_an_order_is_opened_by_hand(back_office: Client) -> None:
    school = InstanceFactory()
    answer = back_office.post(
        reverse("admin:billing_paymentorder_add"),
        {
            "order_id": "KH7Q2M4X9A",
            "type": "SUBSCRIPTION",
            "status": "PENDING",
            "tier": "BASIC",
            "amount": "299000",
            "payment_content": "KITEHUB KH7Q2M4X9A",
            "instance": str(school.pk),
            "user": str(school.owner_id),
            "expires_at_0": "24/11/2026",
            "expires_at_1": "09:00",
        },
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    order = PaymentOrder.objects.get()
    assert order.created_by == "staff@kitehub.test"
    # Nine in the morning in Hồ Chí Minh City.
    assert order.expires_at.isoformat() == "2026-11-24T02:00:00+00:00"


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "abc", "9" * 25])
def test_an_impossible_amount_is_an_error_of_its_field(back_office: Client, amount: str) -> None:
    answer = back_office.post(reverse("admin:billing_paymentorder_add"), {"amount": amount})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not PaymentOrder.objects.exists()


def test_second_subscription_of_an_instance_is_an_error_of_the_form(back_office: Client) -> None:
    taken = SubscriptionFactory()
    now = timezone.localtime()
    answer = back_office.post(
        reverse("admin:billing_subscription_add"),
        {
            "instance": str(taken.instance_id),
            "tier": "BASIC",
            "status": "TRIAL",
            "monthly_price": "299000",
            "current_period_start_0": now.strftime("%d/%m/%Y"),
            "current_period_start_1": "00:00",
            "current_period_end_0": (now + timedelta(days=30)).strftime("%d/%m/%Y"),
            "current_period_end_1": "00:00",
            "history-TOTAL_FORMS": "0",
            "history-INITIAL_FORMS": "0",
        },
    )
    assert answer.status_code == 200
    assert "instance" in answer.context["adminform"].form.errors
    assert Subscription.objects.count() == 1


def test_subscription_page_shows_its_history(
    back_office: Client, history: SubscriptionHistory
) -> None:
    url = reverse("admin:billing_subscription_change", args=[history.subscription_id])
    page = back_office.get(url).content.decode()
    assert "lan@kitehub.test" in page


def test_a_school_entered_by_hand_lives_in_the_pool(back_office: Client) -> None:
    owner = UserFactory()
    answer = back_office.post(
        reverse("admin:kitehub_instance_add"),
        {
            "organization_name": "Trung tâm Mỹ thuật Sắc Màu",
            "subdomain": "sac-mau",
            "owner": str(owner.pk),
            "tier": "BASIC",
            "status": "TRIAL",
            "qr_template": "HOCPHI {courseId}",
        },
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    school = Instance.objects.get()
    assert school.database_url.startswith("postgres://")
    assert "@" not in school.database_url


def test_database_password_is_on_no_page(back_office: Client) -> None:
    school = InstanceFactory(database_password="s3cret-of-the-silo")
    for name, args in [("changelist", []), ("change", [school.pk]), ("history", [school.pk])]:
        page = back_office.get(reverse(f"admin:kitehub_instance_{name}", args=args))
        assert b"s3cret-of-the-silo" not in page.content


@pytest.mark.django_db
def test_staff_sign_in_by_email_however_it_is_typed(client: Client) -> None:
    User.objects.create_superuser("Lan@KiteHub.test", "a long password")
    for login in ("lan@kitehub.test", "LAN@KITEHUB.TEST"):
        answer = client.post(
            reverse("admin:login"), {"username": login, "password": "a long password"}
        )
        assert answer.status_code == 302, login


@pytest.mark.django_db
def test_who_is_not_staff_sees_nothing(client: Client) -> None:
    client.force_login(UserFactory())
    answer = client.get(reverse("admin:billing_paymentorder_changelist"))
    assert answer.status_code == 302
    assert "login" in answer.url


def test_pages_are_vietnamese_until_english_is_chosen(client: Client) -> None:
    page = client.get(reverse("admin:login"), headers={"accept-language": "en-US,en;q=0.9"})
    assert '<html lang="vi"' in page.content.decode()
    client.cookies["django_language"] = "en"
    assert '<html lang="en"' in client.get(reverse("admin:login")).content.decode()
