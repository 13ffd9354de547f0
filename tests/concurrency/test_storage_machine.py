"""Stored bytes under batches of anything at once: what was promised to each holds after it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from storage import services
from storage.models import Reservation, StorageEvent, StorageUsage
from storage.services import QuotaExceeded, ReservationSettled
from tests.concurrency.threads import together
from tests.factories.storage import StorageEventFactory
from tests.storage.ledger import FILE, usage, with_room

SIZES = st.integers(1, 60)
Step = tuple[str, int]

STEPS = st.tuples(
    st.sampled_from(["reserve", "reserve", "commit", "release", "expire", "delete"]), SIZES
)


class ParallelStorageMachine(RuleBasedStateMachine):
    """One instance, whose reservations, uploads and deletions come several at once."""

    def __init__(self) -> None:
        super().__init__()
        self.instance = with_room(200)
        self.limit = 200
        self.now = timezone.now()
        self.known: list[UUID] = []
        self.written: set[UUID] = set()
        self.committed: set[UUID] = set()

    def work(self, step: Step) -> Callable[[], Any]:
        """One thread's part of a batch."""
        kind, number = step
        now, instance = self.now, self.instance
        some = self.known[number % len(self.known)] if self.known else uuid4()
        if kind == "reserve":
            ttl = timedelta(minutes=number)
            return lambda: services.reserve(instance_id=instance, size=number, at=now, ttl=ttl)
        if kind == "commit":
            return lambda: services.commit(reservation_id=some, at=now, **FILE)
        if kind == "release":
            return lambda: services.release(reservation_id=some, at=now)
        if kind == "expire":
            return lambda: services.expire_reservations(at=now)
        operation = kind.upper()
        return lambda: StorageEventFactory(
            instance_id=instance, operation=operation, file_size_bytes=number
        )

    def run(self, steps: list[Step]) -> tuple[int, list[QuotaExceeded]]:
        """Runs a batch; returns the bytes that were admitted, and the refusals."""
        admitted, refused = 0, []
        for (kind, _), result in zip(steps, together(*map(self.work, steps)), strict=True):
            if isinstance(result, Reservation):
                self.known.append(result.pk)
                admitted += result.size_bytes
            elif isinstance(result, QuotaExceeded):
                refused.append(result)
            elif isinstance(result, StorageEvent):
                self.written.add(result.pk)
                if kind == "commit":
                    self.committed.add(result.pk)
                    admitted += result.file_size_bytes
            else:
                assert result is None or isinstance(
                    result, services.Purge | ReservationSettled | Reservation.DoesNotExist
                ), result
        return admitted, refused

    def taken(self) -> int:
        there = usage(self.instance)
        return there.used_bytes + there.reserved_bytes

    @rule(steps=st.lists(STEPS, min_size=2, max_size=6))
    def within_the_quota(self, steps: list[Step]) -> None:
        before = self.taken()
        admitted, refused = self.run(steps)
        assert self.taken() <= max(before, self.limit)
        for refusal in refused:
            assert before + admitted + refusal.size > self.limit

    @rule(steps=st.lists(st.tuples(st.just("upload"), SIZES) | STEPS, min_size=2, max_size=6))
    def with_facts(self, steps: list[Step]) -> None:
        uploads = sum(number for kind, number in steps if kind == "upload")
        before = self.taken()
        self.run(steps)
        assert self.taken() <= max(before, self.limit) + uploads

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(limit=st.integers(0, 400))
    def move_the_limit(self, limit: int) -> None:
        StorageUsage.objects.filter(instance_id=self.instance).update(limit_bytes=limit)
        self.limit = limit

    @invariant()
    def sums_are_those_of_the_rows(self) -> None:
        assert usage(self.instance).used_bytes >= 0
        assert services.drifts(instance_id=self.instance) == []

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        events = StorageEvent.objects.of_instance(self.instance).exclude(operation="ADJUST")
        assert set(events.values_list("pk", flat=True)) == self.written
        committed = Reservation.objects.of_instance(self.instance).filter(status="COMMITTED")
        assert set(committed.values_list("pk", flat=True)) == self.committed


@pytest.mark.django_db(transaction=True)
def test_storage_keeps_its_promises_under_threads() -> None:
    run_state_machine_as_test(
        ParallelStorageMachine,
        settings=settings(
            max_examples=6,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
