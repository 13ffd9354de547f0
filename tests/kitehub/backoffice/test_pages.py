"""What staff may change in the admin, and what nobody may."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse, reverse_lazy

from billing.models import PaymentOrder, SubscriptionHistory
from kitehub.models import Instance, User
from tests.factories.analytics import GuestEventFactory
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.factories.storage import StorageEventFactory
from tests.kitehub.backoffice.pages import form_of, save

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
    assert (order.status, order.amount, order.version) == ("PENDING", 299000, 0)
    assert order.order_id != "KHX"


ADD_ORDER = reverse_lazy("admin:billing_paymentorder_add")


def test_an_order_is_opened_by_hand(back_office: Client) -> None:
    school = InstanceFactory()
    page = back_office.get(ADD_ORDER)
    assert form_of(page)["months"] == "1"
    said = {"type": "SUBSCRIPTION", "instance": str(school.pk), "tier": "BASIC", "months": "3"}
    answer = back_office.post(ADD_ORDER, {**said, "reason": "Trường gọi"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    order = PaymentOrder.objects.get()
    assert (order.created_by, order.user_id) == ("staff@kitehub.test", school.owner_id)
    assert (order.amount, order.months, order.purpose) == (897_000, 3, "PERIOD")
    assert order.memo == order.order_id
    assert "Trường gọi" in json.loads(LogEntry.objects.get().change_message)[-1].values()
    # The next for the same thing takes its place, once that has been seen.
    shown = back_office.post(ADD_ORDER, said)
    told, _nothing_done = shown.context["adminform"].form.errors["__all__"]
    assert f"{order.order_id} · 897.000" in told
    order.refresh_from_db()
    assert (order.status, PaymentOrder.objects.count()) == ("PENDING", 1)
    again = {**said, "replaces": form_of(shown)["replaces"]}
    assert back_office.post(ADD_ORDER, again).status_code == 302
    order.refresh_from_db()
    assert order.status == "CANCELLED"


def test_an_order_for_a_course_is_paid_to_the_schools_account(back_office: Client) -> None:
    school = InstanceFactory(bank_code="", account_number="")
    said = {"type": "ENROLLMENT", "instance": str(school.pk), "amount": "500000"}
    errors = back_office.post(ADD_ORDER, said).context["adminform"].form.errors
    assert set(errors) == {"course_id", "student_name"}
    said |= {"course_id": "TOAN9", "student_name": "Lê Minh"}
    refused = back_office.post(ADD_ORDER, said).context["adminform"].form.errors
    assert refused["__all__"] == [
        "Trường chưa có tài khoản ngân hàng, hoặc tài khoản không tạo được mã QR."
    ]
    Instance.objects.update(bank_code="970436", account_number="0011223344")
    assert back_office.post(ADD_ORDER, said).status_code == 302
    order = PaymentOrder.objects.get()
    assert (order.amount, order.account_number) == (500_000, "0011223344")
    assert "TOAN9" in order.memo


def test_what_a_plan_costs_is_not_entered(back_office: Client) -> None:
    school = InstanceFactory()
    User.objects.filter(pk=school.owner_id).delete()
    said = {"type": "SUBSCRIPTION", "instance": str(school.pk), "amount": "1", "months": "37"}
    errors = back_office.post(ADD_ORDER, said).context["adminform"].form.errors
    assert set(errors) == {"amount", "months", "tier", "user"}
    assert not PaymentOrder.objects.exists()


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "abc", "9" * 25])
def test_an_impossible_amount_is_an_error_of_its_field(back_office: Client, amount: str) -> None:
    answer = back_office.post(reverse("admin:billing_paymentorder_add"), {"amount": amount})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not PaymentOrder.objects.exists()


def test_nobody_adds_a_subscription_by_hand(back_office: Client) -> None:
    assert back_office.get(reverse("admin:billing_subscription_add")).status_code == 403


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
            # Sent all the same, by somebody who has read the page's source.
            "tier": "PREMIUM",
            "status": "ACTIVE",
            "bank_code": "970436",
            "account_number": "0999888777",
        },
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    school = Instance.objects.get()
    assert school.database_url.startswith("postgres://")
    assert "@" not in school.database_url
    assert (school.tier, school.status, school.account_number) == ("BASIC", "TRIAL", None)


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
