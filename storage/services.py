"""Every write about stored bytes.

An upload goes `reserve`, then the transfer, then `commit` or `release`. `record` is for what has
happened anyway. The database's triggers keep the sums and the limit, whoever writes; what is here
turns their refusals into exceptions and takes what has expired into account.

Whoever needs a reservation's row and the instance's usage row locks them in this order; with a
usage row locked, a reservation that is locked by another is skipped. So nobody waits in a circle.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import IntegrityError, connections, router, transaction
from django.utils import timezone

from kitehub.models import Instance, InstanceGate
from kitehub.tenancy import POOL, alias_of, use
from storage.enums import ReservationStatus, StorageOperation
from storage.models import UNLIMITED, Reservation, StorageEvent, StorageUsage

logger = logging.getLogger(__name__)

DEFAULT_TTL = timedelta(hours=1)
# For how long a settled reservation still says what became of it.
KEPT = timedelta(days=7)
BATCH = 1000

# One statement, so one snapshot: an event and what it did to the sum are seen both or neither.
_DRIFTS = """
SELECT instance_id, COALESCE(used_bytes, 0), COALESCE(events.total, 0)::bigint,
    COALESCE(reserved_bytes, 0), COALESCE(reservations.total, 0)::bigint
FROM (SELECT * FROM storage_usage
    WHERE %(instance)s::uuid IS NULL OR instance_id = %(instance)s) AS usage
FULL JOIN (SELECT instance_id,
        SUM(CASE operation WHEN 'DELETE' THEN -file_size_bytes ELSE file_size_bytes END) AS total
    FROM storage_events WHERE %(instance)s::uuid IS NULL OR instance_id = %(instance)s
    GROUP BY instance_id) AS events USING (instance_id)
FULL JOIN (SELECT instance_id, SUM(size_bytes) AS total
    FROM storage_reservations
    WHERE status = 'OPEN' AND (%(instance)s::uuid IS NULL OR instance_id = %(instance)s)
    GROUP BY instance_id) AS reservations USING (instance_id)
WHERE COALESCE(used_bytes, 0) <> COALESCE(events.total, 0)
    OR COALESCE(reserved_bytes, 0) <> COALESCE(reservations.total, 0)
