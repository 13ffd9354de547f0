"""That an order's QR code was shown is remembered, and changes nothing of the order."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.enums import ViewChannel
from billing.models import OrderView, PaymentOrder
from billing.qr_links import qr_path
from billing.services.order_views import note_view
from billing.services.orders import open_order
from kitehub.enums import Tier
from tests.billing.bookings import NOW
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db


def looked(order: PaymentOrder, at: datetime) -> OrderView:
    note_view(order_id=order.pk, channel=ViewChannel.PORTAL, at=at)
    return OrderView.objects.get()


def test_looks_are_counted_by_the_minute() -> None:
    order = PaymentOrderFactory()
    assert looked(order, NOW).times == 1
    assert looked(order, NOW + timedelta(seconds=59)).times == 1
    view = looked(order, NOW + timedelta(minutes=5))
    assert (view.first_at, view.last_at, view.times) == (NOW, NOW + timedelta(minutes=5), 2)
    # A clock that is behind takes nothing back.
    assert looked(order, NOW - timedelta(hours=1)).last_at == view.last_at
    order.refresh_from_db()
    assert order.version == 0


def test_one_statement_which_touches_no_order() -> None:
    order = PaymentOrderFactory()
    with CaptureQueriesContext(connection) as queries:
        note_view(order_id=order.pk, channel=ViewChannel.API, at=NOW)
    (query,) = queries.captured_queries
    assert "payment_orders" not in query["sql"]


def test_portal_and_images_remember_it_and_polls_do_not() -> None:
    school = InstanceFactory()
    order = open_order(instance=school, actor="lan", tier=Tier.STANDARD)
    owner, anybody = Client(), Client()
    owner.force_login(school.owner)
    page = reverse("checkout", args=[school.subdomain, order.order_id])
    assert owner.get(reverse("checkout_state", args=[school.subdomain, order.order_id])).status_code
    assert owner.head(page).status_code == 200
    assert not OrderView.objects.exists()
    assert owner.get(page).status_code == 200
    assert anybody.get(qr_path(order.order_id)).status_code == 200
    assert set(OrderView.objects.values_list("channel", "times")) == {("PORTAL", 1), ("LINK", 1)}
    order.refresh_from_db()
    assert order.version == 0
    PaymentOrder.objects.filter(pk=order.pk).update(status="CANCELLED")
    OrderView.objects.all().delete()
    owner.get(page)
    anybody.get(qr_path(order.order_id))
    assert not OrderView.objects.exists(), "no code was shown"


def test_database_that_refuses_keeps_no_code_back(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from django.db import DatabaseError

    def refuse() -> None:
        raise DatabaseError("read-only")

    monkeypatch.setattr(connection, "cursor", refuse)
    note_view(order_id=PaymentOrderFactory.build().pk, channel=ViewChannel.LINK, at=NOW)
    assert "can't be kept" in caplog.text
