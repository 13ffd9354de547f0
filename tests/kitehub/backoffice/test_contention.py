"""What people are told when the database doesn't take what they did, and what stays an error."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from billing.admin import order_actions, staff_time
from billing.models import PaymentOrder, Subscription
from kitehub.backoffice.rehearsals import rehearse
from kitehub.db.base import StaleRow
from kitehub.db.gates import GateReason, WritesRefused
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.kitehub.backoffice.pages import act, messages_of, page_url

pytestmark = pytest.mark.django_db


def failing(sqlstate: str) -> Any:
    """Something that the database ends with an error of its own."""

    def fail(*args: Any, **kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE 'no' USING ERRCODE = '{sqlstate}'; END $$")

    return fail


def cancel(client: Client, order: PaymentOrder) -> Any:
    return act(client, order, "cancel", reason="vì", retyped=order.order_id)


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03"])
def test_dialog_that_somebody_else_was_in_the_way_of_says_so(
    back_office: Client, monkeypatch: pytest.MonkeyPatch, sqlstate: str
) -> None:
    order = PaymentOrderFactory()
    with monkeypatch.context() as patch:
        patch.setattr(order_actions, "cancel_order", failing(sqlstate))
        assert "Có người khác đang thay đổi" in messages_of(cancel(back_office, order))[0]
        page = back_office.get(page_url(order, "cancel")).content.decode()
        assert "Có người khác đang thay đổi" in page
    assert messages_of(cancel(back_office, order)) == ["Đã hủy đơn."]


def test_database_that_goes_down_stays_an_error(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = PaymentOrderFactory()
    monkeypatch.setattr(order_actions, "cancel_order", failing("57P01"))
    with pytest.raises(OperationalError):
        back_office.get(page_url(order, "cancel"))
    with pytest.raises(OperationalError):
        cancel(back_office, order)


def test_preview_says_what_stands_in_the_way() -> None:
    order = PaymentOrderFactory(updated_by="lan")

    def why(error: Exception) -> str:
        def work() -> Any:
            raise error

        (line,) = rehearse(work).lines
        return line.value

    closed = WritesRefused("x", instance_id=uuid4(), reason=GateReason.SUSPENDED)
    assert "tạm ngưng" in why(closed)
    assert order.order_id in why(StaleRow(order))


def test_preview_names_a_constraint_as_the_form_does(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = timezone.now() - timedelta(days=90)
    row = SubscriptionFactory(status="CANCELED", canceled_at=then, current_period_start=then)

    def revive(*args: Any, **kwargs: Any) -> None:
        Subscription.objects.filter(pk=row.pk).update(status="ACTIVE")

    monkeypatch.setattr(staff_time.StopDialog, "change", staticmethod(revive))
    page = back_office.get(page_url(row, "stop")).content.decode()
    assert "chỉ có thể kích hoạt lại" in page
