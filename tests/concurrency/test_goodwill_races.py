"""Goodwill at the same moment: it is given once, and one person's day has its limit."""

import threading
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from billing.models import Goodwill
from billing.services import credit, goodwill
from kitehub.db import locks
from kitehub.models import Instance
from tests.concurrency.threads import PATIENCE, together
from tests.factories.billing import GoodwillFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import without_trigger

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


def approve_twice_at_once() -> tuple[list[str], int]:
    row, now = GoodwillFactory(), timezone.now()
    told = together(
        *[
            lambda by=by: goodwill.approve(goodwill_id=row.pk, actor=by, at=now)
            for by in ("minh", "hoa")
        ]
    )
    names = sorted(type(each).__name__ for each in told)
    return names, credit.balance(instance_id=row.instance_id)


def give_twice_at_once(**said: Any) -> tuple[list[Any], int]:
    """One person, two schools; each sum may be given alone, both together may not."""
    schools, now = [InstanceFactory(), InstanceFactory()], timezone.now()
    actor = str(uuid4())  # whose day is new

    def give(school: Instance) -> Goodwill:
        told = {"amount": 60_000, "reason": "x", "actor": actor, "at": now, **said}
        return goodwill.propose_credit(instance_id=school.pk, **told)

    told = together(*[lambda school=school: give(school) for school in schools])
    return told, sum(credit.balance(instance_id=school.pk) for school in schools)


def test_one_of_two_approvals_gives() -> None:
    for _ in range(ROUNDS):
        assert approve_twice_at_once() == (["CannotGive", "Goodwill"], 50_000)


def test_control_without_the_lock_only_the_key_stops_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2)

    def read_by_both(goodwill_id: UUID) -> Goodwill:
        found = Goodwill.objects.get(pk=goodwill_id)
        both.wait(PATIENCE)
        return found

    monkeypatch.setattr(goodwill, "_locked", read_by_both)
    with without_trigger("goodwill_grants", "guard_goodwill_grants_terms"):
        assert approve_twice_at_once() == (["Goodwill", "IntegrityError"], 50_000)


def test_two_gifts_at_once_keep_to_what_one_person_may_give(settings: Any) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 100_000
    for _ in range(ROUNDS):
        told, given = give_twice_at_once()
        assert sorted(each.status for each in told) == ["GIVEN", "PROPOSED"]
        assert given == 60_000


def test_control_without_the_persons_lock_both_are_given(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 100_000
    both, left_alone = threading.Barrier(2), goodwill.left_alone

    def seen_by_both(*, actor: str, at: datetime) -> int:
        left = left_alone(actor=actor, at=at)
        both.wait(PATIENCE)
        return left

    monkeypatch.setattr(goodwill, "left_alone", seen_by_both)
    monkeypatch.setattr(locks, "wait_within", lambda connection, name: None)
    told, given = give_twice_at_once()
    assert [each.status for each in told] == ["GIVEN", "GIVEN"]
    assert given == 120_000


def test_the_same_proposal_sent_twice_at_once_is_made_once(settings: Any) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 1_000_000
    for _ in range(ROUNDS):
        told, given = give_twice_at_once(key=uuid4())
        assert sorted(type(each).__name__ for each in told) == ["CannotGive", "Goodwill"]
        assert given == 60_000
