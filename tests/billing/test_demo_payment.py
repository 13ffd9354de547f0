"""`manage.py demo_payment`: the bank, played on a development machine."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.enums import FeedProvider, PaymentStatus, TransferState
from billing.models import BankTransfer, PaymentOrder
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(settings: Any) -> PaymentOrder:
    settings.DEBUG = True
    return open_order(
        instance=InstanceFactory(), tier=Tier.STANDARD, actor="lan", at=timezone.now()
    )


def play(*arguments: str) -> BankTransfer:
    """Plays the bank, then the worker; returns the line."""
    printed = StringIO()
    call_command("demo_payment", *arguments, stdout=printed)
    assert "came to account 0123499999" in printed.getvalue()
    line = BankTransfer.objects.latest("received_at")
    assert (line.provider, line.state) == (FeedProvider.SEPAY, TransferState.RECEIVED)
    settle_transfer(transfer_id=line.pk)
    line.refresh_from_db()
    return line


def test_a_part_and_then_the_rest_pay_the_order_that_is_named(order: PaymentOrder) -> None:
    assert play(order.order_id.lower(), "--amount", "100000").amount == 100_000
    order.refresh_from_db()
    assert (order.status, order.paid_amount) == (PaymentStatus.PENDING, 100_000)
    assert play(order.order_id).amount == order.amount - 100_000
    order.refresh_from_db()
    assert order.status == PaymentStatus.PAID
    with pytest.raises(CommandError, match="asks for nothing more"):
        call_command("demo_payment", order.order_id)


def test_another_memo_waits_in_the_inbox(order: PaymentOrder) -> None:
    assert play(order.order_id, "--memo", "hoc phi be An").state == TransferState.UNMATCHED


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "10000000000000", "nhiều"])
def test_an_amount_that_is_none_is_refused(order: PaymentOrder, amount: str) -> None:
    with pytest.raises(CommandError, match="no whole number of đồng"):
        call_command("demo_payment", order.order_id, f"--amount={amount}")


def test_nothing_is_invented_for_no_order_or_outside_development(
    order: PaymentOrder, settings: Any
) -> None:
    with pytest.raises(CommandError, match="ORDER_CODE: no order has the code KHNOBODY"):
        call_command("demo_payment", "KHNOBODY")
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DJANGO_DEBUG"):
        call_command("demo_payment", order.order_id)
    assert not BankTransfer.objects.exists()
