"""A subscription is brought to what its facts say: its periods, its columns, its instance."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import DateTimeField, Func

from billing.enums import PaymentType, SubscriptionStatus
from billing.models import PaymentOrder, Subscription, SubscriptionPeriod
from billing.months import HANOI
from billing.periods import Kind, Payment, Period, paid_through
from billing.services import grace
from billing.services.subscriptions.facts import Known, know
from billing.services.subscriptions.status import status_at, steps_between
from kitehub.db import rows
from kitehub.db.acting import acting
from kitehub.enums import InstanceStatus, Tier
from kitehub.jobs.services import enqueue
from kitehub.models import Instance
from kitehub.plans import PLANS

SETTLEMENT_ACTOR = "settlement"
_WRITTEN = (
    "tier",
    "monthly_price",
    "status",
    "current_period_start",
    "current_period_end",
    "trial_end",
    "canceled_at",
    "pending_tier",
)


class NoSubscription(LookupError):
    """The instance has no subscription."""


def apply_payment(*, order: PaymentOrder, at: datetime, actor: str | None = None) -> Subscription:
    """Brings the subscription that a paid order is for to what it has bought, once.

    To be called in the transaction that made the order PAID; `at` is the clock, the period follows
    from the order's `paid_at`, the bank's time. Without an `actor` it is whoever acts there. An
    instance that never had a subscription gets one. Calling it again changes nothing. Raises
    ValueError for an order that no subscription is for.
    """
    if order.type != PaymentType.SUBSCRIPTION or order.instance_id is None:
        raise ValueError(f"{order.order_id} is no order for a subscription.")
    actor = actor or _actor_now() or SETTLEMENT_ACTOR
    reason = f"Order {order.order_id} is paid"
    with transaction.atomic(savepoint=False), acting(actor, reason, at=at):
        try:
            locked = lock(order.instance_id)
        except NoSubscription:
            _ensure(order.instance_id, order, at)
            locked = lock(order.instance_id)
        return _replay(*locked, at=at, actor=actor, reason=reason)


def rebuild(*, instance_id: UUID, at: datetime, actor: str, reason: str) -> Subscription:
    """Folds all that is known of a subscription anew, and writes what is other than before.

    Voids and adds `subscription_periods`, sets the subscription's dates, state, tier and price,
    brings the instance along and, where the tier changed, enqueues the job that tells its database:
    all in one transaction, the caller's if there is one. Locks the instance, then the subscription.
    Repeated, it writes nothing. Raises NoSubscription.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        return _replay(*lock(instance_id), at=at, actor=actor, reason=reason)


