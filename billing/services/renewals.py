"""The order for the next period is opened before this one ends, and its owner is told."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.fields import DateTimeField
from django.db.models.functions import Coalesce

from billing.accounts import own_account
from billing.dunning import Step, stage
from billing.dunning import grace_until as grace_of
from billing.enums import (
    OrderPurpose,
    PaymentStatus,
    PaymentType,
    SubscriptionStatus,
)
from billing.models import PaymentOrder, Subscription
from billing.services import grace, letters
from billing.services.order_terms import BadOrder
from billing.services.orders import OPEN_FOR, open_order
from billing.services.subscriptions import NoSubscription, SubscriptionEnded, upgrade_quote
from billing.services.subscriptions.advance import not_paused
from kitehub.db import locks
from kitehub.enums import Tier
from kitehub.models import Instance, User

logger = logging.getLogger(__name__)
RENEWAL_ACTOR = "renew_subscriptions"
RENEWAL_BATCH = 500
_RENEWED = (SubscriptionStatus.TRIAL, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)


@dataclass(frozen=True, slots=True)
class Renewals:
    """What a run of `renew_due` did: orders opened, and schools for which none could be."""

    opened: int
    failed: tuple[UUID, ...] = ()


def renew_due(*, at: datetime, batch: int = RENEWAL_BATCH) -> Renewals:
    """Opens the order for the next period of whatever ends within KITEHUB_RENEWAL_DAYS.

    It is for the tier that was asked for from the next period on, can be paid until the grace is
    over, and its owner gets it by mail. Where a subscription order is open there is nothing to do,
    unless that is a renewal for another tier, of which nothing is paid. Whoever cancelled the
    renewal of this period isn't asked again; what is cancelled, paused or over isn't renewed, nor
    is a school that is closed.

    Each order is a transaction of its own; a school whose order can't be opened is logged, and
    keeps no other from its own. Of two runs at once one has nothing to do. Raises ValueError for a
    batch below 1, and NoReceivingAccount where KiteHub has no account.
    """
    if batch < 1:
        raise ValueError("A batch has at least one subscription.")
    own_account()
    opened = 0
    failed = []
    with locks.held(connection, RENEWAL_ACTOR) as mine:
        if not mine:
            return Renewals(0)
        for instance_id in _due(at, batch):
            try:
                opened += _renew(instance_id, at=at)
            except BadOrder as error:
                logger.warning("Instance %s can't be renewed: %s", instance_id, error)
                failed.append(instance_id)
            except Exception:
                logger.exception("Instance %s can't be renewed.", instance_id)
                failed.append(instance_id)
    return Renewals(opened, tuple(failed))


def open_renewal(
    *,
    instance: Instance,
    at: datetime,
    actor: str,
    user: User | None = None,
    tier: Tier | None = None,
    months: int | None = None,
) -> PaymentOrder:
    """Opens the order for an instance's next period, for what it has unless something else is said.

    Raises NoSubscription, BadOrder and NoReceivingAccount.
    """
    found = Subscription.objects.of_instance(instance.pk).first()
    if found is None:
        raise NoSubscription(instance.pk)
    last = grace_of(found.current_period_end, silences=grace.silences(), ladder=grace.ladder())
    return open_order(
        type=PaymentType.SUBSCRIPTION,
        instance=instance,
        actor=actor,
        user=user,
        tier=tier or Tier(found.pending_tier or found.tier),
        months=months or found.billing_months,
        purpose=OrderPurpose.PERIOD,
        open_for=max(OPEN_FOR, last - at) if last else OPEN_FOR,
        at=at,
    )


def open_upgrade(
    *, instance: Instance, tier: Tier, at: datetime, actor: str, user: User | None = None
) -> PaymentOrder:
    """Opens the order for a higher tier from now to the end of what is paid.

    The amount is `upgrade_quote`'s at this moment, and stays. Raises NoSubscription,
    SubscriptionEnded, NothingToUpgrade, BadOrder and NoReceivingAccount.
    """
    found = Subscription.objects.of_instance(instance.pk).first()
    if found is not None and found.status == SubscriptionStatus.EXPIRED:
        raise SubscriptionEnded(instance.pk)
    quote = upgrade_quote(instance_id=instance.pk, tier=tier, at=at)
    return open_order(
        type=PaymentType.SUBSCRIPTION,
        instance=instance,
        actor=actor,
        user=user,
        tier=tier,
        purpose=OrderPurpose.UPGRADE,
        amount=quote.amount,
        # Nobody pays for time that is over.
        open_for=min(OPEN_FOR, quote.until - at),
        at=at,
    )


# --- Steps --------------------------------------------------------------------------------------


def _due(at: datetime, batch: int) -> Iterator[UUID]:
    """The instances to renew, the first to end first, read in batches."""
    since: tuple[datetime, UUID] | None = None
    while True:
        found = _candidates(at)
        if since is not None:
            end, pk = since
            found = found.filter(
                Q(current_period_end__gt=end) | Q(current_period_end=end, pk__gt=pk),
                current_period_end__gte=end,
            )
        rows = list(
            found.order_by("current_period_end", "pk").values_list(
                "current_period_end", "pk", "instance_id"
            )[:batch]
        )
        yield from (instance_id for _end, _pk, instance_id in rows)
        if len(rows) < batch:
            return
        since = rows[-1][:2]


def _candidates(at: datetime) -> QuerySet[Subscription]:
    ahead = timedelta(days=settings.KITEHUB_RENEWAL_DAYS)
    orders = PaymentOrder.objects.filter(
        instance_id=OuterRef("instance_id"), type=PaymentType.SUBSCRIPTION
    )
    opened = orders.filter(status=PaymentStatus.PENDING)
    wanted = Coalesce(OuterRef("pending_tier"), OuterRef("tier"))
    outdated = opened.filter(
        created_by=RENEWAL_ACTOR, purpose=OrderPurpose.PERIOD, paid_amount=0
    ).exclude(tier=wanted)
    first_day = ExpressionWrapper(
        OuterRef("current_period_end") - ahead, output_field=DateTimeField()
    )
    refused = orders.filter(
        status=PaymentStatus.CANCELLED,
        superseded_by__isnull=True,
        created_by=RENEWAL_ACTOR,
        created_at__gte=first_day,
    )
    return Subscription.objects.filter(
        not_paused(),
        ~Q(Exists(opened)) | Q(Exists(outdated)),
        ~Q(Exists(refused)),
        status__in=_RENEWED,
        current_period_end__lte=at + ahead,
    )


def _renew(instance_id: UUID, *, at: datetime) -> bool:
    """Opens one order, if it is still due."""
    with transaction.atomic():
        found = _candidates(at).filter(instance_id=instance_id).first()
        instance = Instance.objects.filter(pk=instance_id).first()
        if found is None or instance is None or instance.is_gone or _is_over(found, at):
            return False
        order = open_renewal(instance=instance, at=at, actor=RENEWAL_ACTOR)
        if order.status == PaymentStatus.PENDING:
            letters.renewal_opened(order=order, subscription=found)
    return True


def _is_over(found: Subscription, at: datetime) -> bool:
    """Whether it has ended by the clock, though the job that says so is late."""
    end = found.current_period_end
    if found.trial_end is not None and end <= found.trial_end:
        return end <= at
    now = stage(period_end=end, at=at, silences=grace.silences(since=end), ladder=grace.ladder())
    return now.step == Step.SUSPENDED
