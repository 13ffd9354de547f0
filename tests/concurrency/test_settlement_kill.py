"""Settlements that are killed anywhere leave nothing half-booked, and are done once by the next."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection, connections

from billing.models import BankTransfer, PaymentAllocation, PaymentOrder, Receipt
from billing.services import credit
from billing.services.settlement import settle_transfer, settle_waiting
from kitehub.jobs.services import enqueue
from tests.billing.broken import broken
from tests.billing.paying import written
from tests.billing.settling import NOW, line, school, subscribe
from tests.kitehub.jobs.processes import process, silent_for_long
from tests.kitehub.jobs.working import jobs, states, wait_until, working

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "billing.tasks.settle_transfer"
# Once each of them is done, in the order of a settlement.
KILLS = [
    "billing.services.reading.read",
    "billing.services.settlement.book",
    "billing.services.settlement.keep_as_credit",
    "billing.services.subscriptions.apply_payment",
    "billing.services.settlement._conclude",
    "billing.services.receipts.issue_first",
]


def overpaid() -> tuple[PaymentOrder, BankTransfer]:
    order = subscribe(school())
    return order, line(order.memo, order.amount + 1_000, received_at=NOW)


def booked(order: PaymentOrder) -> tuple[Any, ...]:
    order.refresh_from_db()
    allocations, numbers = PaymentAllocation.objects.count(), Receipt.objects.count()
    kept = credit.balance(instance_id=order.instance_id)
    return order.status, allocations, kept, numbers, len(written(order.instance))


NOTHING = ("PENDING", 0, 0, 0, 0)
ALL = ("PAID", 1, 1_000, 1, 1)


def nobody_is_at_work() -> bool:
    """Whether the server has noticed that its client is dead, and taken its work back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            " AND backend_type = 'client backend'"
        )
        return bool(cursor.fetchone() == (0,))


def killed_after(where: str, work: Callable[[], Any]) -> int:
    """Does the work in a process that kills itself once a function is done; its wait status."""
    connections.close_all()
    if pid := os.fork():
        return os.waitpid(pid, 0)[1]
    # While a browser is open in this process, asgiref keeps two sets of connections for it: what
    # was closed above is of one, and a child, in which no loop runs, would use the other's sockets.
    for each in connections.all(initialized_only=True):
        each.connection = None
    try:
        module, name = where.rsplit(".", 1)
        place = import_module(module)
        was = getattr(place, name)

        def and_die(*args: Any, **said: Any) -> None:
            was(*args, **said)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(place, name, and_die)
        print(where, "was never called:", work(), file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


def test_killed_after_any_step_nothing_is_booked_and_the_duty_does_it() -> None:
    order, told = overpaid()
    for where in KILLS:
        status = killed_after(where, lambda: settle_transfer(transfer_id=told.pk, at=NOW))
        assert status == signal.SIGKILL, where
        wait_until(nobody_is_at_work)
        assert booked(order) == NOTHING, where
        assert BankTransfer.objects.get().state == "RECEIVED"
    assert settle_waiting(at=NOW + timedelta(hours=1)).lines == 1
    assert settle_waiting(at=NOW + timedelta(hours=1)).lines == 0
    assert booked(order) == ALL
    assert Receipt.objects.get().number == 1
    assert broken() == {}


def test_job_of_a_worker_that_was_killed_in_its_middle_is_done_by_the_next_one_once() -> None:
    order, told = overpaid()
    enqueue(TASK, transfer_id=str(told.pk))
    with process("billing.services.receipts.issue_first") as worker:
        worker.process.send_signal(signal.SIGKILL)
        assert worker.end()[0] == -signal.SIGKILL
    assert (states(TASK), booked(order)) == (["doing"], NOTHING)
    silent_for_long()
    with working():
        wait_until(lambda: states(TASK) == ["succeeded"])
    assert jobs(TASK)[0][2] == 2, "attempts"
    assert booked(order) == ALL
    assert BankTransfer.objects.get().state == "MATCHED"
    assert broken() == {}
