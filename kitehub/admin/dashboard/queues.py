"""What waits for a person: each queue is a count that leads to the list of what is in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.admin.paid_late import paid_late
from billing.admin.planned import overdue
from billing.enums import GoodwillStatus, ManualPaymentStatus, RefundStatus
from billing.models import (
    BankTransfer,
    FeedSilence,
    Goodwill,
    ManualPayment,
    PaymentOrder,
    PlannedMatch,
    Refund,
)
from billing.models.orders import PART_PAID
from branding.enums import BrandingStatus
from branding.models import BrandingJob
from kitehub.admin.moves import unfinished
from kitehub.admin.watches import AWAY, BEHIND, FULL, SEES_DATABASES, UNFINISHED, seen_in
from kitehub.jobs.models import Job
from kitehub.models import Instance, InstanceMove

# Nobody has another plan for a thousand than for more; one row more says that there is more.
MOST_COUNTED = 1_000


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Work of one kind: how much there is, and where it is done.

    ``count`` is exact unless ``capped``: then there are at least so many. ``icon`` is a Material
    Symbol; who may not do all of ``permissions`` ("app.view_model") never sees the queue.
    """

    title: str | Promise
    count: int
    capped: bool
    address: str
    icon: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """A queue before it is counted: its list, what the address asks of it, and the same rows.

    ``beside`` is the permission that it takes beside that to view the list.
    """

    title: Promise
    icon: str
    model: Any
    asks: str
    rows: Callable[[], QuerySet[Any]]
    beside: str = ""

    @property
    def permissions(self) -> tuple[str, ...]:
        options = self.model._meta
        view = f"{options.app_label}.view_{options.model_name}"
        return (view, self.beside) if self.beside else (view,)

    @property
    def address(self) -> str:
        options = self.model._meta
        page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        return f"{page}?{self.asks}"

    def counted(self) -> Queue:
        found = self.rows().order_by()[: MOST_COUNTED + 1].count()
        return Queue(
            title=self.title,
            count=min(found, MOST_COUNTED),
            capped=found > MOST_COUNTED,
            address=self.address,
            icon=self.icon,
            permissions=self.permissions,
        )


def _instances_seen(state: str) -> Callable[[], QuerySet[Any]]:
    rows: Callable[[], QuerySet[Any]] = lambda: seen_in(Instance.objects.all(), state)  # noqa: E731
    return rows


_SOURCES = (
    _Source(
        _("Unmatched transfers"),
        "link_off",
        BankTransfer,
        "tab=UNMATCHED",
        lambda: BankTransfer.objects.unmatched(),
    ),
    _Source(
        _("Assignments that aren't booked"),
        "pending_actions",
        PlannedMatch,
        "booking=overdue",
        lambda: overdue(PlannedMatch.objects.all()),
    ),
    _Source(
        _("Orders paid in part"),
        "incomplete_circle",
        PaymentOrder,
        "tab=part-paid",
        lambda: PaymentOrder.objects.filter(PART_PAID),
    ),
    _Source(
        _("Orders paid late"),
        "alarm",
        PaymentOrder,
        "paid=late",
        lambda: paid_late(PaymentOrder.objects.all()),
    ),
    _Source(
        _("Refunds to approve"),
        "approval",
        Refund,
        f"tab={RefundStatus.REQUESTED}",
        lambda: Refund.objects.filter(status=RefundStatus.REQUESTED),
    ),
    _Source(
        _("Refunds to send"),
        "payments",
        Refund,
        f"tab={RefundStatus.APPROVED}",
        lambda: Refund.objects.filter(status=RefundStatus.APPROVED),
    ),
    _Source(
        _("Payments by hand to confirm"),
        "price_check",
        ManualPayment,
        f"tab={ManualPaymentStatus.REQUESTED}",
        lambda: ManualPayment.objects.filter(status=ManualPaymentStatus.REQUESTED),
    ),
    _Source(
        _("Goodwill to approve"),
        "redeem",
        Goodwill,
        f"tab={GoodwillStatus.PROPOSED}",
        lambda: Goodwill.objects.filter(status=GoodwillStatus.PROPOSED),
    ),
    _Source(
        _("Bank feeds that are silent"),
        "rss_feed",
        FeedSilence,
        "silent=now",
        lambda: FeedSilence.objects.filter(ends_at=None),
    ),
    _Source(
        _("Openings that aren't finished"),
        "build_circle",
        Instance,
        f"database={UNFINISHED}",
        _instances_seen(UNFINISHED),
        SEES_DATABASES,
    ),
    _Source(
        _("Moves that aren't finished"),
        "move_down",
        InstanceMove,
        "unfinished=yes",
        lambda: unfinished(InstanceMove.objects.all()),
    ),
    _Source(
        _("Databases that can't be reached"),
        "cloud_off",
        Instance,
        f"database={AWAY}",
        _instances_seen(AWAY),
        SEES_DATABASES,
    ),
    _Source(
        _("Databases behind on migrations"),
        "history_toggle_off",
        Instance,
        f"database={BEHIND}",
        _instances_seen(BEHIND),
        SEES_DATABASES,
    ),
    _Source(
        _("Schools over 90% of their storage"),
        "hard_drive",
        Instance,
        f"database={FULL}",
        _instances_seen(FULL),
        SEES_DATABASES,
    ),
    _Source(
        _("Background jobs that failed"),
        "error",
        Job,
        "tab=failed",
        lambda: Job.objects.filter(status="failed"),
    ),
    _Source(
        _("Branding jobs that failed"),
        "palette",
        BrandingJob,
        f"tab={BrandingStatus.FAILED}",
        lambda: BrandingJob.objects.filter(status=BrandingStatus.FAILED),
    ),
)


def queues(request: HttpRequest) -> list[Queue]:
    """The queues that the signed-in person may see, the most urgent first.

    One query each, which reads at most 1,001 entries of an index.
    """
    return [each.counted() for each in _SOURCES if request.user.has_perms(each.permissions)]
