"""Every table of the plan has a list that staff can use."""

from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.enums import EventType
from analytics.models import GuestEvent
from billing.admin import ORDER_COLOURS, SUBSCRIPTION_COLOURS
from billing.enums import PaymentStatus, SubscriptionStatus
from billing.models import DailyFigure, PaymentOrder, Subscription
from branding.admin import STATUS_COLOURS as BRANDING_COLOURS
from branding.enums import BrandingStatus
from kitehub.admin.api_keys import STATE_COLOURS as API_KEY_COLOURS
from kitehub.admin.instances import STATUS_COLOURS as INSTANCE_COLOURS
from kitehub.backoffice import InstanceNames
from kitehub.db.gates import GateReason
from kitehub.enums import ApiKeyState, InstanceStatus, Tier
from kitehub.models import (
    InstanceChange,
    InstanceGate,
    InstanceMove,
    InstanceSuspension,
    InstanceWatch,
    SecondFactor,
    SecurityEvent,
    SignInAttempts,
    User,
)
from storage.models import TierLimit
from tests.factories.analytics import GuestEventFactory, GuestSessionFactory
from tests.factories.billing import (
    BankFeedFactory,
    BankTransferFactory,
    CreditEntryFactory,
    FeedSilenceFactory,
    GoodwillFactory,
    ManualPaymentFactory,
    OrderViewFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
    PlannedMatchFactory,
    ReceiptFactory,
    RefundFactory,
    StatementMappingFactory,
    SubscriptionAdjustmentFactory,
    SubscriptionFactory,
    SubscriptionPeriodFactory,
)
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import (
    ApiKeyFactory,
    ArchiveRunFactory,
    EmailFactory,
    InstanceConfigFactory,
    InstanceFactory,
    NoteFactory,
    SignedInSessionFactory,
    TombstoneFactory,
)
from tests.factories.storage import (
    ReservationFactory,
    StorageEventFactory,
    StorageUsageFactory,
)

OURS = ["kitehub", "billing", "analytics", "branding", "storage"]
MODELS = [model for app in OURS for model in apps.get_app_config(app).get_models()]


def list_url(model: type) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def rows(db: None) -> None:
    """Three rows or more in every table, each with an owner and an instance of its own."""
    for number in range(3):
        school_with_rows(number)


def school_with_rows(number: int) -> None:
    """A school, and a row of it in every table."""
    instance = InstanceFactory(organization_name=f"Trung tâm Toán Việt {number}")
    InstanceConfigFactory(instance_id=instance.id)
    ApiKeyFactory(instance=instance)
    order = PaymentOrderFactory(instance=instance)
    subscription = SubscriptionFactory(instance=instance)
    money_rows(order, subscription)
    # Its entries are those that the subscription's trigger wrote.
    DailyFigure.objects.create(
        day=date(2026, 11, number + 1), measure="MRR", tier="BASIC", amount=1, quantity=1
    )
    subscription.tier = "PREMIUM"
    subscription.save()
    session = GuestSessionFactory(instance_id=instance.id)
    GuestEventFactory(instance_id=instance.id, session_id=session.session_id)
    BrandingJobFactory(instance=instance)
    StorageEventFactory(instance_id=instance.id)
    ReservationFactory(instance_id=instance.id)
    TombstoneFactory(instance=instance)
    ArchiveRunFactory(instance_id=instance.id)
    EmailFactory(instance=instance)
    NoteFactory(about=instance)
    security_rows(instance.owner, number)
    SignInAttempts.objects.create(key=f"{number:064}", attempts=1, since=instance.created_at)
    InstanceMove.objects.create(instance=instance, source_url="a", target_url="b")
    InstanceSuspension.objects.create(instance=instance, status_before="TRIAL", reason="x")
    InstanceWatch.objects.create(instance=instance, nearly_full=True)
    if number < len(Tier):
        TierLimit.objects.create(tier=Tier.values[number], limit_bytes=None)
    InstanceChange.objects.create(instance_id=instance.id, table_name="t", row_id=instance.id)
    # Last, as it refuses more rows.
    InstanceGate.objects.create(instance_id=instance.id, reason=GateReason.SUSPENDED)


def security_rows(person: User, number: int) -> None:
    """A row of every table about how a person signs in."""
    SecurityEvent.objects.create(kind="SIGNED_IN", user=person, login=person.email)
    SignedInSessionFactory(user=person)
    SecondFactor.objects.create(user=person, secret="JBSWY3DPEHPK3PXP")


def money_rows(order: PaymentOrder, subscription: Subscription) -> None:
    """A row of every table of money."""
    OrderViewFactory(order=order)
    PaymentAllocationFactory(order=order, transfer=BankTransferFactory(instance=order.instance))
    FeedSilenceFactory(feed=BankFeedFactory())
    StatementMappingFactory()
    SubscriptionPeriodFactory(subscription=subscription)
    SubscriptionAdjustmentFactory(subscription=subscription)
    CreditEntryFactory(instance=order.instance)
    RefundFactory(order=order)
    ReceiptFactory(order=order)
    ManualPaymentFactory(order=order)
    GoodwillFactory(instance=order.instance)
    PlannedMatchFactory(order=order)


