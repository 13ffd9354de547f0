"""A bank line is assigned with one click, and for a moment the click can be taken back.

The line is locked before its plan is made; a plan is locked before what settlement locks.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing.enums import PlannedState
from billing.models import BankTransfer, PaymentOrder, PlannedMatch
from billing.services import inbox
from billing.services.candidates import candidates
from billing.services.inbox import CannotMatch
from kitehub.db.acting import REASON_LENGTH, acting
from kitehub.db.base import StaleRow
from kitehub.db.gates import WritesRefused
from kitehub.db.lifecycle import ForbiddenTransition
from kitehub.db.rehearsals import rehearsal
from kitehub.jobs.services import enqueue

logger = logging.getLogger(__name__)
BOOK = "billing.tasks.book_planned"
# Long enough to see a mistake, too short for anybody to wait for the booking.
UNDO_FOR = timedelta(seconds=20)
# A job takes seconds, and a lost one is caught up every five minutes: after so long somebody has to
# look.
OVERDUE_AFTER = timedelta(minutes=10)
# How many orders come into question when one of them is chosen.
_LOOKED_AT = 20


def plan_match(
    *, transfer_id: UUID, order_id: UUID, actor: str, at: datetime, approves: bool = False
) -> PlannedMatch:
    """Assigns a waiting line to one of its candidates: as much as there is and as is asked for.

    What speaks for the order is the reason. It is booked UNDO_FOR later, and until then
    `take_back` undoes it. Raises CannotMatch for a line that doesn't wait or that somebody else
    has just assigned, for an order that is no candidate (any more), and where it could not be
    booked now; see `inbox.match_transfer`, also for `approves`.
    """
    with transaction.atomic(), acting(actor, at=at):
        transfer = inbox.waiting(transfer_id)
        found = next(
            (each for each in candidates(transfer, limit=_LOOKED_AT) if each.order.pk == order_id),
            None,
        )
        if found is None:
            raise CannotMatch(_("This order doesn't come into question any more."))
        reason = "; ".join(str(each.label) for each in found.why)[:REASON_LENGTH]
        amount = min(transfer.unmatched, found.order.rest)
        with rehearsal():
            inbox.match_transfer(
                transfer_id=transfer_id,
                parts=[(order_id, amount)],
                actor=actor,
                reason=reason,
                at=at,
                approves=approves,
            )
        plan = PlannedMatch.objects.create(
            transfer=transfer,
            order=found.order,
            amount=amount,
            reason=reason,
            created_by=actor,
            created_at=at,
            due_at=at + UNDO_FOR,
        )
        enqueue(BOOK, not_before=plan.due_at, plan_id=str(plan.pk))
    return plan


def take_back(*, plan_id: UUID, actor: str, at: datetime, reason: str = "") -> PlannedMatch:
    """Undoes an assignment that isn't booked yet; the line waits again. Raises CannotMatch."""
    with transaction.atomic(), acting(actor, reason, at=at):
        plan = _locked(plan_id)
        if plan is None:
            raise CannotMatch(_("It is booked already: take it off the order, or refund it."))
        return _conclude(plan, PlannedState.TAKEN_BACK, at=at)


def book_planned(*, plan_id: UUID, at: datetime) -> PlannedState:
    """Books an assignment whose time has come; returns what has become of it.

    One that can't be booked any more, as a service or the database refuses it, is FAILED and says
    why; its line waits for a person again. Raises DoesNotExist for no such plan, and WritesRefused
    while the school is being moved.
    """
    with transaction.atomic():
        plan = _locked(plan_id)
        if plan is None or plan.due_at > at:
            return PlannedState(PlannedMatch.objects.values_list("state").get(pk=plan_id)[0])
        try:
            with transaction.atomic():
                inbox.match_transfer(
                    transfer_id=plan.transfer_id,
                    parts=[(plan.order_id, plan.amount)],
                    actor=plan.created_by,
                    reason=plan.reason,
                    at=at,
                    plan_id=plan.pk,
                    approves=True,  # or it would not be planned
                )
                # What only the commit would refuse has to be refused here, where it is kept.
                connection.check_constraints()
        except _REFUSED as error:
            if isinstance(error, WritesRefused) and error.retry:
                raise
            plan.failure = _why_not(error)[:REASON_LENGTH]
            _conclude(plan, PlannedState.FAILED, at=at)
        else:
            _conclude(plan, PlannedState.BOOKED, at=at)
    return PlannedState(plan.state)


@dataclass(frozen=True, slots=True)
class Due:
    """How many assignments a run of `book_due` booked, and those that stay planned."""

    booked: int
    failed: tuple[UUID, ...]


def book_due(*, at: datetime) -> Due:
    """Books every assignment whose own job was lost, each for itself."""
    due = PlannedMatch.objects.filter(state=PlannedState.PLANNED, due_at__lte=at)
    booked, failed = 0, []
    for key in due.order_by("due_at").values_list("pk", flat=True):
        try:
            booked += book_planned(plan_id=key, at=at) == PlannedState.BOOKED
        except Exception:
            logger.exception("The assignment %s can't be booked.", key)
            failed.append(key)
    return Due(booked, tuple(failed))


def overdue(at: datetime) -> Q:
    """Which assignments should have been booked long ago: something is wrong with them."""
    return Q(state=PlannedState.PLANNED, due_at__lte=at - OVERDUE_AFTER)


def open_plan(transfer: BankTransfer) -> PlannedMatch | None:
    """The assignment of a line that is still to be booked."""
    open_ = PlannedMatch.objects.filter(transfer=transfer, state=PlannedState.PLANNED)
    return open_.select_related("order").first()


def failed_last(transfer: BankTransfer) -> PlannedMatch | None:
    """The last assignment of a line, where it could not be booked."""
    last = PlannedMatch.objects.filter(transfer=transfer).order_by("-created_at").first()
    return last if last is not None and last.state == PlannedState.FAILED else None


_REFUSED = (CannotMatch, ForbiddenTransition, IntegrityError, StaleRow, WritesRefused)


def _why_not(error: Exception) -> str:
    if isinstance(error, CannotMatch):
        return str(error)
    logger.warning("An assignment is refused.", exc_info=error)
    if isinstance(error, WritesRefused):
        return _("Nothing was saved: the instance is suspended. Resume it first.")
    return _("The database refuses it.")


def order_of(plan: PlannedMatch) -> PaymentOrder:
    """The order of an assignment, deleted or not."""
    return PaymentOrder.all_objects.get(pk=plan.order_id)


def _locked(plan_id: UUID) -> PlannedMatch | None:
    rows = PlannedMatch.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(pk=plan_id, state=PlannedState.PLANNED).first()


def _conclude(plan: PlannedMatch, state: PlannedState, *, at: datetime) -> PlannedMatch:
    plan.state = state
    plan.concluded_at = at
    plan.save(update_fields=["state", "failure", "concluded_at"])
    return plan
