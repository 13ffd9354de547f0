"""Suspending an instance: its writes are refused, its silo's connections ended; and back."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connections, transaction
from django.utils import timezone

from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.db.gates import GateReason
from kitehub.enums import InstanceStatus
from kitehub.models import Instance, InstanceSuspension
from kitehub.tenancy import gates

_AGAIN = 3
_END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND pid <> pg_backend_pid()"
)

Told = Callable[[Exception | None], None]


class SuspensionRefused(Exception):
    """An instance that can't be suspended or resumed; `status` is the one that it is in."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(f"{instance.subdomain} is {instance.status}")
        self.status = instance.status


def suspend(
    *,
    instance_id: UUID,
    reason: str,
    actor: str,
    at: datetime | None = None,
    told: Told | None = None,
) -> bool:
    """Suspends an instance; says whether that is new. To repeat it makes whole what was cut short.

    The row and the trail are one transaction. Once it is committed the instance's database refuses
    writes and ends the connections of its silo's role; it can still be read. `told` then hears how
    that went, else its errors are raised. Raises SuspensionRefused for a closed or deleted one.
    """
    with transaction.atomic(), acting(actor, reason):
        instance = _locked(instance_id)
        if instance.is_gone:
            raise SuspensionRefused(instance)
        new = _open_suspension(instance_id) is None
        if new:
            InstanceSuspension.objects.create(
                instance=instance,
                status_before=_status_before(instance),
                reason=reason,
                created_by=actor,
                created_at=at or timezone.now(),
            )
        if instance.status != InstanceStatus.SUSPENDED:
            instance.status = InstanceStatus.SUSPENDED
            instance.save(update_fields=["status"])
        transaction.on_commit(partial(_tell, instance_id, told))
    return new


def resume(
    *,
    instance_id: UUID,
    reason: str,
    actor: str,
    at: datetime | None = None,
    told: Told | None = None,
) -> bool:
    """Gives an instance back the state it had before it was suspended; says whether it was.

    Repeating it, and `told`, are as with `suspend`. Raises SuspensionRefused for a deleted one.
    """
    with transaction.atomic(), acting(actor, reason):
        instance = _locked(instance_id)
        if instance.deleted:
            raise SuspensionRefused(instance)
        suspension = _open_suspension(instance_id)
        was = instance.status == InstanceStatus.SUSPENDED
        if was:
            before = suspension.status_before if suspension else _status_before(instance)
            instance.status = before
            instance.save(update_fields=["status"])
        if suspension:
            suspension.resumed_at = at or timezone.now()
            suspension.resumed_by = actor
            suspension.resume_reason = reason
            suspension.save(update_fields=["resumed_at", "resumed_by", "resume_reason"])
        transaction.on_commit(partial(_tell, instance_id, told))
    return was or suspension is not None


def enforce(instance_id: UUID) -> None:
    """Makes the gate where an instance lives agree with the platform's rows; may be repeated.

    Looks again afterwards, because the instance may have moved or been resumed meanwhile.
    """
    for _ in range(_AGAIN):
        place, suspended = _state(instance_id)
        if suspended:
            gates.close(place, instance_id, GateReason.SUSPENDED)
            _end_connections(place, instance_id)
        else:
            gates.reopen(place, instance_id, GateReason.SUSPENDED)
        if _state(instance_id) == (place, suspended):
            return


# --- Parts --------------------------------------------------------------------------------------


def _tell(instance_id: UUID, told: Told | None) -> None:
    try:
        enforce(instance_id)
    except Exception as error:
        if told is None:
            raise
        told(error)
    else:
        if told is not None:
            told(None)


def _locked(instance_id: UUID) -> Instance:
    found: Instance = Instance.all_objects.select_for_update(of=("self",)).get(pk=instance_id)
    return found


def _open_suspension(instance_id: UUID) -> InstanceSuspension | None:
    found: InstanceSuspension | None = InstanceSuspension.objects.filter(
        instance_id=instance_id, resumed_at=None
    ).first()
    return found


def _status_before(instance: Instance) -> str:
    """Of one whose status was written by hand nobody knows what was before: its trial, or open."""
    if instance.status != InstanceStatus.SUSPENDED:
        return str(instance.status)
    ends = instance.trial_expires_at
    on_trial = ends is not None and ends > timezone.now()
    return (InstanceStatus.TRIAL if on_trial else InstanceStatus.ACTIVE).value


def _state(instance_id: UUID) -> tuple[str, bool]:
    instance = Instance.all_objects.get(pk=instance_id)
    return tenancy.alias_of(instance), _open_suspension(instance_id) is not None


def _end_connections(alias: str, instance_id: UUID) -> None:
    """Those of a silo's role; in a database that several share they are the others' as well."""
    if not tenancy.is_silo(alias):
        return
    others = Instance.all_objects.exclude(pk=instance_id).exclude(database_username="")
    if any(tenancy.alias_of(other) == alias for other in others.filter(deleted=False)):
        return
    with connections[alias].cursor() as cursor:
        cursor.execute(_END)