ORDER BY instance_id
"""


class QuotaExceeded(Exception):
    """There is no room for so many bytes. All numbers are bytes, as they were at that moment."""

    def __init__(self, *, used: int, reserved: int, limit: int, size: int) -> None:
        super().__init__(
            f"No room for {size} bytes: {used} used and {reserved} reserved of {limit}"
        )
        self.used = used
        self.reserved = reserved
        self.limit = limit
        self.size = size


class ReservationSettled(Exception):
    """The reservation has come to another end already."""

    def __init__(self, reservation_id: UUID, ending: str) -> None:
        super().__init__(f"Reservation {reservation_id} is {ending} already")
        self.reservation_id = reservation_id
        self.ending = ending


@dataclass(frozen=True, slots=True)
class Purge:
    """How many reservations expired, and how many settled ones were forgotten."""

    expired: int
    forgotten: int


class Incomplete(Exception):
    """What is `done` was done everywhere but in the databases of some instances."""

    def __init__(self, done: Purge, failed: list[UUID]) -> None:
        named = ", ".join(map(str, failed[:3])) + ", …" * (len(failed) > 3)
        super().__init__(f"The databases of {len(failed)} instances failed: {named}")
        self.done = done


@dataclass(frozen=True, slots=True)
class Drift:
    """An instance whose sums are not those of its rows. Bytes."""

    instance_id: UUID
    used: int
    """What `used_bytes` says."""
    events: int
    """What the events add up to; below 0 if more was deleted than ever uploaded."""
    reserved: int
    """What `reserved_bytes` says."""
    open: int
    """What the open reservations add up to."""

    @property
    def true_used(self) -> int:
        """What `used_bytes` should say."""
        return max(self.events, 0)

    def __str__(self) -> str:
        parts = []
        if self.used != self.true_used:
            parts.append(f"used {self.used} -> {self.true_used} ({self.true_used - self.used:+})")
        if self.events < 0:
            parts.append(f"more deleted than uploaded, by {-self.events}")
        if self.reserved != self.open:
            parts.append(f"reserved {self.reserved} -> {self.open} ({self.open - self.reserved:+})")
        return ", ".join(parts)


def record(
    *,
    instance_id: UUID,
    operation: StorageOperation,
    size: int,
    file_name: str,
    file_url: str,
    file_type: str,
    event_id: UUID | None = None,
) -> StorageEvent:
    """Writes down an upload or a deletion that has happened: always counted, never refused.

    Given an `event_id` of the caller's, repeating the call counts once: so after a lost answer.
    Deleting more than is counted leaves 0 used and an adjustment in the trail that says so. Raises
    ValueError for a size below 0, another operation, and an id that is another event's.
    """
    _check_size(size)
    if operation not in (StorageOperation.UPLOAD, StorageOperation.DELETE):
        raise ValueError("Only uploads and deletions are recorded; reconcile adjusts.")
    said = {
        "instance_id": instance_id,
        "operation": operation,
        "file_size_bytes": size,
        "file_name": file_name,
        "file_url": file_url,
        "file_type": file_type,
    }
    if event_id is None:
        return StorageEvent.objects.create(**said)
    StorageEvent.objects.bulk_create([StorageEvent(id=event_id, **said)], ignore_conflicts=True)
    event = StorageEvent.objects.filter(pk=event_id, **said).first()
    if event is None:
        raise ValueError(f"{event_id} is the id of another event.")
    return event


def reserve(
    *,
    instance_id: UUID,
    size: int,
    at: datetime | None = None,
    ttl: timedelta = DEFAULT_TTL,
) -> Reservation:
    """Sets `size` bytes aside for an upload: up to the limit, and not one byte over it.

    Holds for `ttl`; after that others may have the room. Raises QuotaExceeded, and ValueError for
    a size below 0 or a ttl that isn't positive.
    """
    _check_size(size)
    if ttl <= timedelta(0):
        raise ValueError("A reservation lasts for some time.")
    at = at or timezone.now()
    reservation = Reservation(
        instance_id=instance_id, size_bytes=size, created_at=at, expires_at=at + ttl
    )
    with _transaction():
        _admit(reservation, at=at, force_insert=True)
    return reservation


def commit(
    *,
    reservation_id: UUID,
    file_name: str,
    file_url: str,
    file_type: str,
    size: int | None = None,
    at: datetime | None = None,
) -> StorageEvent:
    """Turns a reservation into the event of its upload, and returns that event.

    `size` is what was stored, if it isn't what was reserved. To commit again, after an answer that
    was lost, gives the same event. A reservation that has expired is admitted anew in the same
    step, as are bytes beyond the reserved ones.

    Raises QuotaExceeded where there is no room for these (the reservation then is as it was),
    ReservationSettled if it was released or is another file's, Reservation.DoesNotExist, and
    ValueError for a size below 0.
    """
    _check_size(size or 0)
    at = at or timezone.now()
    with _transaction():
        # The event has the reservation's id: there can't be two, and it outlives the reservation.
        reservation = Reservation.objects.select_for_update().filter(pk=reservation_id).first()
        if reservation is None or reservation.status == ReservationStatus.COMMITTED:
            return _committed(reservation_id, file_url)
        if reservation.status == ReservationStatus.RELEASED:
            raise ReservationSettled(reservation_id, "released")
        stored = reservation.size_bytes if size is None else size
        if reservation.status == ReservationStatus.EXPIRED or stored > reservation.size_bytes:
            reservation.size_bytes = stored
            reservation.status = ReservationStatus.OPEN
            reservation.settled_at = None
            _admit(reservation, at=at, update_fields=["size_bytes", "status", "settled_at"])
        event = StorageEvent.objects.create(
            id=reservation.pk,
            instance_id=reservation.instance_id,
            operation=StorageOperation.UPLOAD,
            file_size_bytes=stored,
            file_name=file_name,
            file_url=file_url,
            file_type=file_type,
        )
        _settle(reservation, ReservationStatus.COMMITTED, at=at)
    return event


def release(*, reservation_id: UUID, at: datetime | None = None) -> None:
    """Gives the room back, because the upload failed or was given up; to do it twice is no error.

    Raises ReservationSettled if the upload was committed, and Reservation.DoesNotExist.
    """
    with _transaction():
        reservation = Reservation.objects.select_for_update().get(pk=reservation_id)
        if reservation.status == ReservationStatus.COMMITTED:
            raise ReservationSettled(reservation_id, "committed")
        if reservation.status == ReservationStatus.OPEN:
            _settle(reservation, ReservationStatus.RELEASED, at=at or timezone.now())


def expire_reservations(*, at: datetime | None = None, keep: timedelta = KEPT) -> Purge:
    """Gives back the room of all overdue reservations, and forgets those settled `keep` ago.

    In transactions of at most 1,000 rows. Instances whose writes are refused are passed over.
    Uploads don't wait for this: who finds no room expires what is overdue itself.
    """
    at = at or timezone.now()
    expired = forgotten = 0
    overdue = Reservation.objects.overdue(at=at).writable()
    for instance_id in overdue.values_list("instance_id", flat=True).distinct():
        while count := _expire(instance_id, at=at, most=BATCH):
            expired += count
    settled = Reservation.objects.settled_before(at - keep).writable()
    while batch := list(settled.values_list("pk", flat=True)[:BATCH]):
        forgotten += settled.filter(pk__in=batch).delete()[0]
    return Purge(expired=expired, forgotten=forgotten)


def expire_everywhere(*, at: datetime | None = None, keep: timedelta = KEPT) -> Purge:
    """Does `expire_reservations` in the pool and in every silo.

    A silo that fails keeps no other; Incomplete is raised at the end.
    """
    found = [expire_reservations(at=at, keep=keep)]
    failed = []
    for instance in Instance.objects.order_by("pk").iterator():
        try:
            if alias_of(instance) != POOL:
                with use(instance):
                    found.append(expire_reservations(at=at, keep=keep))
        except Exception:
            logger.exception("Reservations of instance %s did not expire", instance.pk)
            failed.append(instance.pk)
    done = Purge(sum(each.expired for each in found), sum(each.forgotten for each in found))
    if failed:
        raise Incomplete(done, failed)
    return done


def drifts(*, instance_id: UUID | None = None) -> list[Drift]:
    """Compares every instance's sums, or one's, with the rows behind them, and changes nothing.

    All at one moment, also while others write. Reads every event.
    """
    with connections[router.db_for_read(StorageUsage)].cursor() as cursor:
        cursor.execute(_DRIFTS, {"instance": instance_id})
        return [Drift(*row) for row in cursor.fetchall()]


def reconcile(*, instance_id: UUID | None = None) -> list[Drift]:
    """Puts the sums right that `drifts` finds, and returns what each was.

    An adjustment in the trail does it, so nothing moves `used_bytes` but an event. While an
    instance is put right its uploads wait; between two instances nobody does.
    """
    wrong = [drift.instance_id for drift in drifts(instance_id=instance_id)]
    if instance_id is None:
        # While writes are refused nobody can put anything right.
        closed = InstanceGate.objects.using(router.db_for_read(StorageUsage)).refusing()
        refused = set(closed.values_list("instance_id", flat=True))
        wrong = [each for each in wrong if each not in refused]
    found = map(_put_right, wrong)
    return [drift for drift in found if drift is not None]


# --- Parts --------------------------------------------------------------------------------------


def _check_size(size: int) -> None:
    if not 0 <= size <= UNLIMITED:
        raise ValueError("A size is 0 bytes or more, and fits into 63 bits.")


def _transaction() -> Any:
    return transaction.atomic(using=router.db_for_write(StorageUsage))


def _admit(reservation: Reservation, *, at: datetime, **how: Any) -> None:
    """Saves a reservation that takes room, if need be the room of those that are overdue."""
    try:
        with _quota(), _transaction():
            reservation.save(**how)
    except QuotaExceeded:
        # Look again even if nothing expired: another may have given room back meanwhile. The usage
        # row is locked from here on, so the second answer is true when it is given.
        _expire(reservation.instance_id, at=at)
        with _quota(), _transaction():
            reservation.save(**how)


@contextmanager
def _quota() -> Iterator[None]:
    """Turns the database's refusal into QuotaExceeded."""
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and cause.diag.constraint_name == "storage_quota":
            raise QuotaExceeded(**json.loads(cause.diag.message_detail or "")) from error
        raise


