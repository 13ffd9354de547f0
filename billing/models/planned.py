"""What a person has said a bank line is for, before it is booked."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.enums import PlannedState
from billing.models.transfers import BankTransfer
from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index


class PlannedMatch(Identified):
    """A waiting bank line that a person assigned to an order with one click.

    It is booked at `due_at`; until then it can be taken back as if it had never been. What is
    booked may make the order paid, with a receipt and a period, and that has no way back.
    """

    archived = False

    transfer = models.ForeignKey(
        BankTransfer,
        models.PROTECT,
        db_index=False,
        related_name="planned_matches",
        verbose_name=_("bank transfer"),
    )
    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        db_index=False,
        related_name="planned_matches",
        verbose_name=_("payment order"),
    )
    amount = models.BigIntegerField(_("amount"), db_comment="Amount in VND")
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(
        _("state"), max_length=20, choices=PlannedState.choices, db_default="PLANNED"
    )
    failure = models.CharField(_("why not booked"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    created_by = models.CharField(_("created by"), max_length=100)
    due_at = models.DateTimeField(_("booked from"))
    concluded_at = models.DateTimeField(_("concluded at"), null=True, blank=True)

    class Meta:
        db_table = "planned_matches"
        db_table_comment = "Bank lines assigned by a person, for a moment still to be taken back"
        verbose_name = _("planned assignment")
        verbose_name_plural = _("planned assignments")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="planned_matches_amount_check"),
            models.CheckConstraint(
                condition=Q(state__in=PlannedState.values), name="planned_matches_state_check"
            ),
            models.CheckConstraint(
                condition=Q(state="PLANNED", concluded_at__isnull=True)
                | ~Q(state="PLANNED") & Q(concluded_at__isnull=False),
                name="planned_matches_concluded_check",
            ),
            models.UniqueConstraint(
                fields=["transfer"],
                condition=Q(state="PLANNED"),
                name="planned_matches_open_key",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["due_at"], condition=Q(state="PLANNED"), name="idx_planned_matches_due"),
            Index(fields=["transfer", "-created_at"], name="idx_planned_matches_transfer"),
            Index(fields=["order"], name="idx_planned_matches_order"),
            Index(fields=["-created_at", "-id"], name="idx_planned_matches_list"),
            Index(fields=["state", "-created_at", "-id"], name="idx_planned_matches_state"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.amount}"
