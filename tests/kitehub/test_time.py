"""Instants stay what they are, and days are Vietnam's."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models
from django.db.models import Count, F, Max
from django.db.models.functions import ExtractHour, TruncDate, TruncDay, TruncHour, TruncMonth
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.models import GuestEvent
from billing.models import PaymentOrder, Subscription
from kitehub.db.functions import Now
from kitehub.models import Instance
from tests.factories.analytics import GuestEventFactory, GuestSessionFactory
from tests.factories.billing import (
    PaymentOrderFactory,
    SubscriptionFactory,
    SubscriptionHistoryFactory,
)
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory, UserFactory
from tests.factories.storage import StorageEventFactory, StorageUsageFactory

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MIDNIGHT = datetime(2026, 3, 1, 17, tzinfo=UTC)  # where 2 March begins in Vietnam
TICK = timedelta(microseconds=1)
OURS = ["kitehub", "billing", "analytics", "branding", "storage"]
MODELS = [model for app in OURS for model in apps.get_app_config(app).get_models()]
FACTORIES = [
    UserFactory,
    InstanceFactory,
    InstanceConfigFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
    SubscriptionHistoryFactory,
    GuestSessionFactory,
    GuestEventFactory,
    BrandingJobFactory,
    StorageUsageFactory,
    StorageEventFactory,
]


def moments(model: type[models.Model]) -> list[str]:
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField)
    ]


def stored(model: type[models.Model], column: str) -> list[bytes]:
    """The eight bytes that PostgreSQL keeps, which no session's zone changes."""
    with connection.cursor() as cursor:
        table = model._meta.db_table
        cursor.execute(f'SELECT timestamptz_send("{column}") FROM {table} ORDER BY id')
        return [bytes(value) for (value,) in cursor.fetchall()]


@pytest.fixture
def around_midnight(db: None) -> Iterator[list[PaymentOrder]]:
    """Orders of the last instant of 1 March in Vietnam, the first of 2 March, and its last."""
    return [
        PaymentOrderFactory(order_id=code, created_at=at)
        for code, at in (
            ("before", MIDNIGHT - TICK),
            ("first", MIDNIGHT),
            ("last", MIDNIGHT + timedelta(days=1) - TICK),
        )
    ]


def codes(orders: Any) -> list[str]:
    return list(orders.order_by("created_at").values_list("order_id", flat=True))


def test_every_moment_of_every_table_is_stored_with_its_zone(db: None) -> None:
    with connection.cursor() as cursor:
        for model in MODELS:
            cursor.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = %s"
                " AND data_type LIKE 'timestamp%%'",
                [model._meta.db_table],
            )
            assert dict(cursor.fetchall()) == dict.fromkeys(
                moments(model), "timestamp with time zone"
            )


@pytest.mark.parametrize("factory", FACTORIES)
def test_read_then_save_keeps_every_instant_to_the_byte(
    factory: Any, db: None, request: pytest.FixtureRequest
) -> None:
    if factory in (SubscriptionHistoryFactory, StorageEventFactory):
        request.getfixturevalue("rules_off")  # nobody but a test may save what is append-only
    model = factory._meta.model
    columns = moments(model)
    row = factory(**{column: MIDNIGHT + n * TICK for n, column in enumerate(columns)})
    kept = [column for column in columns if column != "updated_at"]  # the trigger's own
    before = {column: stored(model, column) for column in kept}
    for _ in range(3):
        row = model._base_manager.get(pk=row.pk)
        assert [getattr(row, column).utcoffset() for column in columns] == [timedelta(0)] * len(
            columns
        )
        row.save()
    assert {column: stored(model, column) for column in kept} == before
    assert getattr(row, kept[-1]) == MIDNIGHT + columns.index(kept[-1]) * TICK


def test_day_filters_are_vietnams(around_midnight: list[PaymentOrder]) -> None:
    orders = PaymentOrder.objects
    assert codes(orders.filter(created_at__date=date(2026, 3, 1))) == ["before"]
    assert codes(orders.filter(created_at__date=date(2026, 3, 2))) == ["first", "last"]
    assert codes(orders.filter(created_at__date__gt=date(2026, 3, 1))) == ["first", "last"]
    assert codes(orders.filter(created_at__day=1)) == ["before"]
    assert codes(orders.filter(created_at__hour=0)) == ["first"]
    assert codes(orders.filter(created_at__hour=23)) == ["before", "last"]
    assert codes(orders.filter(created_at__week_day=2)) == ["first", "last"]  # a Monday
    assert codes(orders.filter(created_at__time="00:00")) == ["first"]
    assert codes(orders.filter(created_at__lt=MIDNIGHT)) == ["before"]
    assert codes(orders.filter(created_at=MIDNIGHT.astimezone(HANOI))) == ["first"]


