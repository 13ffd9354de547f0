"""Background jobs and files. A new task, and the first file, fail here until they are tried."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import FileField
from procrastinate.contrib.django import app

from kitehub import tenancy
from kitehub.api import api
from kitehub.models import Instance, InstanceConfig
from tests.kitehub.isolation.conftest import TENANTS, Pair

# How a task that works for one instance is told of it. Duties over all instances, which no instance
# can start, have no argument but the moment.
TASK_PROBES: dict[str, dict[str, Any]] = {
    "kitehub.tasks.apply_tier": {"actor": "lan", "reason": "bought"},
}
# Long work that staff ask for; it may end with the instance somewhere else, or hidden.
WORK_PROBES: dict[str, dict[str, Any]] = {
    "kitehub.tasks.move_instance": {"to": "pool", "actor": "lan", "reason": "small"},
    "kitehub.tasks.abort_move": {"actor": "lan", "reason": "not now"},
    "kitehub.tasks.finish_opening": {"actor": "lan", "reason": "the disk was full"},
    "kitehub.tasks.purge_moves": {"actor": "lan", "reason": "done"},
    "kitehub.tasks.close_instance": {
        "days": 30,
        "actor": "lan",
        "reason": "asked for it",
        "asked_at": "2026-07-01T00:00:00+00:00",
    },
}
DUTIES = {
    "billing.tasks.expire_orders",
    "billing.tasks.advance_subscriptions",
    "billing.tasks.renew_subscriptions",
    "billing.tasks.send_reminders",
    "billing.tasks.fold_figures",
    "billing.tasks.settle_waiting",
    "billing.tasks.watch_feeds",
    "kitehub.jobs.tasks.forget_finished",
    "kitehub.jobs.tasks.requeue_stalled",
    "kitehub.tasks.clear_sessions",
    "kitehub.tasks.forget_emails",
    "kitehub.tasks.forget_security_events",
    "kitehub.tasks.watch_instances",
    "storage.tasks.expire_reservations",
}
# Tasks about platform tables alone, by what they take: no tenant's table is read or written.
PLATFORM_TASKS = {
    "billing.tasks.book_planned": {"plan_id"},
    "billing.tasks.settle_transfer": {"transfer_id"},
    "kitehub.tasks.send_email": {"email_id"},
}
# Storages by their alias in STORAGES, with the tests that try to get at another instance's files.
# The default is Django's, and nothing is kept in it; the static files are everybody's.
FILE_PROBES: dict[str, str] = {"default": "nothing is kept there", "staticfiles": "everybody's"}


def _tasks() -> dict[str, Any]:
    """Our tasks by name; what procrastinate brings itself knows nothing of instances."""
    return {name: task for name, task in app.tasks.items() if "builtin" not in name}


def test_every_task_has_its_probe() -> None:
    assert set(_tasks()) == {*TASK_PROBES, *WORK_PROBES, *DUTIES, *PLATFORM_TASKS}
    takes = {name: {"timestamp"} for name in DUTIES} | PLATFORM_TASKS
    takes |= {name: {"instance_id", *said} for name, said in (TASK_PROBES | WORK_PROBES).items()}
    for name, task in _tasks().items():
        assert set(inspect.signature(task.func).parameters) == takes[name]


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["pool", "shared_silo"])
@pytest.mark.parametrize("name", TASK_PROBES)
def test_a_task_of_one_instance_leaves_the_others_rows_alone(
    request: pytest.FixtureRequest, name: str, place: str
) -> None:
    pair: Pair = request.getfixturevalue(place)
    rows = [pair.row(model, pair.theirs) for model in TENANTS]
    before = [pair.stored(row) for row in rows]
    Instance.objects.update(tier="PREMIUM")
    _tasks()[name].func(instance_id=str(pair.ours.pk), **TASK_PROBES[name])
    assert [pair.stored(row) for row in rows] == before
    with tenancy.use(pair.ours):
        assert InstanceConfig.objects.get().tier == "PREMIUM"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["pool", "shared_silo"])
@pytest.mark.parametrize("name", WORK_PROBES)
def test_work_on_one_instance_leaves_the_others_rows_alone(
    request: pytest.FixtureRequest, name: str, place: str, tmp_path: Path, settings: Any
) -> None:
    settings.KITEHUB_ARCHIVES = str(tmp_path)
    pair: Pair = request.getfixturevalue(place)
    rows = [pair.row(model, pair.theirs) for model in TENANTS]
    before = [pair.stored(row) for row in rows]
    _tasks()[name].func(instance_id=str(pair.ours.pk), **WORK_PROBES[name])
    assert [pair.stored(row) for row in rows] == before
    assert not Instance.objects.get(pk=pair.theirs.pk).deleted


def test_every_storage_of_files_has_its_probe_and_no_column_leads_to_one() -> None:
    assert set(settings.STORAGES) == set(FILE_PROBES)
    assert [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, FileField)
    ] == []
    assert settings.MEDIA_URL in {"", "/"}, "files that are served need a probe"


def test_no_operation_of_the_api_takes_or_gives_a_file() -> None:
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            for operation in view.operations:
                kinds = {model.__ninja_param_source__ for model in operation.models}
                assert "file" not in kinds, operation.path


def test_there_are_tenants_tables_to_be_tried() -> None:
    assert len(TENANTS) >= 6
