"""A school's tier is changed: on the platform at once, in its own database by a job."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.services import change_terms
from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.jobs.services import enqueue
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import PLANS
from kitehub.workflows.opening import fill


class InstanceGone(Exception):
    """The instance is deleted."""


def change_tier(
    *, instance: Instance, tier: Tier, actor: str, reason: str, at: datetime | None = None
) -> Instance:
    """Changes what a school has bought, and the price of its subscription.

    The instance, its subscription if there is one, and the job that tells the school's own database
    are one transaction; that database follows as soon as it can be reached. Returns the instance as
    it is now. The same tier again only tells the database again.

    Raises InstanceGone for a deleted instance, and SubscriptionEnded where nothing is paid for at
    the moment `at`.
    """
    plan = PLANS[tier]
    with transaction.atomic(), acting(actor, reason):
        found = Instance.objects.select_for_update(of=("self",)).filter(pk=instance.pk).first()
        if found is None:
            raise InstanceGone(instance.pk)
        change_terms(
            instance_id=found.pk,
            tier=tier,
            monthly_price=plan.monthly_price,
            at=at or timezone.now(),
        )
        if found.tier != tier:
            found.tier = tier
            found.save(update_fields=["tier"])
        enqueue(
            "kitehub.tasks.apply_tier",
            lock=f"tier of {found.pk}",
            instance_id=str(found.pk),
            actor=actor,
            reason=reason,
        )
    return found


def apply_tier(*, instance_id: UUID, actor: str, reason: str) -> str | None:
    """Sets the tier in a school's own database to what the platform says now.

    Returns that tier, None for an instance that is deleted. Late, repeated and out of order, calls
    end right: after each write it looks again, so the last writer has seen the last change.
    Raises whatever keeps the school's database from being reached.
    """
    told: str | None = None
    while True:
        # Not of a transaction: the write below is another database's.
        instance = Instance.objects.filter(pk=instance_id).first()
        if instance is None or instance.tier == told:
            return told if instance else None
        with tenancy.use(instance), tenancy.atomic() as alias, acting(actor, reason, using=alias):
            _tell_tier(instance)
        told = instance.tier


def _tell_tier(instance: Instance) -> None:
    configs = InstanceConfig.all_objects.filter(instance_id=instance.pk)
    if not configs.exists():
        fill(instance)  # of a school that is being opened, or was entered by hand
    configs.exclude(tier=instance.tier).update(tier=instance.tier)
