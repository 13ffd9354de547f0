"""When the QR codes of orders were shown."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.enums import ViewChannel
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey


class OrderView(Identified):
    """How often an order's QR code was shown in one place, and when first and last (V18).

    Beside the order rather than in it: whoever looks at a page changes nothing that was agreed.
    There is no constraint to the order, so showing a code never waits for what settles it.
    """

    # KiteHub's own record of what it showed.
    archived = False

    order = LooseForeignKey(
        "billing.PaymentOrder", related_name="views", verbose_name=_("payment order")
    )
    channel = models.CharField(_("shown in"), max_length=10, choices=ViewChannel.choices)
    first_at = models.DateTimeField(_("first shown at"))
    last_at = models.DateTimeField(_("last shown at"))
    times = models.BigIntegerField(
        _("times shown"), db_default=1, db_comment="Those within a minute are one"
    )

    class Meta:
        db_table = "order_views"
        db_table_comment = "When and where the QR codes of orders were shown"
        verbose_name = _("showing of a QR code")
        verbose_name_plural = _("showings of QR codes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "channel"], name="order_views_order_key"),
            models.CheckConstraint(
                condition=Q(channel__in=ViewChannel.values)
                & Q(times__gte=1)
                & Q(last_at__gte=F("first_at")),
                name="order_views_times_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} · {self.times}"
