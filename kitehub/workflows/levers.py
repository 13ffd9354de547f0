"""Long work on one school that staff ask for: put into the queue, one thing at a time a school.

A request is checked as far as that takes no other database; what the work itself finds out later
is the job's error. Each task goes on with what a killed worker left.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as noop

from kitehub import tenancy
from kitehub.db.errors import explain
from kitehub.db.sentences import Sentence, sentence_of
from kitehub.enums import MoveStep
from kitehub.jobs.models import Job
from kitehub.jobs.services import enqueue
from kitehub.models import Instance, InstanceMove, Tombstone
from kitehub.moving import MoveRefused, abort, move, places, purge
from kitehub.moving.run import open_move
from kitehub.tenancy.fanout import of_instance
from kitehub.workflows.leaving import cancel_deprovision, deprovision
from kitehub.workflows.opening import provision
from kitehub.workflows.watching import watch_instance

MOVE, ABORT, PURGE, CLOSE, FINISH = (
    f"kitehub.tasks.{name}"
    for name in ("move_instance", "abort_move", "purge_moves", "close_instance", "finish_opening")
)
POOL, SILO = "pool", "silo"
UNDER_WAY = ("todo", "doing")
_NO_FILE = {
    errno.ENOENT: Sentence(noop("it isn't there")),
    errno.ENOTDIR: Sentence(noop("it isn't there")),
    errno.EACCES: Sentence(noop("the worker has no right to it")),
    errno.EPERM: Sentence(noop("the worker has no right to it")),
    errno.EROFS: Sentence(noop("it can only be read")),
    errno.ENOSPC: Sentence(noop("the disk is full")),
    errno.EDQUOT: Sentence(noop("the disk is full")),
}


class LeverRefusal(StrEnum):
    """Why long work on a school isn't begun."""

    BUSY = "BUSY"
    GONE = "GONE"
    NO_SUCH_PLACE = "NO_SUCH_PLACE"
    BAD_ADDRESS = "BAD_ADDRESS"
    THERE_ALREADY = "THERE_ALREADY"
    MOVE_OPEN = "MOVE_OPEN"
    NO_MOVE = "NO_MOVE"
    SWITCHED = "SWITCHED"
    NOTHING_LEFT = "NOTHING_LEFT"
    CLOSED = "CLOSED"
    NOT_CLOSED = "NOT_CLOSED"
    NO_FOLDER = "NO_FOLDER"


class LeverRefused(Exception):
    """Long work that isn't begun; `refusal` says why, `detail` what an engineer would know."""

    def __init__(self, refusal: LeverRefusal, detail: str = "") -> None:
        super().__init__(detail or refusal.value)
        self.refusal = refusal
        self.detail = detail


class NotDone(Exception):
    """Why long work couldn't be done, in a sentence that says what to mend."""


def lock_name(instance_id: UUID) -> str:
    """The jobs of this lock are the long work on one school, one after another."""
    return f"{Job.LOCK_OF_WORK}{instance_id}"


def work_on(instance_id: UUID) -> Any:
    """The jobs of long work on a school, the newest first."""
    jobs = Job.objects.filter(lock=lock_name(instance_id)).select_related("failure")
    return jobs.order_by("-id")


def request_move(*, instance_id: UUID, to: str, actor: str, reason: str) -> int:
    """Asks for a move to the pool, to `silo`, or to `silo:SERVER`; returns the job's id.

    Raises LeverRefused: BUSY while other work goes on, MOVE_OPEN where a move isn't finished, GONE,
    THERE_ALREADY, and with a detail NO_SUCH_PLACE or BAD_ADDRESS.
    """
    with transaction.atomic():
        instance = _alone(instance_id)
        if open_move(instance_id) is not None:
            raise LeverRefused(LeverRefusal.MOVE_OPEN)
        if lives_at(instance, to):
            raise LeverRefused(LeverRefusal.THERE_ALREADY)
        return _enqueue(MOVE, instance, to=to, actor=actor, reason=reason)


def lives_at(instance: Instance, to: str) -> bool:
    """Whether a school lives where a move would take it.

    Raises LeverRefused: NO_SUCH_PLACE, and BAD_ADDRESS where the school's own is none.
    """
    try:
        return tenancy.same_database(places.named(instance, to), instance)
    except MoveRefused as error:
        raise LeverRefused(LeverRefusal.NO_SUCH_PLACE, str(error)) from error
    except tenancy.BadPlacement as error:
        raise LeverRefused(LeverRefusal.BAD_ADDRESS, str(error)) from error


