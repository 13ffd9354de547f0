"""What KiteHub gives schools for nothing: one person proposes it, another approves."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing.enums import GoodwillKind, GoodwillStatus
from billing.models.transfers import MOST_DONG
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.display import money

_UNDECIDED = Q(status__in=["PROPOSED", "GIVEN"])


class Goodwill(Identified):
    """Credit or days for a school. Nothing is given before another person approves it.

    What one person may give alone is born `GIVEN`. What is given by it, an entry of credit or an
    adjustment of the subscription, has the same key.
    """

    archived = False

    instance = LooseForeignKey(
        "kitehub.Instance", related_name="goodwill", verbose_name=_("instance")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=GoodwillKind.choices)
    amount = models.BigIntegerField(
        _("amount"), db_comment="Amount in VND; of days, what they were worth when proposed"
    )
    days = models.SmallIntegerField(_("days"), null=True, blank=True, db_comment="None for credit")
    reason = models.CharField(_("reason"), max_length=500)
    status = models.CharField(
        _("state"), max_length=20, choices=GoodwillStatus.choices, db_default="PROPOSED"
    )
    proposed_by = models.CharField(_("proposed by"), max_length=100)
    proposed_at = models.DateTimeField(_("proposed at"), db_default=Now())
    decided_by = models.CharField(_("decided by"), max_length=100, null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision = models.CharField(_("why so decided"), max_length=500, blank=True)

    class Meta:
        db_table = "goodwill_grants"
        db_table_comment = "Credit and days for nothing, each approved by a second person"
        verbose_name = _("goodwill")
        verbose_name_plural = _("goodwill")
        permissions: ClassVar = [
            ("approve_goodwill", "Can decide goodwill that others proposed"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount__range=(1, MOST_DONG)), name="goodwill_grants_amount_check"
            ),
            models.CheckConstraint(
                condition=Q(kind="CREDIT", days__isnull=True)
                | Q(kind="EXTENSION", days__isnull=False, days__range=(1, 3660)),
                name="goodwill_grants_kind_check",
            ),
            models.CheckConstraint(
                condition=Q(status__in=GoodwillStatus.values), name="goodwill_grants_status_check"
            ),
            models.CheckConstraint(condition=Q(reason__gt=""), name="goodwill_grants_reason_check"),
            models.CheckConstraint(
                condition=_UNDECIDED & Q(decided_by__isnull=True, decided_at__isnull=True)
                | ~_UNDECIDED & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="goodwill_grants_decided_check",
            ),
            # Who proposed it takes it back, and does nothing else with it.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(status="WITHDRAWN", decided_by=F("proposed_by"))
                | ~Q(status="WITHDRAWN") & ~Q(decided_by=F("proposed_by")),
                name="goodwill_grants_two_people_check",
                violation_error_message=_("Who proposed goodwill can't approve it."),
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["-proposed_at", "-id"], name="idx_goodwill_grants_list"),
            Index(fields=["status", "-proposed_at", "-id"], name="idx_goodwill_grants_status"),
            Index(fields=["instance", "-proposed_at"], name="idx_goodwill_grants_instance"),
            # What a person has given alone on a day.
            Index(
                fields=["proposed_by", "proposed_at"],
                condition=Q(status="GIVEN"),
                name="idx_goodwill_grants_alone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.what}" if self.days is None else self.what

    @property
    def what(self) -> str:
        """How much it is, in words."""
        if self.days is None:
            return money(self.amount)
        said = ngettext("%(days)s day of use", "%(days)s days of use", self.days)
        return said % {"days": self.days}
