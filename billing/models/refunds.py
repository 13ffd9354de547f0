"""Money that goes back to whoever paid it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.enums import RefundSource, RefundStatus
from billing.models.transfers import BankTransfer
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.display import money


class Refund(Identified):
    """A sum in đồng that one person asks to pay back and another approves.

    The money counts as paid back from the approval on; `SENT` says that the bank has it.
    """

    archived = False

    source = models.CharField(_("of"), max_length=20, choices=RefundSource.choices)
    instance = LooseForeignKey(
        "kitehub.Instance",
        null=True,
        blank=True,
        related_name="refunds",
        verbose_name=_("instance"),
    )
    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="refunds",
        verbose_name=_("payment order"),
    )
    transfer = models.ForeignKey(
        BankTransfer,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="refunds",
        verbose_name=_("bank transfer"),
    )
    amount = models.BigIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=500)
    status = models.CharField(
        _("state"), max_length=20, choices=RefundStatus.choices, db_default="REQUESTED"
    )
    payee_bank_bin = models.CharField(_("bank (BIN)"), max_length=6, blank=True)
    payee_account = models.CharField(_("account number"), max_length=50, blank=True)
    payee_name = models.CharField(_("account holder"), max_length=200, blank=True)
    requested_by = models.CharField(_("asked for by"), max_length=100)
    requested_at = models.DateTimeField(_("asked for at"), db_default=Now())
    decided_by = models.CharField(_("decided by"), max_length=100, null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision = models.CharField(_("why so decided"), max_length=500, blank=True)
    sent_by = models.CharField(_("sent by"), max_length=100, null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    sent_reference = models.CharField(_("bank reference"), max_length=100, blank=True)

    class Meta:
        db_table = "refunds"
        db_table_comment = "Refunds, each approved by a second person"
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        permissions: ClassVar = [
            ("request_refund", "Can ask for refunds"),
            ("approve_refund", "Can decide refunds that others asked for"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refunds_amount_check"),
            models.CheckConstraint(
                condition=Q(status__in=RefundStatus.values), name="refunds_status_check"
            ),
            models.CheckConstraint(
                condition=Q(source="ORDER", order__isnull=False, transfer__isnull=True)
                | Q(source="TRANSFER", transfer__isnull=False, order__isnull=True)
                | Q(
                    source="CREDIT",
                    instance__isnull=False,
                    order__isnull=True,
                    transfer__isnull=True,
                ),
                name="refunds_source_check",
            ),
            models.CheckConstraint(
                condition=Q(status="REQUESTED", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(status="REQUESTED") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="refunds_decided_check",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(status="REJECTED")
                | ~Q(decided_by=F("requested_by")),
                name="refunds_two_people_check",
                violation_error_message=_("Who asked for a refund can't approve it."),
            ),
            models.CheckConstraint(
                condition=~Q(status="SENT") | Q(sent_at__isnull=False, sent_by__isnull=False),
                name="refunds_sent_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["-requested_at", "-id"], name="idx_refunds_list"),
            Index(fields=["status", "-requested_at", "-id"], name="idx_refunds_list_status"),
            Index(fields=["source", "-requested_at", "-id"], name="idx_refunds_list_source"),
            Index(fields=["-amount", "-requested_at", "-id"], name="idx_refunds_list_amount"),
            Index(fields=["status", "requested_at"], name="idx_refunds_status"),
            Index(fields=["order"], condition=Q(order__isnull=False), name="idx_refunds_order"),
            Index(
                fields=["transfer"],
                condition=Q(transfer__isnull=False),
                name="idx_refunds_transfer",
            ),
            Index(fields=["instance"], name="idx_refunds_instance"),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} · {money(self.amount)}"
