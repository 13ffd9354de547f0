"""Filters on payment orders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import F, Q

from billing.enums import PaymentStatus
from kitehub.db.querysets import RecordQuerySet

if TYPE_CHECKING:
    from billing.models import PaymentOrder


class PaymentOrderQuerySet(RecordQuerySet["PaymentOrder"]):
    """Payment orders."""

    def pending(self) -> Self:
        """Orders that wait for money; newest first they use idx_payment_orders_status_created."""
        return self.filter(status=PaymentStatus.PENDING)

    def paid(self) -> Self:
        """Orders whose money has come."""
        return self.filter(status=PaymentStatus.PAID)

    def overdue(self, *, at: datetime) -> Self:
        """Orders past their expiry at a moment; with `pending()`, on idx_payment_orders_expires."""
        return self.filter(expires_at__lt=at)

    def in_status(self, status: PaymentStatus, *, at: datetime) -> Self:
        """Orders that are that by the clock: an overdue one is EXPIRED, whatever its row says."""
        if status == PaymentStatus.PENDING:
            return self.pending().filter(expires_at__gt=at)
        if status == PaymentStatus.EXPIRED:
            return self.filter(
                Q(status=PaymentStatus.EXPIRED)
                | Q(status=PaymentStatus.PENDING, expires_at__lte=at)
            )
        return self.filter(status=status)

    def open_or_part_paid(self) -> Self:
        """Orders that wait for money, and those that have expired with a part of it.

        Of an instance and a subject, on payment_orders_open_subject_key and
        idx_payment_orders_part_paid.
        """
        left = Q(status=PaymentStatus.EXPIRED, paid_amount__gt=0)
        return self.filter(Q(status=PaymentStatus.PENDING) | left)

    def paid_late(self, *, since: datetime) -> Self:
        """Orders whose money came after their expiry, since a moment (idx_payment_orders_late)."""
        return self.filter(
            status=PaymentStatus.PAID, paid_at__gt=F("expires_at"), paid_at__gte=since
        )

    def older_than(self, order: PaymentOrder) -> Self:
        """Orders after that one, where the newest come first and equal times go by id."""
        made = order.created_at
        return self.filter(
            Q(created_at__lt=made) | Q(created_at=made, id__lt=order.pk), created_at__lte=made
        )

    def of_user(self, user_id: UUID) -> Self:
        """One person's orders (idx_payment_orders_user)."""
        return self.filter(user_id=user_id)

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's orders (idx_payment_orders_instance)."""
        return self.filter(instance_id=instance_id)
