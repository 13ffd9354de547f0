"""The search box finds whole values, on their indexes, in whatever form they were pasted."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from billing.models import PaymentOrder, Subscription
from kitehub.backoffice.search import parse_uuid, spellings
from kitehub.models import Instance
from tests.explain import filled, indexes_used, tables_scanned
from tests.factories.analytics import GuestSessionFactory
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.factories.storage import StorageEventFactory

ORDERS = "admin:billing_paymentorder_changelist"


def found(client: Client, name: str, term: str) -> list[uuid.UUID]:
    page: Any = client.get(reverse(name), {"q": term})
    assert page.status_code == 200
    return [row.pk for row in page.context_data["cl"].result_list]


@given(st.uuids())
def test_uuid_is_read_in_every_form_people_paste(key: uuid.UUID) -> None:
    for form in (str(key), key.hex, str(key).upper(), f"{{{key}}}", key.urn, f"  {key}\n"):
        assert parse_uuid(form) == key


@pytest.mark.parametrize("text", ["", "kh7q2m4x9a", "-" * 32, "0x" + "0" * 30, "١" * 32, "g" * 32])
def test_what_is_no_uuid_is_none(text: str) -> None:
    assert parse_uuid(text) is None


@pytest.fixture
def order(db: None) -> PaymentOrder:
    PaymentOrderFactory.create_batch(3)
    owner = UserFactory(email="chi.lan@example.vn")
    instance = InstanceFactory(subdomain="sao-mai", owner=owner)
    return PaymentOrderFactory(
        paid=True,
        order_id="KH7Q2M4X9A",
        transaction_reference="FT24364030863634",
        instance=instance,
    )


def test_order_is_found_by_each_of_its_names(back_office: Client, order: PaymentOrder) -> None:
    for term in (
        "KH7Q2M4X9A",
        " kh7q2m4x9a ",
        "FT24364030863634",
        "sao-mai",
        "SAO-MAI",
        "Chi.Lan@Example.vn",
        str(order.pk),
        order.pk.hex.upper(),
        f"{{{order.instance_id}}}",
        str(order.user_id),
    ):
        assert found(back_office, ORDERS, term) == [order.pk], term


def test_part_of_a_value_is_not_the_value(back_office: Client, order: PaymentOrder) -> None:
    for term in ("KH7Q2M4X9", "FT2436", "sao", "%", "_", "chi.lan"):
        assert found(back_office, ORDERS, term) == [], term


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "term", ["'", '"', "\\", "😀" * 300, "-" * 5000, "' OR 1=1 --", "%s %(x)s"]
)
def test_rubbish_finds_nothing_and_breaks_nothing(
    back_office: Client, order: PaymentOrder, term: str
) -> None:
    for site_model, model_admin in admin.site._registry.items():
        if not hasattr(model_admin, "search_columns"):
            continue
        name = f"admin:{site_model._meta.app_label}_{site_model._meta.model_name}_changelist"
        assert found(back_office, name, term) == [], name


@pytest.mark.parametrize("term", ["\x00", "a\x00b"])
def test_nul_is_refused_with_a_message(back_office: Client, order: PaymentOrder, term: str) -> None:
    page = back_office.get(reverse(ORDERS), {"q": term})
    assert page.status_code == 200
    assert [message.level_tag for message in page.context["messages"]] == ["error"]


@pytest.mark.parametrize("stored", ["Kh7q2M4x9a", "KH7Q2M4X9A", "kh7q2m4x9a"])
def test_codes_are_found_in_the_case_they_are_stored_in(back_office: Client, stored: str) -> None:
    school = InstanceFactory(subdomain=stored, custom_domain=f"7.{stored}")
    order = PaymentOrderFactory(
        paid=True, order_id=stored, transaction_reference=f"9{stored}", instance=school
    )
    job = BrandingJobFactory(job_id=stored)
    session = GuestSessionFactory(session_id=stored)
    # Mixed case is found only as it is.
    terms = {stored, stored.upper(), stored.lower()}
    for term in [term for term in terms if stored in spellings(term)]:
        assert found(back_office, ORDERS, term) == [order.pk], term
        assert found(back_office, ORDERS, f"9{term}") == [order.pk], term
        assert found(back_office, "admin:kitehub_instance_changelist", term) == [school.pk]
        assert found(back_office, "admin:kitehub_instance_changelist", f"7.{term}") == [school.pk]
        assert found(back_office, "admin:branding_brandingjob_changelist", term) == [job.pk]
        sessions = found(back_office, "admin:analytics_guestsession_changelist", term)
        assert sessions == [session.pk]


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Orders, each fiftieth person with some: enough for a scan to be dear."""
    key = "lpad(to_hex(n % {}), 32, '0')::uuid"
    columns = {
        "order_id": "'KH' || n",
        "type": "'SUBSCRIPTION'::payment_type",
        "user_id": key.format(2000),
        "instance_id": key.format(2000),
        "amount": "299000",
        "transaction_reference": "'FT' || n",
        "payment_content": "'KITEHUB KH' || n",
        "expires_at": "now()",
    }
    with django_db_blocker.unblock(), filled("payment_orders", columns, rows=50_000):
        yield


