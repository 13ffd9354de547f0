"""Receipts: numbered without gaps, never changed."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.enums import ReceiptKind
from billing.receipts.content import ReceiptContent, receipt_number
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index


class ReceiptCounter(models.Model):
    """The last number of a year. A row's lock, so that a rollback leaves no gap."""

    year = models.SmallIntegerField(_("year"), primary_key=True)
    last = models.IntegerField(_("last number"))

    class Meta:
        db_table = "receipt_counters"
        db_table_comment = "The last receipt's number of each year; kept by receipts"
        verbose_name = _("receipt counter")
        verbose_name_plural = _("receipt counters")

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Receipt(Identified):
    """What was received for an order, as it was told to whoever paid. Append-only, đồng.

    The database numbers receipts by year without gaps. A void is a receipt of its own that refers
    to the first; the first stays as it is.
    """

    archived = False

    year = models.SmallIntegerField(_("year"), db_comment="Of issued_at, Vietnamese time")
    number = models.IntegerField(_("number"), editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=ReceiptKind.choices)
    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        db_index=False,
        related_name="receipts",
        verbose_name=_("payment order"),
    )
    instance = LooseForeignKey(
        "kitehub.Instance",
        null=True,
        blank=True,
        related_name="receipts",
        verbose_name=_("instance"),
    )
    voids = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="voided_by",
        verbose_name=_("makes void"),
    )
    amount = models.BigIntegerField(_("amount"))
    content = models.JSONField(_("as printed"))
    issued_at = models.DateTimeField(_("issued at"))
    created_by = models.CharField(_("issued by"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        db_table = "receipts"
        db_table_comment = "Receipts, numbered by year without gaps; append-only"
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["year", "number"], name="receipts_number_key"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(kind="RECEIPT"), name="receipts_order_key"
            ),
            models.CheckConstraint(
                condition=Q(kind="RECEIPT", voids__isnull=True, amount__gt=0)
                | Q(kind="VOID", voids__isnull=False, amount__lt=0),
                name="receipts_kind_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["kind", "-year", "-number"], name="idx_receipts_list_kind"),
            Index(fields=["instance", "-year", "-number"], name="idx_receipts_list_instance"),
            Index(fields=["-amount", "-year", "-number"], name="idx_receipts_list_amount"),
            Index(fields=["-issued_at", "-id"], name="idx_receipts_list_issued_at"),
            Index(fields=["order"], name="idx_receipts_order"),
            Index(fields=["instance", "-issued_at"], name="idx_receipts_instance"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """The number as people write it."""
        return receipt_number(year=self.year, number=self.number)

    @property
    def voided_by_code(self) -> str:
        """The number of the receipt that makes this one void; empty where none does."""
        void = Receipt.objects.filter(voids=self).first()
        return void.code if void else ""

    @property
    def printed(self) -> ReceiptContent:
        """What the receipt says."""
        return ReceiptContent.from_json(self.content, number=self.code, issued_at=self.issued_at)
