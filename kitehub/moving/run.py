"""A move's steps, in order. Each may be repeated, so what was killed is finished by the next run.

    plan      the row in instance_moves: from where, to where
    prepare   the target is made, or found to be fit, and its gate closed
    copy      writes are watched from here on; all rows are copied as they were at one moment
    hand over writes are refused; what was written meanwhile is copied; all rows are compared
    switch    one transaction of the platform's: from its commit on the instance lives at the target
    finish    the source's gate stays closed for good, the target's opens

Until the switch the instance works at the source, afterwards at the target. Gates that are closed
for a moment open by themselves, so that no kill leaves an instance without a place: the source's
after `refuse_for`, and once all is compared after SEALED, the target's after OPENS.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as noop

from kitehub import tenancy
from kitehub.db import locks
from kitehub.db.acting import acting
from kitehub.db.gates import GateReason
from kitehub.db.sentences import Sentence
from kitehub.enums import MoveStep
from kitehub.models import Instance, InstanceMove, InstanceSuspension
from kitehub.models.moves import ENDED
from kitehub.moving import copying, places, suspension
from kitehub.moving.places import MoveRefused, Place
from kitehub.tenancy import gates

# For how long writes are refused at most, before the gate opens and the last part begins again.
REFUSE_FOR = timedelta(seconds=60)
# For how long the source stays closed while the switch is committed; that takes milliseconds.
SEALED = timedelta(minutes=5)
# Nobody begins a switch so late that it might end after that.
_SWITCH_WITHIN = SEALED / 2
# After that the target opens, also if whoever switched is dead by then.
OPENS = timedelta(seconds=10)
_ATTEMPTS = 3
# Fewer changes than this are left for the last part.
_FEW = 200
_ROUNDS = 10
_ANOTHER = Sentence(noop("Another command is moving this instance."))

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a move would do. `rows` is how many there are by table."""

    source: Place
    target: Place
    rows: dict[str, int]


def plan(*, instance: Instance, to: str, admin_url: str = "") -> Plan:
    """What `move` would do, having done nothing of it."""
    source = places.now_of(instance)
    found = open_move(instance.pk)
    target = places.target_of(found) if found else places.named(instance, to, admin_url=admin_url)
    return Plan(source, target, copying.counts(source.alias, instance.pk))


def open_move(instance_id: UUID) -> InstanceMove | None:
    """The move of an instance that isn't over."""
    found: InstanceMove | None = (
        InstanceMove.objects.filter(instance_id=instance_id).exclude(step__in=ENDED).first()
    )
    return found


def move(
    *,
    instance: Instance,
    to: str,
    actor: str,
    admin_url: str = "",
    refuse_for: timedelta = REFUSE_FOR,
    tell: Tell = lambda line: None,
) -> InstanceMove | None:
    """Moves an instance's rows to the pool, a silo or the database with an address.

    Goes on with a move that was cut short. None if the instance lives there already. The source
    keeps its rows until `purge`. Raises MoveRefused, WritersAtWork or copying.Different with the
    instance working where it was, unless the switch was made: then the next run finishes.
    """
    with alone(instance.pk):
        found = open_move(instance.pk) or _plan(instance, to, admin_url, actor)
        if found is None:
            return None
        _check_same(found, instance, to, admin_url)
        if found.step == MoveStep.PLANNED:
            tell(f"Preparing {places.target_of(found)}.")
            _prepare(found, admin_url)
        if found.step == MoveStep.PREPARED:
            tell("Copying.")
            _copy(found)
        if found.step == MoveStep.COPIED:
            tell("Handing over: writes are refused from now on.")
            _switch(found, _hand_over(found, refuse_for, tell), actor)
        _finish(found)
    return found


@contextmanager
def alone(instance_id: UUID) -> Iterator[None]:
    """Keeps others from moving the same instance; raises MoveRefused while another one does."""
    with locks.held(connections[tenancy.POOL], f"move {instance_id}") as taken:
        if not taken:
            raise MoveRefused(_ANOTHER)
        yield


# --- Steps --------------------------------------------------------------------------------------


def _plan(instance: Instance, to: str, admin_url: str, actor: str) -> InstanceMove | None:
    source = places.now_of(instance)
    target = places.named(instance, to, admin_url=admin_url)
    if target.alias == source.alias or _same_database(source, target):
        return None
    try:
        planned: InstanceMove = InstanceMove.objects.create(
            instance=instance,
            source_url=source.database_url,
            source_username=source.database_username,
            source_password=source.database_password,
            target_url=target.database_url,
            target_username=target.database_username,
            target_password=target.database_password,
            makes_target=target.makes,
            created_by=actor,
        )
    except IntegrityError as error:
        raise MoveRefused(_ANOTHER) from error
    planned.refresh_from_db()
    return planned


def _prepare(found: InstanceMove, admin_url: str) -> None:
    """Nothing of the instance may be at the target, and nothing may come there by mistake."""
    source, target = places.source_of(found), places.target_of(found)
    places.make(target, admin_url=admin_url)
    places.check_schema(source)
    places.check_schema(target)
    there = sum(copying.counts(target.alias, found.instance_id).values())
    if there:
        raise MoveRefused(
            Sentence(
                noop(
                    "%(target)s has %(rows)s rows of this instance. If they are what an earlier "
                    "move left there, remove them with --purge; and end this move with --abort "
                    "first."
                ),
                target=target,
                rows=there,
            )
        )
    gates.close(target.alias, found.instance_id, GateReason.MOVING)
    _keep(found, step=MoveStep.PREPARED)


