"""Tier changes at once, and jobs that run late: the school's database ends at the last tier."""

import threading
from collections.abc import Iterator

import pytest
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from kitehub import tenancy, workflows
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.jobs import services as queue
from kitehub.models import Instance, InstanceConfig
from kitehub.workflows import tiers
from tests.concurrency.threads import PATIENCE, Background, together
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.kitehub.jobs.working import run_due, states, working

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school() -> Instance:
    school = InstanceFactory()
    InstanceConfigFactory(instance_id=school.id)
    return school


def change(school: Instance, tier: Tier) -> None:
    workflows.change_tier(instance=school, tier=tier, actor="lan", reason="")


def apply(school: Instance) -> str | None:
    return workflows.apply_tier(instance_id=school.pk, actor="lan", reason="")


def told() -> str:
    return InstanceConfig.objects.get().tier


def test_of_changes_at_once_the_last_one_wins(school: Instance) -> None:
    tiers = [Tier.PREMIUM, Tier.STANDARD, Tier.BASIC, Tier.PREMIUM, Tier.STANDARD]
    assert together(*(lambda tier=tier: change(school, tier) for tier in tiers)) == [None] * 5
    run_due()
    assert states() == ["succeeded"] * 5
    assert told() == Instance.objects.get().tier


class _Paused:
    """`_tell_tier`, which the first call enters and doesn't leave before it is let go."""

    def __init__(self, write: object) -> None:
        self._write = write
        self.entered, self.let_go = threading.Event(), threading.Event()

    def __call__(self, instance: Instance) -> None:
        if not self.entered.is_set():
            self.entered.set()
            assert self.let_go.wait(PATIENCE)
        self._write(instance)  # type: ignore[operator]


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Paused]:
    pause = _Paused(tiers._tell_tier)
    monkeypatch.setattr(tiers, "_tell_tier", pause)
    yield pause
    pause.let_go.set()


def test_a_job_that_read_the_old_tier_and_writes_last_looks_again(
    school: Instance, paused: _Paused
) -> None:
    late = Background(lambda: apply(school))
    assert paused.entered.wait(PATIENCE)
    change(school, Tier.PREMIUM)
    assert apply(school) == "PREMIUM", "as a second worker may, once the first was given up"
    paused.let_go.set()
    assert late.join() == "PREMIUM"
    assert told() == "PREMIUM"


def test_control_one_that_writes_once_undoes_the_change(school: Instance, paused: _Paused) -> None:
    def apply_once() -> None:
        instance = Instance.objects.get(pk=school.pk)
        with tenancy.use(instance), tenancy.atomic() as alias, acting("lan", using=alias):
            tiers._tell_tier(instance)

    late = Background(apply_once)
    assert paused.entered.wait(PATIENCE)
    change(school, Tier.PREMIUM)
    assert apply(school) == "PREMIUM"
    paused.let_go.set()
    assert late.join() is None
    assert told() == "BASIC"


def test_a_change_while_the_job_of_the_last_one_runs_is_applied(
    school: Instance, paused: _Paused
) -> None:
    change(school, Tier.STANDARD)
    with working(concurrency=2):
        assert paused.entered.wait(PATIENCE)
        change(school, Tier.PREMIUM)
        assert states() == ["doing", "todo"], "one after another, though there is room for two"
        paused.let_go.set()
    run_due()
    assert states() == ["succeeded", "succeeded"]
    assert told() == "PREMIUM"


def _change_while_a_job_waits(school: Instance) -> None:
    """The job that waits runs after the change was written and before it is committed."""
    queue.enqueue("kitehub.tasks.apply_tier", instance_id=str(school.pk), actor="lan", reason="")
    with transaction.atomic():
        change(school, Tier.PREMIUM)
        run_due()
        assert told() == "BASIC"
    run_due()


def test_a_job_that_runs_just_before_the_commit_loses_nothing(school: Instance) -> None:
    _change_while_a_job_waits(school)
    assert told() == "PREMIUM"


def test_control_with_a_queueing_lock_the_change_is_lost(
    school: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    naive = queue.enqueue

    def enqueue(name: str, **arguments: object) -> int:
        monkeypatch.setattr(app.tasks[name], "queueing_lock", "one tier job at a time")
        try:
            return naive(name, **arguments)  # type: ignore[arg-type]
        except AlreadyEnqueued:
            return 0

    monkeypatch.setattr(tiers, "enqueue", enqueue)
    monkeypatch.setattr(queue, "enqueue", enqueue)
    _change_while_a_job_waits(school)
    assert Instance.objects.get().tier == "PREMIUM"
    assert told() == "BASIC", "lost"
