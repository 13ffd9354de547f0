"""Money that instances have with KiteHub."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.enums import CreditKind
from billing.models.transfers import BankTransfer
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey, LooseOneToOneField
from kitehub.db.functions import Now
from kitehub.db.indexes import Index


class CreditBalance(Identified):
    """What an instance has, in đồng: the sum of its entries, kept by the database, never < 0."""

    archived = False

    instance = LooseOneToOneField(
        "kitehub.Instance", related_name="credit_balance", verbose_name=_("instance")
    )
    balance = models.BigIntegerField(_("credit"), db_default=0, editable=False)

    class Meta:
        db_table = "credit_balances"
        db_table_comment = "Credit of instances; kept by credit_entries"
        verbose_name = _("credit balance")
        verbose_name_plural = _("credit balances")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(balance__gte=0), name="credit_balances_balance_check"
            ),
        ]
        indexes: ClassVar = [Index(fields=["-balance", "-id"], name="idx_credit_balances_list")]

    def __str__(self) -> str:
        return f"{self.instance or self.instance_id}: {self.balance}"


class CreditEntry(Identified):
    """One change of an instance's credit, in đồng. Append-only.

    With a `transfer`, the amount comes out of that bank line (or, negative, goes back to it).
    """

    archived = False

    instance = LooseForeignKey(
        "kitehub.Instance", related_name="credit_entries", verbose_name=_("instance")
    )
    amount = models.BigIntegerField(_("amount"))
    kind = models.CharField(_("kind"), max_length=20, choices=CreditKind.choices)
    transfer = models.ForeignKey(
        BankTransfer,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="credit_entries",
        verbose_name=_("bank transfer"),
    )
    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="credit_entries",
        verbose_name=_("payment order"),
    )
    refund = models.ForeignKey(
        "billing.Refund",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="credit_entries",
        verbose_name=_("refund"),
    )
    balance_after = models.BigIntegerField(_("credit after"), editable=False)
    created_at = models.DateTimeField(_("booked at"), db_default=Now())
    created_by = models.CharField(_("booked by"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        db_table = "credit_entries"
        db_table_comment = "Changes of instances' credit; append-only"
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")
        permissions: ClassVar = [
            ("grant_credit", "Can give credit"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=CreditKind.values) & ~Q(amount=0),
                name="credit_entries_kind_check",
            ),
            # What came from a bank line is real money; what staff gave is not.
            models.CheckConstraint(
                condition=~Q(kind="EXCESS") | Q(transfer__isnull=False),
                name="credit_entries_excess_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["-created_at", "-id"], name="idx_credit_entries_list"),
            Index(fields=["kind", "-created_at", "-id"], name="idx_credit_entries_list_kind"),
            Index(fields=["-amount", "-created_at", "-id"], name="idx_credit_entries_list_amount"),
            Index(fields=["instance", "-created_at"], name="idx_credit_entries_instance"),
            Index(
                fields=["transfer"],
                condition=Q(transfer__isnull=False),
                name="idx_credit_entries_transfer",
            ),
            Index(
                fields=["order"], condition=Q(order__isnull=False), name="idx_credit_entries_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"