def request_rest_of_move(*, instance_id: UUID, actor: str, reason: str) -> int:
    """Asks to go on with a move that was cut short; raises LeverRefused (BUSY, GONE, NO_MOVE)."""
    with transaction.atomic():
        instance = _alone(instance_id)
        found = open_move(instance_id)
        if found is None:
            raise LeverRefused(LeverRefusal.NO_MOVE)
        return _enqueue(MOVE, instance, to=_to_of(found), actor=actor, reason=reason)


def request_abort(*, instance_id: UUID, actor: str, reason: str) -> int:
    """Asks to give up a move before its switch; raises LeverRefused (BUSY, NO_MOVE, SWITCHED)."""
    with transaction.atomic():
        instance = _alone(instance_id)
        found = open_move(instance_id)
        if found is None:
            raise LeverRefused(LeverRefusal.NO_MOVE)
        if found.step == MoveStep.SWITCHED:
            raise LeverRefused(LeverRefusal.SWITCHED)
        return _enqueue(ABORT, instance, actor=actor, reason=reason)


def request_purge(*, instance_id: UUID, actor: str, reason: str) -> int:
    """Asks to remove what finished moves left at their sources, for good.

    Raises LeverRefused (BUSY, GONE, MOVE_OPEN, NOTHING_LEFT).
    """
    with transaction.atomic():
        instance = _alone(instance_id)
        if open_move(instance_id) is not None:
            raise LeverRefused(LeverRefusal.MOVE_OPEN)
        if not left_by_moves(instance_id).exists():
            raise LeverRefused(LeverRefusal.NOTHING_LEFT)
        return _enqueue(PURGE, instance, actor=actor, reason=reason)


def left_by_moves(instance_id: UUID) -> Any:
    """The finished moves of a school whose source still has its rows."""
    return InstanceMove.objects.filter(instance_id=instance_id, step=MoveStep.DONE)


def request_closing(
    *, instance_id: UUID, grace: timedelta, actor: str, reason: str, at: datetime | None = None
) -> int:
    """Asks to archive and close a school, whose data goes after `grace`, in whole days.

    Raises LeverRefused: BUSY, CLOSED where it is closed already, MOVE_OPEN, and NO_FOLDER where
    KITEHUB_ARCHIVES names none.
    """
    if not settings.KITEHUB_ARCHIVES:
        raise LeverRefused(LeverRefusal.NO_FOLDER)
    with transaction.atomic():
        instance = _alone(instance_id, deleted=True)
        if instance.deleted or Tombstone.objects.filter(instance=instance, canceled_at=None):
            raise LeverRefused(LeverRefusal.CLOSED)
        if open_move(instance_id) is not None:
            raise LeverRefused(LeverRefusal.MOVE_OPEN)
        asked_at = (at or timezone.now()).isoformat()
        return _enqueue(
            CLOSE, instance, days=grace.days, actor=actor, reason=reason, asked_at=asked_at
        )


