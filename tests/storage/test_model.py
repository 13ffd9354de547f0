"""Stored bytes against a plain model in Python: whatever is done in whatever order, they agree."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from kitehub.models import InstanceConfig
from kitehub.plans import PLANS
from storage import services
from storage.models import Reservation, StorageUsage
from storage.services import QuotaExceeded, ReservationSettled
from tests.factories.kitehub import InstanceConfigFactory
from tests.storage.ledger import FILE, delete, upload, usage, write

SIZES = st.integers(0, 120)


@dataclass
class Room:
    """What the model knows of a reservation."""

    size: int
    expires: Any
    status: str = "OPEN"


class StorageMachine(RuleBasedStateMachine):
    """One instance, and what it should store."""

    reservations = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.config = InstanceConfigFactory(limitations={"maxStorageBytes": 300})
        self.instance: UUID = self.config.instance_id
        self.now = timezone.now()
        self.limit, self.used = 300, 0
        self.rooms: dict[UUID, Room] = {}

    # --- The model ------------------------------------------------------------------------------

    @property
    def reserved(self) -> int:
        return sum(room.size for room in self.rooms.values() if room.status == "OPEN")

    def fits(self, size: int) -> bool:
        return size <= 0 or size <= self.limit - self.used - self.reserved

    def admits(self, size: int) -> bool:
        """Whether there is room for so much more; what is overdue gives way only then."""
        if self.fits(size):
            return True
        overdue = [
            room
            for room in self.rooms.values()
            if room.status == "OPEN" and room.expires <= self.now
        ]
        for room in overdue:
            room.status = "EXPIRED"
        if self.fits(size):
            return True
        for room in overdue:
            room.status = "OPEN"
        return False

    # --- What may happen ------------------------------------------------------------------------

    @rule(size=SIZES)
    def upload(self, size: int) -> None:
        upload(self.instance, size)
        self.used += size

    @rule(size=SIZES)
    def delete(self, size: int) -> None:
        delete(self.instance, size)
        self.used = max(self.used - size, 0)

    @rule(rows=st.lists(st.tuples(st.sampled_from(["UPLOAD", "DELETE"]), SIZES), min_size=1))
    def write_many(self, rows: list[tuple[str, int]]) -> None:
        write(*[(self.instance, operation, size) for operation, size in rows])
        change = sum(size if operation == "UPLOAD" else -size for operation, size in rows)
        self.used = max(self.used + change, 0)

    @rule(target=reservations, size=SIZES, minutes=st.integers(1, 60))
    def reserve(self, size: int, minutes: int) -> UUID | None:
        ttl = timedelta(minutes=minutes)
        if self.admits(size):
            made = services.reserve(instance_id=self.instance, size=size, at=self.now, ttl=ttl)
            self.rooms[made.pk] = Room(size, self.now + ttl)
            return made.pk
        with pytest.raises(QuotaExceeded) as refused:
            services.reserve(instance_id=self.instance, size=size, at=self.now, ttl=ttl)
        assert (refused.value.used, refused.value.limit) == (self.used, self.limit)
        return None

    @rule(pk=reservations, size=st.none() | SIZES)
    def commit(self, pk: UUID | None, size: int | None) -> None:
        if pk is None:
            return
        room = self.rooms[pk]
        stored = room.size if size is None else size
        call = {"reservation_id": pk, "size": size, "at": self.now, **FILE}
        if room.status == "COMMITTED":
            assert services.commit(**call).pk == pk
            return
        if room.status == "RELEASED":
            with pytest.raises(ReservationSettled):
                services.commit(**call)
            return
        held = room.size if room.status == "OPEN" else 0
        # Where it has to make room it may itself be overdue; that is no reason to refuse it.
        status, room.status = room.status, "MINE"
        self.used += held
        admitted = self.admits(stored - held)
        self.used -= held
        if admitted:
            services.commit(**call)
            self.used += stored
            room.status = "COMMITTED"
        else:
            with pytest.raises(QuotaExceeded):
                services.commit(**call)
            room.status = status

    @rule(pk=reservations)
    def release(self, pk: UUID | None) -> None:
        if pk is None:
            return
        room = self.rooms[pk]
        if room.status == "COMMITTED":
            with pytest.raises(ReservationSettled):
                services.release(reservation_id=pk, at=self.now)
        else:
            services.release(reservation_id=pk, at=self.now)
            room.status = "RELEASED" if room.status == "OPEN" else room.status

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def purge(self) -> None:
        services.expire_reservations(at=self.now)
        for room in self.rooms.values():
            if room.status == "OPEN" and room.expires <= self.now:
                room.status = "EXPIRED"

    @rule(limit=st.integers(0, 500))
    def override_limit(self, limit: int) -> None:
        config = InstanceConfig.objects.filter(pk=self.config.pk)
        config.update(limitations={"maxStorageBytes": limit})
        self.limit = limit

    @rule(tier=st.sampled_from(list(PLANS)))
    def follow_tier(self, tier: str) -> None:
        config = InstanceConfig.objects.filter(pk=self.config.pk)
        config.update(tier=tier, limitations={})
        self.limit = PLANS[tier].storage_bytes

    @rule(used_bytes=SIZES, reserved_bytes=SIZES)
    def tamper_and_reconcile(self, used_bytes: int, reserved_bytes: int) -> None:
        sums = {"used_bytes": used_bytes, "reserved_bytes": reserved_bytes}
        StorageUsage.objects.filter(instance_id=self.instance).update(**sums)
        services.reconcile(instance_id=self.instance)

    # --- What must hold -------------------------------------------------------------------------

    @invariant()
    def sums_agree(self) -> None:
        there = usage(self.instance)
        assert (there.used_bytes, there.reserved_bytes) == (self.used, self.reserved)
        assert there.limit_bytes == self.limit
        assert services.drifts(instance_id=self.instance) == []

    @invariant()
    def reservations_agree(self) -> None:
        found = Reservation.objects.of_instance(self.instance).values_list("pk", "status")
        assert dict(found) == {pk: room.status for pk, room in self.rooms.items()}


@pytest.mark.django_db
def test_stored_bytes_follow_the_model() -> None:
    run_state_machine_as_test(
        StorageMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
