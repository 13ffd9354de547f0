"""What staff do to a subscription's time: days given, a pause, its end. Each has its reason."""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from billing.enums import AdjustmentKind, SubscriptionStatus
from billing.models import Subscription, SubscriptionAdjustment
from billing.services.subscriptions.facts import know
from billing.services.subscriptions.replay import lock, rebuild
from billing.services.subscriptions.terms import SubscriptionEnded
from kitehub.db.acting import acting

MOST_DAYS = 3660


class CannotPause(Exception):
    """There is nothing to pause, or nothing to resume."""


def extend(
    *,
    instance_id: UUID,
    days: int,
    at: datetime,
    actor: str,
    reason: str,
    key: UUID | None = None,
) -> Subscription:
    """Gives days behind all that is paid or tried; where that is over, from now on.

    Who names the adjustment's `key` can't give them twice. Raises NoSubscription, ValueError for no
    reason or for days that aren't 1 to 3,660, and IntegrityError for a key that is taken.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days: an extension is of 1 to {MOST_DAYS} days.")
    return _adjust(
        instance_id, AdjustmentKind.EXTENSION, at=at, actor=actor, reason=reason, days=days, key=key
    )


def pause(
    *, instance_id: UUID, at: datetime, actor: str, reason: str, until: datetime | None = None
) -> Subscription:
    """Stops a running subscription's time; what is left waits for `unpause`, or for `until`.

    In a pause the instance has no access. Raises NoSubscription, SubscriptionEnded where no time is
    left, CannotPause where it is paused already, and ValueError for no reason
    or for an `until` that isn't later.
    """
    if until is not None and until <= at:
        raise ValueError("until: a pause ends after it begins.")
    with transaction.atomic():
        _instance, found = lock(instance_id)
        rows = SubscriptionAdjustment.objects.filter(subscription=found)
        if rows.pauses(at=at).exists() or rows.open_pauses().exists():
            raise CannotPause("It is paused already.")
        if found.status == SubscriptionStatus.EXPIRED or found.current_period_end <= at:
            raise SubscriptionEnded(instance_id)
        return _adjust(
            instance_id, AdjustmentKind.PAUSE, at=at, actor=actor, reason=reason, ends_at=until
        )


def unpause(*, instance_id: UUID, at: datetime, actor: str, reason: str) -> Subscription:
    """Ends an open pause: what was left when it began goes on from here.

    Raises NoSubscription, CannotPause where no pause is open, and ValueError for no reason.
    """
    _check_reason(reason)
    with transaction.atomic(), acting(actor, reason, at=at):
        _instance, found = lock(instance_id)
        row = SubscriptionAdjustment.objects.open_pauses().filter(subscription=found).first()
        if row is None:
            raise CannotPause("It isn't paused.")
        if at <= row.starts_at:  # of no length, so as if it had never been
            row.voided_at, row.voided_by = at, actor
        else:
            row.ends_at = at
        row.save(update_fields=["ends_at", "voided_at", "voided_by"])
        return rebuild(instance_id=instance_id, at=at, actor=actor, reason=reason)


def _adjust(
    instance_id: UUID,
    kind: AdjustmentKind,
    *,
    at: datetime,
    actor: str,
    reason: str,
    days: int | None = None,
    ends_at: datetime | None = None,
    key: UUID | None = None,
) -> Subscription:
    _check_reason(reason)
    with transaction.atomic(), acting(actor, reason, at=at):
        _instance, found = lock(instance_id)
        if not know(found).written:
            # So that the opening is what it was before.
            rebuild(instance_id=instance_id, at=at, actor=actor, reason=reason)
        SubscriptionAdjustment.objects.create(
            id=key or uuid4(),
            subscription=found,
            kind=kind,
            days=days,
            starts_at=at,
            ends_at=ends_at,
            reason=reason,
            created_by=actor,
        )
        return rebuild(instance_id=instance_id, at=at, actor=actor, reason=reason)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ValueError("reason: a change of a subscription's time needs one.")
