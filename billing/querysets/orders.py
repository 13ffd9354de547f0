"""Filters on payment orders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

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

    def of_user(self, user_id: UUID) -> Self:
        """One person's orders (idx_payment_orders_user)."""
        return self.filter(user_id=user_id)

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's orders (idx_payment_orders_instance)."""
        return self.filter(instance_id=instance_id)
