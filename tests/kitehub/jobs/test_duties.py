"""Periodic duties: each is a task and a command, and one that fails somewhere goes on elsewhere."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command, get_commands
from django.utils import timezone
from procrastinate.contrib.django import app

from billing import tasks as billing
from billing.models import PaymentOrder
from kitehub import tasks as platform
from kitehub import tenancy
from kitehub.models import Email, Instance
from storage import services, tasks
from storage.models import Reservation, StorageUsage
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory
from tests.migrations.commands import ROOT

# The task of each duty, and the command for cron.
DUTIES = {
    "kitehub.jobs.tasks.requeue_stalled": "requeue_stalled_jobs",
    "kitehub.jobs.tasks.forget_finished": "forget_finished_jobs",
    "billing.tasks.expire_orders": "expire_orders",
    "billing.tasks.settle_waiting": "settle_transfers",
    "billing.tasks.watch_feeds": "watch_feeds",
    "billing.tasks.advance_subscriptions": "advance_subscriptions",
    "billing.tasks.renew_subscriptions": "renew_subscriptions",
    "billing.tasks.send_reminders": "send_reminders",
    "billing.tasks.fold_figures": "fold_figures",
    "kitehub.tasks.watch_instances": "watch_instances",
    "kitehub.tasks.forget_emails": "forget_emails",
    "kitehub.tasks.clear_sessions": "clearsessions",
    "kitehub.tasks.forget_security_events": "forget_security_events",
    "storage.tasks.expire_reservations": "expire_reservations",
}
LATER = timedelta(hours=2)


def test_every_duty_has_its_command_and_its_line_in_the_docs() -> None:
    registered = {name for name, _ in app.periodic_registry.periodic_tasks}
    docs = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert registered == set(DUTIES)
    for name, command in DUTIES.items():
        assert app.tasks[name].queueing_lock == name, "late ones don't pile up"
        assert command in get_commands()
        assert f"`manage.py {command}`" in docs


@pytest.mark.django_db(transaction=True)
def test_overdue_orders_expire() -> None:
    order = PaymentOrderFactory(expires_at=timezone.now() - timedelta(seconds=1))
    billing.expire_orders(timestamp=0)
    assert PaymentOrder.objects.get(pk=order.pk).status == "EXPIRED"


def reserve(school: Instance) -> None:
    with tenancy.use(school):
        StorageUsage.objects.create(instance_id=school.pk, limit_bytes=100)
        services.reserve(instance_id=school.pk, size=60, at=timezone.now() - LATER)


def held(school: Instance) -> list[str]:
    with tenancy.use(school):
        return list(Reservation.objects.values_list("status", flat=True))


def test_reservations_expire_in_the_pool_and_in_silos(silo: Instance) -> None:
    pooled = InstanceFactory()
    reserve(silo)
    reserve(pooled)
    tasks.expire_reservations(timestamp=0)
    assert held(silo) == held(pooled) == ["EXPIRED"]


def test_a_silo_that_is_away_keeps_no_other_from_its_turn(
    silo: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    reserve(silo)
    away = InstanceFactory(database_url="postgres:///kitehub_nowhere", database_username="")
    with pytest.raises(CommandError, match=f"The databases of 1 instances failed: {away.pk}"):
        call_command("expire_reservations")
    assert capsys.readouterr().out == "Expired: 1. Forgotten: 0.\n"
    assert held(silo) == ["EXPIRED"]


@pytest.mark.django_db
def test_mail_is_forgotten_in_time_and_sessions_when_they_are_over() -> None:
    now = timezone.now()

    def message(days: int, **said: Any) -> str:
        queued = now - timedelta(days=days)
        made = Email.objects.create(
            recipient="lan@example.vn", reason=f"test:{days}:{said}", queued_at=queued, **said
        )
        return made.reason

    message(181, state="SENT", sent_at=now - timedelta(days=180, hours=1))
    message(366, state="FAILED")
    kept = {
        message(181, state="SENT", sent_at=now - timedelta(days=179)),
        message(181, state="FAILED"),
        message(1, state="QUEUED"),
    }
    platform.forget_emails(timestamp=0)
    assert set(Email.objects.values_list("reason", flat=True)) == kept
    for key, hours in (("over", -1), ("going on", 1)):
        Session.objects.create(session_key=key, expire_date=now + timedelta(hours=hours))
    platform.clear_sessions(timestamp=0)
    assert [session.session_key for session in Session.objects.all()] == ["going on"]


@pytest.mark.django_db
def test_commands_say_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("requeue_stalled_jobs")
    call_command("forget_finished_jobs")
    call_command("forget_emails")
    assert capsys.readouterr().out == "Taken up again: 0.\nForgotten: 0.\nForgotten: 0.\n"