def _expire(instance_id: UUID, *, at: datetime, most: int | None = None) -> int:
    """Expires an instance's overdue reservations, and leaves its usage row locked."""
    with _transaction():
        _lock_usage(instance_id)
        overdue = Reservation.objects.of_instance(instance_id).overdue(at=at)
        free = overdue.select_for_update(skip_locked=True).values_list("pk", flat=True)[:most]
        return Reservation.objects.filter(pk__in=list(free)).update(
            status=ReservationStatus.EXPIRED, settled_at=at
        )


def _lock_usage(instance_id: UUID) -> None:
    list(StorageUsage.objects.select_for_update().filter(instance_id=instance_id))


def _put_right(instance_id: UUID) -> Drift | None:
    """Puts one instance's sums right; None if they are by now.

    With the usage row locked, every event that is counted there is committed, and so seen by the
    statement that follows; every other one waits and is counted afterwards.
    """
    with _transaction():
        StorageUsage.objects.bulk_create(
            [StorageUsage(instance_id=instance_id, limit_bytes=0)], ignore_conflicts=True
        )
        _lock_usage(instance_id)
        found = drifts(instance_id=instance_id)
        if not found:
            return None
        drift = found[0]
        StorageUsage.objects.filter(instance_id=instance_id).update(reserved_bytes=drift.open)
        never_counted = drift.true_used - drift.events
        StorageEvent.objects.create(
            instance_id=instance_id,
            operation=StorageOperation.ADJUST,
            file_size_bytes=never_counted,
            correction_bytes=drift.true_used - drift.used - never_counted,
            reason=f"Reconciled: {drift}",
        )
    return drift


def _settle(reservation: Reservation, status: ReservationStatus, *, at: datetime) -> None:
    reservation.status = status
    reservation.settled_at = at
    reservation.save(update_fields=["status", "settled_at"])


def _committed(reservation_id: UUID, file_url: str) -> StorageEvent:
    event = StorageEvent.objects.filter(pk=reservation_id).first()
    if event is None:
        raise Reservation.DoesNotExist(f"No reservation {reservation_id}")
    if event.file_url != file_url:
        raise ReservationSettled(reservation_id, f"committed as {event.file_url}")
    return event
