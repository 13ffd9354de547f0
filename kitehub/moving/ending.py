"""Ending moves: giving one up before its switch, and removing what others left at their source."""

from collections.abc import Callable
from datetime import timedelta

from django.db import Error
from django.utils import timezone
from django.utils.translation import gettext_noop as noop

from kitehub import tenancy
from kitehub.db.gates import GateReason
from kitehub.db.sentences import Sentence
from kitehub.enums import MoveStep
from kitehub.models import Instance, InstanceMove
from kitehub.moving import copying, places
from kitehub.moving.places import MoveRefused, Place
from kitehub.moving.run import alone, open_move
from kitehub.tenancy import gates

Tell = Callable[[str], None]


def abort(
    *, instance: Instance, admin_url: str = "", tell: Tell = lambda line: None
) -> InstanceMove:
    """Gives up a move before its switch: the source works on, the target is as it was before.

    A target that can't be reached is told of and left as it is. Raises MoveRefused where no move
    is open, or where it has switched.
    """
    with alone(instance.pk):
        found = open_move(instance.pk)
        if found is None:
            raise MoveRefused(Sentence(noop("No move of this instance is open.")))
        if found.step == MoveStep.SWITCHED:
            raise MoveRefused(
                Sentence(noop("The instance lives at the target already; finish the move instead."))
            )
        source, target = places.source_of(found), places.target_of(found)
        gates.reopen(source.alias, instance.pk, GateReason.MOVING, GateReason.WATCHED)
        copying.forget_changes(source.alias, instance.pk)
        try:
            _undo(found, target, admin_url)
        except (Error, MoveRefused) as error:
            tell(f"{target} is left as it is: {error}")
        found.step, found.ended_at = MoveStep.ABORTED, timezone.now()
        found.save(update_fields=["step", "ended_at"])
    return found


def purge(
    *, instance: Instance, admin_url: str = "", tell: Tell = lambda line: None
) -> list[InstanceMove]:
    """Removes what an instance's finished moves left at their sources; returns these moves.

    Its rows in the pool, or in a database that others share; of a silo of its own the database and
    the role, on another server only with an administrator's address. Raises MoveRefused while a
    move is open, and where a source has changes that no copy took along.
    """
    with alone(instance.pk):
        if open_move(instance.pk) is not None:
            raise MoveRefused(
                Sentence(noop("A move of this instance isn't finished; its source is needed."))
            )
        done = list(
            InstanceMove.objects.filter(instance_id=instance.pk, step=MoveStep.DONE).order_by(
                "created_at"
            )
        )
        for found in done:
            _remove_source(found, instance, admin_url, tell)
            found.step = MoveStep.PURGED
            found.save(update_fields=["step"])
    return done


# --- Parts --------------------------------------------------------------------------------------


def _undo(found: InstanceMove, target: Place, admin_url: str) -> None:
    if target.makes:
        places.unmake(target, admin_url=admin_url)
        return
    if found.step != MoveStep.PLANNED:
        # Closed by the move, or opened by itself when a switch failed: removing takes it closed.
        gates.close(target.alias, found.instance_id, GateReason.MOVING, lasts=timedelta(hours=1))
        copying.remove(target.alias, found.instance_id)
        gates.reopen(target.alias, found.instance_id, GateReason.MOVING, GateReason.SUSPENDED)


def _remove_source(found: InstanceMove, instance: Instance, admin_url: str, tell: Tell) -> None:
    source = places.source_of(found)
    if source.alias == tenancy.alias_of(instance):
        tell(f"The instance lives in {source} again, which is kept.")
        return
    if places.can_drop(source, admin_url=admin_url):
        if places.exists(source, admin_url=admin_url):
            _check_nothing_late(source)
            places.unmake(source, admin_url=admin_url)
        tell(f"Dropped {source}.")
        return
    _check_nothing_late(source)
    count = copying.remove(source.alias, found.instance_id)
    tell(f"Removed {count} rows from {source}.")


def _check_nothing_late(source: Place) -> None:
    late = copying.late_changes(source.alias, source.id)
    if late:
        raise MoveRefused(
            Sentence(
                noop(
                    "%(source)s has %(late)s changes that came after the switch, by a process that "
                    "knew only the old place (table instance_changes there). Look at them, then "
                    "delete these entries."
                ),
                source=source,
                late=late,
            )
        )