@pytest.mark.usefixtures("many")
class TestOnFiftyThousandOrders:
    @pytest.mark.parametrize(
        ("term", "indexes"),
        [
            ("kh41", {"idx_payment_orders_order_id", "payment_orders_order_id_key"}),
            ("FT41", {"idx_payment_orders_transaction_reference"}),
            ("sao-mai", {"idx_payment_orders_instance", "idx_payment_orders_list_instance"}),
            ("chi.lan@example.vn", {"idx_payment_orders_user"}),
            (str(uuid.UUID(int=7)), {"idx_payment_orders_instance", "idx_payment_orders_user"}),
        ],
    )
    def test_search_of_orders_uses_indexes_only(
        self, db: None, term: str, indexes: set[str]
    ) -> None:
        owner = UserFactory(id=uuid.UUID(int=7), email="chi.lan@example.vn")
        InstanceFactory(id=uuid.UUID(int=7), subdomain="sao-mai", owner=owner)
        request = RequestFactory().get("/")
        search = admin.site._registry[PaymentOrder].get_search_results
        matches, _ = search(request, PaymentOrder.objects.all(), term)
        assert matches.exists()
        assert tables_scanned(matches) == set()
        assert indexes_used(matches) & indexes

    def test_a_search_that_scans_is_noticed(self, db: None) -> None:
        scan = PaymentOrder.objects.filter(order_id__icontains="KH41")
        assert tables_scanned(scan) == {"payment_orders"}


def test_instance_is_found_by_part_of_its_name_when_nothing_fits_whole(
    back_office: Client, order: PaymentOrder
) -> None:
    school = InstanceFactory(organization_name="Trung tâm Ngoại ngữ Ánh Dương")
    name = "admin:kitehub_instance_changelist"
    assert found(back_office, name, "ánh dương") == [school.pk]
    assert found(back_office, name, "sao-mai") == [order.instance_id]
    assert found(back_office, name, "chi.lan@example.vn") == [order.instance_id]


def test_subscription_and_files_are_found_by_subdomain(back_office: Client) -> None:
    school = InstanceFactory(subdomain="toan-viet")
    subscription: Subscription = SubscriptionFactory(instance=school)
    event = StorageEventFactory(instance_id=school.pk)
    SubscriptionFactory()
    assert found(back_office, "admin:billing_subscription_changelist", "toan-viet") == [
        subscription.pk
    ]
    assert found(back_office, "admin:storage_storageevent_changelist", "Toan-Viet") == [event.pk]


def test_instances_can_be_chosen_by_name_in_a_form(back_office: Client) -> None:
    school = InstanceFactory(organization_name="Trung tâm Âm nhạc Hoà Ca")
    InstanceFactory()
    answer = back_office.get(
        reverse("admin:autocomplete"),
        {
            "term": "hoà ca",
            "app_label": "billing",
            "model_name": "subscription",
            "field_name": "instance",
        },
    )
    assert [row["id"] for row in answer.json()["results"]] == [str(school.pk)]
    assert Instance.objects.count() == 2
