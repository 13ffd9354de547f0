"""What staff do to an order that isn't paid: more time, its mail once more, the same order anew."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from billing.accounts import NoReceivingAccount
from billing.enums import OrderPurpose, PaymentStatus, PaymentType
from billing.models import PaymentOrder, Subscription
from billing.proration import NothingToUpgrade
from billing.services import letters
from billing.services.order_terms import BadOrder
from billing.services.orders import open_order, status_of
from billing.services.renewals import open_upgrade
from billing.services.subscriptions import NoSubscription, SubscriptionEnded
from kitehub.db.acting import acting
from kitehub.enums import Tier

# An order has its price for so long; after that it is better opened anew.
LONGEST = timedelta(days=90)


class CannotChange(Exception):
    """It can't be done to this order; the text says why, to people, and nothing was changed."""


def prolong_order(
    *, order_id: UUID, until: datetime, actor: str, reason: str, at: datetime
) -> PaymentOrder:
    """Gives an open order until a later moment to be paid; its terms stay as they were agreed.

    Raises CannotChange for an order that isn't open by the clock, one that is for an upgrade,
    whose price is of its day, and a moment that isn't later or is more than 90 days away.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        order = _locked(order_id)
        if status_of(order, at=at) != PaymentStatus.PENDING:
            raise CannotChange(
                _("Only an open order gets more time. An expired one is opened anew.")
            )
        if order.purpose == OrderPurpose.UPGRADE:
            raise CannotChange(
                _("An upgrade's price is of its day: cancel it and open another one.")
            )
        if not order.expires_at < until <= at + LONGEST:
            raise CannotChange(
                _("The new moment is later than the old one, and within %(days)s days.")
                % {"days": LONGEST.days}
            )
        PaymentOrder.objects.filter(pk=order.pk).update(expires_at=until)
        order.refresh_from_db()
    return order


def reopen_order(*, order_id: UUID, actor: str, reason: str, at: datetime) -> PaymentOrder:
    """Opens an order for the same as one that has expired or was cancelled, at today's price.

    The old one says which has replaced it, so it is opened anew once. What was paid on it in part
    becomes credit, as ever. Raises CannotChange.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        # Not locked: opening locks bank lines, which come before orders.
        order = _found(PaymentOrder.objects.all(), order_id)
        if order.instance is None or order.superseded_by_id is not None:
            raise CannotChange(_("It was replaced by another order, or its school is gone."))
        if status_of(order, at=at) not in (PaymentStatus.EXPIRED, PaymentStatus.CANCELLED):
            raise CannotChange(_("Only an expired or a cancelled order is opened anew."))
        opened = _open_same(order, actor=actor, at=at)
        old = PaymentOrder.objects.filter(pk=order.pk).exclude(status=PaymentStatus.PAID)
        if not old.filter(Q(superseded_by__isnull=True) | Q(superseded_by=opened)).update(
            superseded_by=opened
        ):
            raise CannotChange(_("The order has changed meanwhile."))
    return opened


def send_order_again(*, order_id: UUID, actor: str, reason: str, at: datetime) -> str:
    """Puts the mail with an open order's QR code into the queue once more; returns the address.

    Raises CannotChange where the order isn't open or isn't for a subscription, where nobody could
    be written to, and where somebody has just asked for it.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        order = _locked(order_id)
        found = Subscription.objects.filter(instance=order.instance).first()
        is_open = status_of(order, at=at) == PaymentStatus.PENDING
        # A course's order is the student's: the owner has no mail of it.
        if order.type != PaymentType.SUBSCRIPTION or not is_open or found is None:
            raise CannotChange(_("Only an open order for a subscription has a mail."))
        owner = found.instance.owner if found.instance else None
        if owner is None or not letters.order_again(order=order, subscription=found, at=at):
            raise CannotChange(
                _("There is nobody to write to, or the mail is in the queue already.")
            )
    return str(owner.email)


# --- Parts --------------------------------------------------------------------------------------


def _locked(order_id: UUID) -> PaymentOrder:
    return _found(PaymentOrder.objects.select_for_update(of=("self",), no_key=True), order_id)


def _found(rows: QuerySet[PaymentOrder], order_id: UUID) -> PaymentOrder:
    order = rows.select_related("instance__owner", "user").filter(pk=order_id).first()
    if order is None:
        raise CannotChange(_("There is no such order."))
    return order


def _open_same(order: PaymentOrder, *, actor: str, at: datetime) -> PaymentOrder:
    assert order.instance is not None  # noqa: S101 - the caller's
    asked: dict[str, Any] = {"instance": order.instance, "actor": actor, "at": at}
    try:
        if order.purpose == OrderPurpose.UPGRADE:
            return open_upgrade(**asked, tier=Tier(order.tier or ""), user=order.user)
        return open_order(**asked, **_same(order), type=PaymentType(order.type), user=order.user)
    except (NothingToUpgrade, NoSubscription, SubscriptionEnded) as error:
        raise CannotChange(_("Nothing is left that it would upgrade.")) from error
    except (BadOrder, NoReceivingAccount) as error:
        raise CannotChange(str(error.refusal.label)) from error
    except ValueError as error:
        raise CannotChange(_("This can't be ordered any more.")) from error


def _same(order: PaymentOrder) -> dict[str, Any]:
    if order.type == PaymentType.SUBSCRIPTION:
        return {"tier": Tier(order.tier or ""), "months": order.months or 1}
    return {
        "amount": order.amount,
        "course_id": order.course_id or "",
        "student_name": order.student_name or "",
    }