def test_years_and_months_turn_at_vietnams_midnight(db: None) -> None:
    new_year = datetime(2025, 12, 31, 17, tzinfo=UTC)
    PaymentOrderFactory(order_id="old", created_at=new_year - TICK)
    PaymentOrderFactory(order_id="new", created_at=new_year)
    orders = PaymentOrder.objects
    assert codes(orders.filter(created_at__year=2025)) == ["old"]
    assert codes(orders.filter(created_at__year=2026, created_at__month=1)) == ["new"]
    assert list(orders.dates("created_at", "year")) == [date(2025, 1, 1), date(2026, 1, 1)]
    months = orders.annotate(month=TruncMonth("created_at")).order_by("month")
    assert [month.date() for month in months.values_list("month", flat=True)] == [
        date(2025, 12, 1),
        date(2026, 1, 1),
    ]


def test_truncation_groups_by_vietnams_days(around_midnight: list[PaymentOrder]) -> None:
    orders = PaymentOrder.objects
    first, second = (datetime(2026, 3, day, tzinfo=HANOI) for day in (1, 2))
    by_day = orders.annotate(day=TruncDay("created_at")).values("day").annotate(n=Count("id"))

    assert set(by_day.values_list("day", "n")) == {(first, 1), (second, 2)}
    assert list(orders.datetimes("created_at", "day")) == [first, second]
    assert list(orders.dates("created_at", "day")) == [first.date(), second.date()]
    days = orders.annotate(day=TruncDate("created_at")).filter(day=date(2026, 3, 2))
    assert codes(days) == ["first", "last"]
    hours = orders.annotate(hour=TruncHour("created_at"), of_day=ExtractHour("created_at"))
    assert list(hours.order_by("created_at").values_list("hour", "of_day")) == [
        (MIDNIGHT - timedelta(hours=1), 23),
        (MIDNIGHT, 0),
        (MIDNIGHT + timedelta(hours=23), 23),
    ]


def test_the_days_of_events_are_vietnams_too(db: None) -> None:
    GuestEventFactory(timestamp=MIDNIGHT - TICK)
    GuestEventFactory(timestamp=MIDNIGHT)
    days = GuestEvent.objects.annotate(day=TruncDay("timestamp")).values_list("day", flat=True)
    assert [day.day for day in days.order_by("day")] == [1, 2]
    assert GuestEvent.objects.aggregate(last=Max("timestamp"))["last"] == MIDNIGHT


def test_the_admins_ranges_of_days_are_vietnams(
    around_midnight: list[PaymentOrder], back_office: Client
) -> None:
    url = reverse("admin:billing_paymentorder_changelist")
    page = back_office.get(url, {"created_at_from": "02/03/2026", "created_at_to": "02/03/2026"})
    assert {order.order_id for order in page.context["cl"].result_list} == {"first", "last"}
    page = back_office.get(url, {"created_at_from": "01/03/2026", "created_at_to": "01/03/2026"})
    assert [order.order_id for order in page.context["cl"].result_list] == ["before"]


def test_the_trigger_stamps_an_aware_now_whoever_writes(db: None) -> None:
    order = PaymentOrderFactory(updated_at=MIDNIGHT)
    PaymentOrder.objects.update(amount=F("amount") + 1)
    now = PaymentOrder.objects.annotate(now=Now()).get().now
    assert abs(now - timezone.now()) < timedelta(minutes=5)
    assert now.utcoffset() == timedelta(0)
    assert PaymentOrder.objects.get(pk=order.pk).updated_at == now

    for model, factory in ((Subscription, SubscriptionFactory), (Instance, InstanceFactory)):
        row = factory(updated_at=MIDNIGHT)
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {model._meta.db_table} SET tier = 'PREMIUM'")
        assert model.objects.get(pk=row.pk).updated_at == now


def test_a_naive_moment_is_refused(db: None) -> None:
    naive = datetime(2026, 3, 1, 17)  # noqa: DTZ001
    with pytest.raises(RuntimeWarning, match="naive datetime"):
        PaymentOrderFactory(expires_at=naive)
    with pytest.raises(RuntimeWarning, match="naive datetime"):
        PaymentOrder.objects.filter(created_at__lt=naive).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def test_other_programs_in_any_session_zone_share_the_instants(zone: str) -> None:
    ours = PaymentOrderFactory(paid_at=MIDNIGHT)
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters) as other:
        other.execute("SELECT set_config('TimeZone', %s, false)", [zone])
        (read,) = other.execute("SELECT paid_at FROM payment_orders").fetchone()
        assert read == MIDNIGHT
        other.execute("UPDATE payment_orders SET expires_at = '2026-03-02 00:00+07'")
        local = MIDNIGHT.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
        other.execute("UPDATE payment_orders SET paid_at = %s::timestamp", [local])
    ours.refresh_from_db()
    assert ours.expires_at == ours.paid_at == MIDNIGHT
    assert abs(ours.updated_at - timezone.now()) < timedelta(minutes=5)


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "America/New_York"])
def test_a_change_of_our_own_sessions_zone_changes_no_instant(zone: str, db: None) -> None:
    order = PaymentOrderFactory(paid_at=MIDNIGHT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
    order.refresh_from_db()
    assert order.paid_at == MIDNIGHT
    order.save()
    assert PaymentOrder.objects.get(paid_at=MIDNIGHT) == order
