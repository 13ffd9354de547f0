"""What the pages of orders, bank lines, subscriptions and all else have beside their forms."""

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from billing import banks, qr
from billing.admin.related import (
    goodwill_school,
    order_panels,
    subscription_panels,
    transfer_panels,
)
from billing.admin.timelines.orders import order_sources
from billing.admin.timelines.rows import (
    goodwill_sources,
    receipt_sources,
    refund_sources,
    subscription_sources,
    transfer_sources,
)
from billing.models import BankTransfer, Goodwill, PaymentOrder, Receipt, Refund, Subscription
from billing.raw_bodies import masked
from billing.services import refunds
from billing.services.orders import payload_of, to_transfer
from kitehub.backoffice.details import Detailed
from kitehub.backoffice.panels import Copy, Panel
from kitehub.backoffice.timeline import Source
from kitehub.display import money


class OrderDetails(Detailed):
    """For the admin of orders: also the QR code, as whoever pays sees it."""

    detail_template: ClassVar[str] = "billing/admin/order_qr.html"

    def sources_of(self, row: PaymentOrder) -> Sequence[Source]:
        """The tables that know what happened to the order."""
        return order_sources(row)

    def panels_of(self, row: PaymentOrder, may: Callable[[Any], bool]) -> Sequence[Panel]:
        """The school, and what has come of the order."""
        return order_panels(row, may)

    def copies_of(self, row: PaymentOrder) -> Sequence[Copy]:
        """Its code, its amount in digits, the bank's reference and its key."""
        return (
            Copy(gettext("Order code"), row.order_id),
            Copy(gettext("Amount"), str(row.amount), money(row.amount)),
            Copy(gettext("Bank reference"), row.transaction_reference or ""),
            Copy(gettext("ID"), str(row.pk)),
        )

    def extras_of(self, request: HttpRequest, row: PaymentOrder) -> dict[str, Any]:
        """The code that pays what is still due, and what stands beside it; nothing if none is."""
        payload = None if row.deleted else payload_of(row, at=timezone.now())
        if payload is None:
            return {}
        bank = banks.bank(row.bank_bin or "")
        due = to_transfer(row)
        return {
            "qr": qr.svg(payload),
            "to_pay": [
                Copy(gettext("Bank"), bank.short_name if bank else row.bank_bin or ""),
                Copy(gettext("Account number"), row.account_number or ""),
                Copy(gettext("Account holder"), row.account_name or ""),
                Copy(gettext("To transfer"), str(due), money(due)),
                Copy(gettext("Memo"), row.memo or row.order_id),
            ],
            "expires_at": row.expires_at,
        }


class TransferDetails(Detailed):
    """For the admin of bank lines: also the message as it came, for those who may read it."""

    def sources_of(self, row: BankTransfer) -> Sequence[Source]:
        """The tables that know what happened to the line."""
        return transfer_sources(row)

    def panels_of(self, row: BankTransfer, may: Callable[[Any], bool]) -> Sequence[Panel]:
        """The orders that it pays, its duplicates and its school."""
        return transfer_panels(row, may)

    def copies_of(self, row: BankTransfer) -> Sequence[Copy]:
        """What one asks the bank about."""
        return (
            Copy(gettext("Bank reference"), row.reference),
            Copy(gettext("Amount"), str(row.amount), money(row.amount)),
            Copy(gettext("Memo"), row.memo, row.memo[:60]),
            Copy(gettext("Account number"), row.account_number),
            Copy(gettext("ID"), str(row.pk)),
        )

    def extras_of(self, request: HttpRequest, row: BankTransfer) -> dict[str, Any]:
        """The whole message, masked; of a statement its line."""
        user: Any = request.user
        if not user.has_perm("billing.view_raw_body"):
            return {}
        text = row.raw_body or (json.dumps(row.raw, ensure_ascii=False) if row.raw else "")
        return {
            "after": "billing/admin/raw_body.html",
            "raw_body": masked(
                text,
                secrets=webhook_secrets(),
                own=row.account_number,
                others=row.counterparty_account,
            ),
        }


class SubscriptionDetails(Detailed):
    """For the admin of subscriptions."""

    def sources_of(self, row: Subscription) -> Sequence[Source]:
        """The tables that know what happened to the subscription."""
        return subscription_sources(row)

    def panels_of(self, row: Subscription, may: Callable[[Any], bool]) -> Sequence[Panel]:
        """The school and its last orders."""
        return subscription_panels(row, may)

    def copies_of(self, row: Subscription) -> Sequence[Copy]:
        """The school's name in addresses, and the keys."""
        subdomain = row.instance.subdomain if row.instance else ""
        return (Copy(gettext("Subdomain"), subdomain), Copy(gettext("ID"), str(row.pk)))


class RefundDetails(Detailed):
    """For the admin of refunds."""

    def sources_of(self, row: Refund) -> Sequence[Source]:
        """The tables that know what happened to the refund."""
        return refund_sources(row)

    def copies_of(self, row: Refund) -> Sequence[Copy]:
        """What somebody types into the bank's form; of the sum what the bank has to send."""
        cash = refunds.to_send(row)
        return (
            Copy(gettext("By bank transfer"), str(cash), money(cash)),
            Copy(gettext("Account number"), row.payee_account),
            Copy(gettext("Account holder"), row.payee_name),
            Copy(gettext("Bank reference"), row.sent_reference),
            Copy(gettext("ID"), str(row.pk)),
        )


class GoodwillDetails(Detailed):
    """For the admin of goodwill."""

    def sources_of(self, row: Goodwill) -> Sequence[Source]:
        """How it was proposed and decided, and what it gave."""
        return goodwill_sources(row)

    def panels_of(self, row: Goodwill, may: Callable[[Any], bool]) -> Sequence[Panel]:
        """The school that it is for."""
        return goodwill_school(row, may)

    def copies_of(self, row: Goodwill) -> Sequence[Copy]:
        """Its key, which is also that of what it gave."""
        return (Copy(gettext("ID"), str(row.pk)),)


class ReceiptDetails(Detailed):
    """For the admin of receipts."""

    def sources_of(self, row: Receipt) -> Sequence[Source]:
        """That it was issued, and made void."""
        return receipt_sources(row)

    def copies_of(self, row: Receipt) -> Sequence[Copy]:
        """Its number and its amount."""
        return (
            Copy(gettext("Number"), row.code),
            Copy(gettext("Amount"), str(row.amount), money(row.amount)),
        )


def webhook_secrets() -> list[str]:
    """Every secret of the bank feeds."""
    named = settings.KITEHUB_WEBHOOK_SECRETS.values()
    return [secret for kinds in named for secrets in kinds.values() for secret in secrets]