def _replay(
    instance: Instance | None,
    subscription: Subscription,
    *,
    at: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    before = copy(subscription)
    known = know(subscription)
    live = known.live if known.written else _keep_opening(subscription, known, actor)
    _write_periods(subscription, known.periods, live, at=at, actor=actor, reason=reason)
    _set_dates(subscription, known, at=at)
    set_tier(subscription, before, known.periods, live, at=at)
    status = _status(subscription, before, known, at=at)
    save(subscription, before, status, at=at)
    if instance is not None:
        _bring_along(instance, subscription, paid=known.paid)
        if instance.tier != subscription.tier:
            retier(instance, subscription, actor=actor, reason=reason)
    return subscription


def differs_from_facts(subscription: Subscription) -> bool:
    """Whether the periods that are written down aren't those that `rebuild` would leave.

    Where nothing is written down yet, nothing differs. Three queries.
    """
    known = know(subscription)
    wanted = {_of_period(period) for period in known.periods}
    return known.written and {_of_row(row) for row in known.live} != wanted


# --- Rows ---------------------------------------------------------------------------------------


def lock(instance_id: UUID) -> tuple[Instance | None, Subscription]:
    """Locks an instance and its subscription, in this order; raises NoSubscription."""
    instance = _lock_instance(instance_id)
    found = rows.read(Subscription, "WHERE instance_id = %s FOR NO KEY UPDATE", [instance_id])
    if not found:
        raise NoSubscription(instance_id)
    return instance, found[0]


def _lock_instance(instance_id: UUID) -> Instance | None:
    found = rows.read(Instance, "WHERE id = %s FOR NO KEY UPDATE", [instance_id])
    return found[0] if found else None


def _ensure(instance_id: UUID, order: PaymentOrder, at: datetime) -> None:
    """A subscription that has had no time yet, where there is none."""
    _lock_instance(instance_id)
    tier = Tier(order.tier or Tier.BASIC)
    Subscription.all_objects.get_or_create(
        instance_id=instance_id,
        defaults={
            "tier": tier,
            "monthly_price": order.monthly_price or PLANS[tier].monthly_price,
            "status": SubscriptionStatus.EXPIRED,
            "current_period_start": at,
            "current_period_end": at,
        },
    )


def _keep_opening(subscription: Subscription, known: Known, actor: str) -> list[SubscriptionPeriod]:
    """Writes down how a subscription began, before anything else is known of it."""
    opening = known.opening
    if opening is None:
        return []
    return [
        SubscriptionPeriod.objects.create(
            subscription=subscription,
            kind=opening.kind.value,
            tier=opening.tier,
            starts_at=opening.starts_at,
            ends_at=opening.ends_at,
            created_at=_clock(),
            created_by=actor,
        )
    ]


def _clock() -> Func:
    """The database's clock, which goes on within a transaction: rows keep their order."""
    return Func(function="clock_timestamp", output_field=DateTimeField())


_Columns = tuple[str, str, datetime, datetime, UUID | None, UUID | None, str | None]


def _write_periods(
    subscription: Subscription,
    periods: Sequence[Period],
    live: Sequence[SubscriptionPeriod],
    *,
    at: datetime,
    actor: str,
    reason: str,
) -> None:
    """Voids the rows that no period is like any more, and adds those that no row is like yet."""
    there = {_of_row(row): row.pk for row in live}
    wanted = [_of_period(period) for period in periods]
    gone = [pk for columns, pk in there.items() if columns not in wanted]
    if gone:
        SubscriptionPeriod.objects.filter(pk__in=gone).update(
            voided_at=at, voided_by=actor, void_reason=reason
        )
    for columns in wanted:
        if columns in there:
            continue
        kind, tier, starts_at, ends_at, order_id, adjustment_id, gap = columns
        rows.insert(
            SubscriptionPeriod(
                subscription=subscription,
                kind=kind,
                tier=tier,
                starts_at=starts_at,
                ends_at=ends_at,
                order_id=order_id,
                adjustment_id=adjustment_id,
                gap_reason=gap,
                created_at=_clock(),
                created_by=actor,
            )
        )


def _of_row(row: SubscriptionPeriod) -> _Columns:
    span = row.kind, row.tier, row.starts_at, row.ends_at
    return *span, row.order_id, row.adjustment_id, row.gap_reason


def _of_period(period: Period) -> _Columns:
    ordered = period.kind in (Kind.PAID, Kind.UPGRADE)
    order, adjustment = (period.source, None) if ordered else (None, period.source)
    span = period.kind.value, period.tier, period.starts_at, period.ends_at
    return *span, order, adjustment, period.gap_reason.value or None


# --- Columns ------------------------------------------------------------------------------------


def _set_dates(subscription: Subscription, known: Known, *, at: datetime) -> None:
    """The start of the current period, the end of all that is paid, the end of the trial.

    In a gap, and afterwards, the current period is the one before.
    """
    end = paid_through(known.periods)
    if end is None:
        subscription.current_period_end = subscription.current_period_start
        return
    current = _current(known.periods, at)
    subscription.current_period_start = (current or known.periods[0]).starts_at
    subscription.current_period_end = end
    if known.opening and known.opening.kind == Kind.TRIAL:
        tried = [each.ends_at for each in known.periods if each.kind == Kind.TRIAL]
        subscription.trial_end = max(tried, default=end) if known.paid else end


def _current(periods: Sequence[Period], at: datetime) -> Period | None:
    """The period that holds at a moment or, in a gap and afterwards, the one before."""
    begun = [period for period in periods if period.starts_at <= at]
    return begun[-1] if begun else None


def set_tier(
    subscription: Subscription,
    before: Subscription,
    periods: Sequence[Period],
    live: Sequence[SubscriptionPeriod],
    *,
    at: datetime,
) -> None:
    """The tier of the current period, unless staff set another one since that came into force.

    `live` are the rows by which the tier was last set, `before` the subscription as it was then. A
    paid period that begins has its own tier again.
    """
    current = _current(periods, at)
    if current is None:
        return
    since = before.current_period_start
    applied = next((row.tier for row in live if row.starts_at <= since < row.ends_at), None)
    begins = current.kind == Kind.PAID and current.starts_at > since
    if current.tier == applied and not begins:
        return
    if subscription.tier != current.tier:
        subscription.tier = current.tier
        subscription.monthly_price = _price(current)
    if subscription.pending_tier == subscription.tier:
        subscription.pending_tier = None


def _price(current: Period) -> int:
    """What a month of it costs: as agreed on its order, else as the catalogue has it."""
    agreed = None
    if current.kind in (Kind.PAID, Kind.UPGRADE) and current.source is not None:
        orders = PaymentOrder.all_objects.filter(pk=current.source, tier=current.tier)
        agreed = orders.values_list("monthly_price", flat=True).first()
    return agreed or PLANS[Tier(current.tier)].monthly_price


def _status(
    subscription: Subscription, before: Subscription, known: Known, *, at: datetime
) -> SubscriptionStatus:
    """The state, and no cancellation any more where somebody paid after it."""
    status = SubscriptionStatus(before.status)
    since = before.canceled_at
    bought = [fact for fact in known.facts if isinstance(fact, Payment)]
    if status == SubscriptionStatus.CANCELED and since and any(_after(it, since) for it in bought):
        status = SubscriptionStatus.ACTIVE
    if known.paused(at):
        tried = status == SubscriptionStatus.TRIAL and not known.paid
        running = status in (SubscriptionStatus.TRIAL, SubscriptionStatus.ACTIVE)
        status = SubscriptionStatus.ACTIVE if running and not tried else status
    else:
        status = status_at(
            status,
            end=subscription.current_period_end,
            tried=not known.paid,
            at=at,
            ladder=grace.ladder(),
            silences=known.silences,
        )
    if status == SubscriptionStatus.ACTIVE:
        subscription.canceled_at = None
    return status


def _after(payment: Payment, moment: datetime) -> bool:
    """Whether somebody paid after a moment.

    A statement that tells the day alone puts a payment at its beginning: then it was on that day,
    if we heard of it after the moment.
    """
    if payment.at >= moment:
        return True
    paid, then = payment.at.astimezone(HANOI), moment.astimezone(HANOI)
    told_later = payment.told_at is not None and payment.told_at >= moment
    return paid.time() == time() and paid.date() == then.date() and told_later


def save(
    subscription: Subscription, before: Subscription, status: SubscriptionStatus, *, at: datetime
) -> None:
    """Writes the row if anything is other than before, by the steps that the lifecycle has."""
    ended = before.current_period_end <= at
    steps = steps_between(SubscriptionStatus(before.status), status, ended=ended)
    for step in steps:
        subscription.status = step
        rows.update(subscription, *_WRITTEN)
    if not steps and any(getattr(subscription, it) != getattr(before, it) for it in _WRITTEN):
        rows.update(subscription, *_WRITTEN)


# --- The instance -------------------------------------------------------------------------------


def _bring_along(instance: Instance, subscription: Subscription, *, paid: bool) -> None:
    """What the instance's own row says of its subscription."""
    said: dict[str, Any] = {
        "subscription_id": subscription.pk,
        "subscription_expires_at": subscription.current_period_end if paid else None,
    }
    if paid and instance.status == InstanceStatus.TRIAL:
        said["status"] = InstanceStatus.ACTIVE
    changed = [name for name, value in said.items() if getattr(instance, name) != value]
    for name in changed:
        setattr(instance, name, said[name])
    if changed:
        rows.update(instance, *changed)


def retier(instance: Instance, subscription: Subscription, *, actor: str, reason: str) -> None:
    """Gives the instance its subscription's tier, and its own database the job that says so."""
    if instance.tier != subscription.tier:
        instance.tier = subscription.tier
        instance.save(update_fields=["tier"])
    if not instance.deleted:
        enqueue(
            "kitehub.tasks.apply_tier",
            lock=f"tier of {instance.pk}",
            instance_id=str(instance.pk),
            actor=actor,
            reason=reason,
        )


def _actor_now() -> str:
    """Who acts in the caller's transaction, as `acting` told the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('kitehub.actor', true)")
        (actor,) = cursor.fetchone()
    return actor or ""
