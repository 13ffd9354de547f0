"""Filters on bank transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

from billing.enums import TransferDirection, TransferState

if TYPE_CHECKING:
    from billing.models import BankTransfer


class BankTransferQuerySet(models.QuerySet["BankTransfer"]):
    """Bank lines."""

    def unmatched(self) -> Self:
        """Lines that wait for a person, on idx_bank_transfers_waiting."""
        return self.filter(state=TransferState.UNMATCHED)

    def unsettled(self) -> Self:
        """Lines that nothing has been made of yet, on idx_bank_transfers_waiting."""
        return self.filter(state=TransferState.RECEIVED)

    def money_in(self) -> Self:
        """Money that was received: incoming, told once, not ignored."""
        told_once = ~models.Q(state__in=[TransferState.IGNORED, TransferState.DUPLICATE])
        return self.filter(told_once, direction=TransferDirection.IN)

    def of_instance(self, instance_id: UUID) -> Self:
        """Lines of an instance's own account."""
        return self.filter(instance_id=instance_id)
