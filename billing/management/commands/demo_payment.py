"""`manage.py demo_payment`: plays the bank, so that an order is paid without one."""

from argparse import ArgumentTypeError
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.banks import bank
from billing.enums import FeedProvider, TransferDirection
from billing.feeds import Line
from billing.models import PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.services import transfers
from billing.services.orders import to_transfer
from kitehub.display import money


class Command(BaseCommand):
    """Stores the line that a bank would have sent; a worker settles it."""

    help = (
        "Plays the bank on a development machine: a transfer to the account of an order, as if "
        "somebody had scanned its QR code. The worker settles it. Runs with DJANGO_DEBUG on only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which order, and what the payer did otherwise than the QR code said."""
        parser.add_argument("order_code", metavar="ORDER_CODE")
        parser.add_argument(
            "--amount", type=_amount, help="đồng; as much as the order still asks for by default"
        )
        parser.add_argument("--memo", help="the transfer's text; the order's own by default")

    def handle(self, **options: Any) -> None:
        """Stores the line and says so."""
        if not settings.DEBUG:
            raise CommandError("demo_payment invents money, so it runs with DJANGO_DEBUG on only.")
        code: str = options["order_code"].strip().upper()
        order = PaymentOrder.objects.filter(order_id=code).first()
        if order is None:
            raise CommandError(f"ORDER_CODE: no order has the code {code}.")
        if not order.account_number:
            raise CommandError(f"ORDER_CODE: {code} names no account that it is paid to.")
        amount = options["amount"] or to_transfer(order)
        if not amount:
            raise CommandError(
                f"ORDER_CODE: {code} asks for nothing more; give --amount to pay all the same."
            )
        memo = order.memo if options["memo"] is None else options["memo"]
        transfers.record(_line(order, amount, memo or ""), at=timezone.now())
        self.stdout.write(
            f"{money(amount)} for {code} came to account {order.account_number}: {memo!r}. "
            "The worker settles it; quickstart runs one."
        )


def _line(order: PaymentOrder, amount: int, memo: str) -> Line:
    known = bank(order.bank_bin or "")
    name = f"demo-{uuid4()}"
    return Line(
        provider=FeedProvider.SEPAY,
        provider_id=name,
        account_number=order.account_number or "",
        bank=known.short_name if known else order.bank_bin or "",
        direction=TransferDirection.IN,
        amount=amount,
        memo=memo,
        counterparty_name="NGUYEN VAN THU",
        reference=name[:13].upper(),
        transferred_at=timezone.now().replace(microsecond=0),
        raw={"demo_payment": order.order_id},
    )


def _amount(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_DONG:
        raise ArgumentTypeError(f"{text!r} is no whole number of đồng from 1 to {MOST_DONG}")
    return int(text)
