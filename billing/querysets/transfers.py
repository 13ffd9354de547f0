"""Filters on bank transfers."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

from billing.enums import FeedProvider, TransferDirection, TransferState
from billing.twins import CARRIED, CASH_ACCOUNT, SHIFT

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

    def waiting_with(self, codes: Collection[str]) -> Self:
        """Lines that nothing was made of yet and that spell one of the order codes, in any case.

        All that wait are read, on idx_bank_transfers_waiting, and no other line.
        """
        spelled = models.Q(pk__in=[])
        for code in codes:
            spelled |= models.Q(memo__icontains=code) | models.Q(details__icontains=code)
        states = [TransferState.RECEIVED, TransferState.UNMATCHED]
        return self.filter(spelled, state__in=states)

    def money_in(self) -> Self:
        """Money that was received: incoming, told once, not ignored."""
        told_once = ~models.Q(state__in=[TransferState.IGNORED, TransferState.DUPLICATE])
        return self.filter(told_once, direction=TransferDirection.IN)

    def by_hand_like(self, line: BankTransfer) -> Self:
        """Payments by hand that may be a line's money: as much, on its account, on the same days.

        Also cash for its account, which may be carried to the bank some days later. Without those
        that the line's own source has told already: it is another payment then.
        """
        at = line.transferred_at
        told = models.Q(
            account_number=line.account_number, transferred_at__range=(at - SHIFT, at + SHIFT)
        )
        carried = models.Q(
            account_number=CASH_ACCOUNT,
            virtual_account=line.account_number,
            transferred_at__range=(at - CARRIED, at + SHIFT),
        )
        alike = self.money_in().filter(
            told | carried, provider=FeedProvider.MANUAL, amount=line.amount
        )
        return alike.exclude(pk=line.pk).exclude(duplicates__provider=line.provider)

    def waiting_like(self, told: BankTransfer) -> Self:
        """Lines of which all waits and that may be the money of a payment by hand: the converse."""
        at, cash = told.transferred_at, told.account_number == CASH_ACCOUNT
        return self.unmatched().filter(
            ~models.Q(provider=FeedProvider.MANUAL),
            direction=TransferDirection.IN,
            account_number=told.virtual_account if cash else told.account_number,
            amount=told.amount,
            allocated_amount=0,
            transferred_at__range=(at - SHIFT, at + (CARRIED if cash else SHIFT)),
        )

    def of_instance(self, instance_id: UUID) -> Self:
        """Lines of an instance's own account."""
        return self.filter(instance_id=instance_id)
