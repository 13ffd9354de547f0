"""Money that no bank feed told, which one person enters and another confirms."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.enums import ManualPaymentKind, ManualPaymentStatus
from billing.models.transfers import MOST_DONG, BankTransfer
from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index


class ManualPayment(Identified):
    """A sum in đồng that one person says has come for an order, with what proves it.

    Nothing is booked before another person confirms it; then it is a bank line of its own
    (`transfer`), told by hand, and all else follows as from any other line.
    """

    archived = False

    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        db_index=False,
        related_name="manual_payments",
        verbose_name=_("payment order"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=ManualPaymentKind.choices)
    amount = models.BigIntegerField(_("amount"), db_comment="Amount in VND")
    received_at = models.DateTimeField(
        _("received at"), db_comment="The bank's time, or when the cash was handed over"
    )
    account_number = models.CharField(
        _("account number"),
        max_length=50,
        blank=True,
        db_comment="Of the order; for cash, whose it is: CASH:<instance>, or CASH:KITEHUB",
    )
    reference = models.CharField(
        _("bank reference"), max_length=100, db_comment="The bank's, or the number of the paper"
    )
    reference_key = models.CharField(
        _("reference as compared"),
        max_length=400,
        editable=False,
        db_comment="The reference in upper case, its letters and digits alone",
    )
    memo = models.CharField(_("memo"), max_length=300, blank=True)
    payer_name = models.CharField(_("from"), max_length=200, blank=True)
    evidence = models.CharField(_("evidence"), max_length=500)
    reason = models.CharField(_("reason"), max_length=500)
    status = models.CharField(
        _("state"), max_length=20, choices=ManualPaymentStatus.choices, db_default="REQUESTED"
    )
    requested_by = models.CharField(_("entered by"), max_length=100)
    requested_at = models.DateTimeField(_("entered at"), db_default=Now())
    decided_by = models.CharField(_("decided by"), max_length=100, null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision = models.CharField(_("why so decided"), max_length=500, blank=True)
    transfer = models.ForeignKey(
        BankTransfer,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="manual_payments",
        verbose_name=_("bank transfer"),
    )

    class Meta:
        db_table = "manual_payments"
        db_table_comment = "Payments entered by hand, each confirmed by a second person"
        verbose_name = _("payment entered by hand")
        verbose_name_plural = _("payments entered by hand")
        permissions: ClassVar = [
            ("mark_paid", "Can enter payments by hand"),
            ("approve_payment", "Can decide payments that others entered by hand"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount__range=(1, MOST_DONG)), name="manual_payments_amount_check"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ManualPaymentKind.values), name="manual_payments_kind_check"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ManualPaymentStatus.values),
                name="manual_payments_status_check",
            ),
            models.CheckConstraint(
                condition=Q(reference__gt="", evidence__gt="", reason__gt=""),
                name="manual_payments_evidence_check",
            ),
            models.CheckConstraint(
                condition=Q(reference_key__regex="^[0-9A-Z]+$"),
                name="manual_payments_reference_check",
            ),
            models.CheckConstraint(
                condition=Q(status="REQUESTED", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(status="REQUESTED") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="manual_payments_decided_check",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(status="REJECTED")
                | ~Q(decided_by=F("requested_by")),
                name="manual_payments_two_people_check",
                violation_error_message=_("Who entered a payment can't confirm it."),
            ),
            models.CheckConstraint(
                condition=Q(status="CONFIRMED", transfer__isnull=False)
                | ~Q(status="CONFIRMED") & Q(transfer__isnull=True),
                name="manual_payments_transfer_check",
            ),
            # The same money is entered once, for whichever order and however its reference is
            # spelled, unless it is rejected. Cash is on no account, and each school numbers its
            # own papers.
            models.UniqueConstraint(
                fields=["account_number", "reference_key"],
                condition=~Q(status="REJECTED"),
                name="manual_payments_reference_key",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["-requested_at", "-id"], name="idx_manual_payments_list"),
            Index(fields=["status", "-requested_at", "-id"], name="idx_manual_payments_status"),
            Index(fields=["order"], name="idx_manual_payments_order"),
            Index(fields=["reference"], name="idx_manual_payments_reference"),
            Index(
                fields=["transfer"],
                condition=Q(transfer__isnull=False),
                name="idx_manual_payments_transfer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference}"