def request_rest_of_closing(
    *, instance_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> int:
    """Asks to finish a closing that was cut short once the school was hidden; its date stays.

    Of one that was finished it looks whether the archive still has every row, and makes a new one
    if not. Raises LeverRefused: BUSY, GONE, NO_FOLDER, and NOT_CLOSED where nothing is left of it.
    """
    if not settings.KITEHUB_ARCHIVES:
        raise LeverRefused(LeverRefusal.NO_FOLDER)
    with transaction.atomic():
        instance = _alone(instance_id, deleted=True)
        tombstone = Tombstone.objects.filter(instance=instance, canceled_at=None).first()
        if tombstone is None or tombstone.dropped_at is not None:
            raise LeverRefused(LeverRefusal.NOT_CLOSED)
        left = tombstone.deprovision_at - tombstone.requested_at
        asked_at = (at or timezone.now()).isoformat()
        return _enqueue(
            CLOSE, instance, days=left.days, actor=actor, reason=reason, asked_at=asked_at
        )


def reopen(*, instance_id: UUID, actor: str, at: datetime | None = None) -> Tombstone:
    """Opens a closed school again, unless work on it isn't done: that might close it once more.

    Raises LeverRefused (BUSY, GONE) and ClosingError once its data has begun to go.
    """
    with transaction.atomic():
        return cancel_deprovision(_alone(instance_id, deleted=True), actor=actor, at=at)


def request_finishing(*, instance_id: UUID, actor: str, reason: str) -> int:
    """Asks to make whole what a school's row says; raises LeverRefused (BUSY, GONE)."""
    with transaction.atomic():
        return _enqueue(FINISH, _alone(instance_id), actor=actor, reason=reason)


# --- The work -----------------------------------------------------------------------------------


def do_move(*, instance_id: UUID, to: str, actor: str) -> str:
    """Moves a school, or finishes its move; returns the step that it has come to.

    Raises what `moving.move` raises, and NotDone for what an operator can mend, as all of these do.
    """
    with _leaving_no_connection(), _explaining():
        moved = move(instance=Instance.objects.get(pk=instance_id), to=to, actor=actor)
        watch_instance(instance=Instance.objects.get(pk=instance_id))
    return str(moved.step) if moved else "nothing to do"


def do_abort(*, instance_id: UUID) -> str:
    """Gives up a move; one that an earlier run of the job gave up is no error."""
    if open_move(instance_id) is None:
        return "nothing to do"
    with _leaving_no_connection(), _explaining():
        return str(abort(instance=Instance.objects.get(pk=instance_id)).step)


def do_purge(*, instance_id: UUID) -> int:
    """Removes what finished moves left; returns how many moves that were."""
    with _leaving_no_connection(), _explaining():
        return len(purge(instance=Instance.objects.get(pk=instance_id)))


def do_closing(
    *, instance_id: UUID, days: int, actor: str, reason: str, asked_at: datetime
) -> datetime:
    """Archives and closes a school; returns when its data goes.

    Raises what `deprovision` raises: one that was opened again since `asked_at` stays open, however
    late or often the job runs.
    """
    with _explaining():
        tombstone = deprovision(
            Instance.all_objects.get(pk=instance_id),
            archive_to=Path(settings.KITEHUB_ARCHIVES),
            actor=actor,
            reason=reason,
            grace=timedelta(days=days),
            asked_at=asked_at,
        )
    return tombstone.deprovision_at


def do_finishing(*, instance_id: UUID, actor: str) -> str:
    """Makes a school's database whole; its first API key, if it had none, is issued unseen.

    Raises NotDone for what an operator can mend.
    """
    instance = Instance.objects.get(pk=instance_id)
    with _explaining():
        first_key = provision(instance, actor=actor)
    watch_instance(instance=instance)
    return "first key issued" if first_key else "whole"


# --- Parts --------------------------------------------------------------------------------------


@contextmanager
def _leaving_no_connection() -> Iterator[None]:
    """Closes this thread's connections to silos afterwards.

    A move opens them past `tenancy.use`, by which a worker's thread knows what it holds.
    """
    try:
        yield
    finally:
        for connection in connections.all(initialized_only=True):
            if tenancy.is_silo(connection.alias):
                connection.close()


@contextmanager
def _explaining() -> Iterator[None]:
    """Says of what an operator can mend what that is; a bug, and what says it itself, go on."""
    try:
        yield
    except Exception as error:
        if sentence_of(error) is not None:
            raise
        why = _no_file(error) if isinstance(error, OSError) else explain(error)
        if why is None:
            raise
        raise NotDone(of_instance(why)) from error


def _no_file(error: OSError) -> str | None:
    """What is in the way of an archive's file or folder; None of what isn't about one."""
    if error.filename is None and error.errno not in _NO_FILE:
        return None
    return Sentence(
        noop("%(file)s can't be used: %(why)s."),
        file=error.filename or settings.KITEHUB_ARCHIVES,
        why=_NO_FILE.get(error.errno or 0) or error.strerror or str(error),
    )


def _alone(instance_id: UUID, *, deleted: bool = False) -> Instance:
    """The school's row, locked, so that of two requests at once the second sees the first's job."""
    rows = Instance.all_objects.select_for_update(of=("self",), no_key=True)
    instance = rows.filter(pk=instance_id).first()
    if instance is None or (instance.deleted and not deleted):
        raise LeverRefused(LeverRefusal.GONE)
    if work_on(instance_id).filter(status__in=UNDER_WAY).exists():
        raise LeverRefused(LeverRefusal.BUSY)
    found: Instance = instance
    return found


def _enqueue(task: str, instance: Instance, **arguments: Any) -> int:
    return enqueue(task, lock=lock_name(instance.pk), instance_id=str(instance.pk), **arguments)


def _to_of(found: InstanceMove) -> str:
    """What was said to begin a move: the same again goes on with it."""
    target = places.target_of(found)
    if target.alias == tenancy.POOL:
        return POOL
    return SILO if target.makes else target.database_url