def _copy(found: InstanceMove) -> None:
    """Once nobody is left who wrote unwatched, all that a snapshot lacks is in the log."""
    source, target = places.source_of(found).alias, places.target_of(found).alias
    copying.forget_changes(source, found.instance_id)
    gates.close(source, found.instance_id, GateReason.WATCHED)
    gates.wait_for_writers(source)
    rows = copying.copy_all(source, target, found.instance_id)
    _keep(found, step=MoveStep.COPIED, row_counts=rows)


def _hand_over(found: InstanceMove, refuse_for: timedelta, tell: Tell) -> float:
    """Ends with the same rows on both sides and the source closed; returns when that began."""
    source, target = places.source_of(found).alias, places.target_of(found).alias
    for _ in range(_ATTEMPTS):
        for _ in range(_ROUNDS):
            if copying.copy_changes(source, target, found.instance_id, whole=False) < _FEW:
                break
        began = time.monotonic()
        try:
            gates.close(source, found.instance_id, GateReason.MOVING, lasts=refuse_for)
            gates.wait_for_writers(source)
            while copying.copy_changes(source, target, found.instance_id, whole=False):
                pass
            copying.copy_changes(source, target, found.instance_id, whole=True)
            rows = copying.compare(source, target, found.instance_id)
        except BaseException:
            _open_again(source, found.instance_id)
            raise
        if gates.extend(source, found.instance_id, lasts=SEALED):
            _keep(found, row_counts=rows)
            return began
        tell(f"This took longer than {refuse_for.total_seconds():g} s, so writes were let in.")
    _open_again(source, found.instance_id)
    raise MoveRefused(
        Sentence(
            noop(
                "The last part does not fit into %(seconds)s s. Nothing was switched; run this "
                "again with a longer --refuse-for, or when there is less to do."
            ),
            seconds=f"{refuse_for.total_seconds():g}",
        )
    )


def _switch(found: InstanceMove, began: float, actor: str) -> None:
    """Changes the placement, if it is still what it was when the move began."""
    source, target = places.source_of(found), places.target_of(found)
    if _suspended(found.instance_id):
        gates.close(target.alias, found.instance_id, GateReason.SUSPENDED)
    gates.reopen(target.alias, found.instance_id, GateReason.MOVED)
    gates.close(target.alias, found.instance_id, GateReason.MOVING, lasts=OPENS)
    try:
        with transaction.atomic(), acting(actor, f"moved to {target}"):
            with connections[tenancy.POOL].cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
            changed = Instance.all_objects.filter(
                pk=found.instance_id, database_url=source.database_url
            ).update(
                database_url=target.database_url,
                database_username=target.database_username,
                database_password=target.database_password,
            )
            if not changed:
                raise MoveRefused(
                    Sentence(noop("Somebody else changed where this instance lives meanwhile."))
                )
            if source.alias == tenancy.POOL:
                gates.close(source.alias, found.instance_id, GateReason.MOVED)
            _keep(found, step=MoveStep.SWITCHED, refused_ms=_milliseconds(began))
            if time.monotonic() - began > _SWITCH_WITHIN.total_seconds():
                raise MoveRefused(Sentence(noop("The switch came too late; run this again.")))
    except BaseException:
        # Where the connection was lost the commit may be under way still: it holds the row's lock.
        with transaction.atomic():
            found = InstanceMove.objects.select_for_update().get(pk=found.pk)
        if found.step != MoveStep.SWITCHED:
            _open_again(source.alias, found.instance_id)
        raise


def _finish(found: InstanceMove) -> None:
    """Whoever still has the old placement is refused there; the new place takes writes."""
    source, target = places.source_of(found), places.target_of(found)
    gates.close(source.alias, found.instance_id, GateReason.MOVED)
    gates.reopen(
        source.alias,
        found.instance_id,
        GateReason.MOVING,
        GateReason.WATCHED,
        GateReason.SUSPENDED,
    )
    gates.reopen(target.alias, found.instance_id, GateReason.MOVING, GateReason.MOVED)
    suspension.enforce(found.instance_id)
    _keep(found, step=MoveStep.DONE, ended_at=timezone.now())


# --- Parts --------------------------------------------------------------------------------------


def _check_same(found: InstanceMove, instance: Instance, to: str, admin_url: str) -> None:
    wanted = places.named(instance, to, admin_url=admin_url)
    # A silo of its own is the same whatever server the first run was told.
    same = found.makes_target if to == "silo" else wanted.database_url == found.target_url
    if not same:
        raise MoveRefused(
            Sentence(
                noop(
                    "A move to %(target)s is open. Finish it by giving the same --to again, or end "
                    "it with --abort."
                ),
                target=places.target_of(found),
            )
        )


def _same_database(one: Place, other: Place) -> bool:
    keys = ("HOST", "PORT", "NAME")
    ours, theirs = (connections[place.alias].settings_dict for place in (one, other))
    return all(str(ours.get(key) or "") == str(theirs.get(key) or "") for key in keys)


def _open_again(source: str, instance_id: UUID) -> None:
    gates.reopen(source, instance_id, GateReason.MOVING)


def _suspended(instance_id: UUID) -> bool:
    found = InstanceSuspension.objects.filter(instance_id=instance_id, resumed_at=None)
    return bool(found.exists())


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _keep(found: InstanceMove, **values: Any) -> None:
    for name, value in values.items():
        setattr(found, name, value)
    found.save(update_fields=list(values))