def test_every_table_has_an_admin() -> None:
    assert [model for model in MODELS if model not in admin.site._registry] == []
    # The plan's ten, users, reservations, API keys, tombstones and archive runs, four of moves and
    # suspensions, what is seen of databases, the tiers' limits, sixteen of money, two of figures,
    # mail, notes, roles, three of signing in and the attempts to.
    assert len(MODELS) == 46


def test_every_list_says_what_to_do_while_it_is_empty() -> None:
    silent = [its for its in admin.site._registry.values() if not getattr(its, "nothing_yet", "")]
    assert [type(its).__name__ for its in silent] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_list_and_row_open_in_both_languages(
    model: type, language: str, back_office: Client, rows: None
) -> None:
    back_office.cookies["django_language"] = language
    page = back_office.get(list_url(model))
    assert page.status_code == 200
    assert len(page.context["cl"].result_list) >= 1
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    row = model._base_manager.first()
    assert back_office.get(reverse(name, args=[row.pk])).status_code == 200


# Beyond who is signed in, the page's rows, and what a list declares: tabs, sums, schools' names.
MORE_QUERIES = {"kitehub.User": 1}


def test_queries_of_no_list_grow_with_its_rows(back_office: Client, rows: None) -> None:
    def asked() -> dict[str, int]:
        counts = {}
        for model in MODELS:
            with CaptureQueriesContext(connection) as queries:
                back_office.get(list_url(model))
            counts[model._meta.label] = len(queries)
        return counts

    few = asked()
    for number in range(3, 12):
        school_with_rows(number)
    assert asked() == few
    expected = {}
    for model in MODELS:
        its: Any = admin.site._registry[model]
        declared = bool(its.tabs) + bool(its.sums) + isinstance(its, InstanceNames)
        expected[model._meta.label] = 3 + declared + MORE_QUERIES.get(model._meta.label, 0)
    assert few == expected


def test_unknown_status_in_the_address_is_an_empty_list(back_office: Client, rows: None) -> None:
    for model, parameter in [
        ("billing.PaymentOrder", "status__exact"),
        ("billing.Subscription", "status__exact"),
        ("branding.BrandingJob", "status__exact"),
    ]:
        page = back_office.get(list_url(apps.get_model(model)), {parameter: "bogus"})
        assert page.status_code == 200
        assert list(page.context["cl"].result_list) == []


def test_money_and_times_are_written_the_vietnamese_way(back_office: Client) -> None:
    order = PaymentOrderFactory(amount=299000)
    order.expires_at = "2026-11-23T18:30:00Z"
    order.save()
    page = back_office.get(list_url(type(order))).content.decode()
    assert "299.000\u00a0₫" in page
    # 18:30 UTC is half past one the next morning in Hồ Chí Minh City.
    assert "24/11/2026 01:30" in page


def test_an_order_of_a_vanished_instance_stays_in_the_list(back_office: Client) -> None:
    order = PaymentOrderFactory()
    type(order.instance).all_objects.filter(pk=order.instance_id).hard_delete()
    page = back_office.get(list_url(type(order)))
    assert [row.pk for row in page.context["cl"].result_list] == [order.pk]


@pytest.mark.parametrize(
    ("colours", "states"),
    [
        (ORDER_COLOURS, PaymentStatus),
        (SUBSCRIPTION_COLOURS, SubscriptionStatus),
        (BRANDING_COLOURS, BrandingStatus),
        (INSTANCE_COLOURS, InstanceStatus),
        (API_KEY_COLOURS, ApiKeyState),
    ],
)
def test_every_state_is_written_in_words(colours: dict[str, str], states: type) -> None:
    """A state that is not in the colours would be shown as its code."""
    assert set(colours) == set(states.values)


def test_softly_deleted_rows_are_not_listed(back_office: Client) -> None:
    order = PaymentOrderFactory(deleted=True)
    page = back_office.get(list_url(type(order)))
    assert list(page.context["cl"].result_list) == []


def test_storage_filter_finds_who_is_over_the_limit(back_office: Client) -> None:
    full = StorageUsageFactory(used_bytes=11, limit_bytes=10)
    nearly = StorageUsageFactory(used_bytes=19, limit_bytes=20)
    StorageUsageFactory(used_bytes=1, limit_bytes=20)
    url = list_url(type(full))
    over = back_office.get(url, {"fill": "100"}).context["cl"].result_list
    assert {row.pk for row in over} == {full.pk}
    near = back_office.get(url, {"fill": "90"}).context["cl"].result_list
    assert {row.pk for row in near} == {full.pk, nearly.pk}


def counting(browser: Client, **asked: str) -> str:
    """The query that counts what the list of guest events is asked for."""
    with CaptureQueriesContext(connection) as queries:
        page = browser.get(list_url(GuestEvent), asked)
    assert page.context["cl"].counted == 51
    return next(each["sql"] for each in queries if "LIMIT 1001" in each["sql"])


def test_rows_are_counted_in_the_order_of_an_index_that_has_no_key(back_office: Client) -> None:
    GuestEventFactory.create_batch(51, event_type=EventType.PAGE_VIEW)
    sql = counting(back_office, event_type=EventType.PAGE_VIEW)
    assert sql.endswith('ORDER BY "guest_events"."timestamp" DESC LIMIT 1001) AS counted)')


def test_what_is_searched_is_counted_in_no_order(back_office: Client) -> None:
    session = GuestEventFactory.create_batch(51, session_id="one")[0].session_id
    assert "ORDER BY" not in counting(back_office, q=session)
