"""Moves in processes that are killed, and writers that go on meanwhile.

A process is forked from one that has neither threads nor connections, so it costs no start of
Django; it ends itself with SIGKILL where it is told to.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

from django.db import Error, connections

from kitehub import tenancy
from kitehub.models import Instance
from kitehub.moving import move, run
from tests.kitehub.moving.schools import upload

PATIENCE = 60.0  # seconds until a test that hangs fails
REFUSE_FOR = timedelta(seconds=2)


@contextmanager
def movers() -> Iterator[Callable[..., int]]:
    """Yields what moves an instance in a process of its own, and returns its wait status.

    Begin it before any thread, and outside every transaction.
    """
    connections.close_all()
    (order_in, order_out), (status_in, status_out) = os.pipe(), os.pipe()
    zygote = os.fork()
    if not zygote:
        os.close(order_out)
        _fork_on_order(os.fdopen(order_in), status_out)
    os.close(order_in)
    os.close(status_out)
    orders, statuses = os.fdopen(order_out, "w"), os.fdopen(status_in)

    def order(instance: Instance, to: str, function: str, after: bool) -> int:
        said = {"instance": str(instance.pk), "to": to, "function": function, "after": after}
        print(json.dumps(said), file=orders, flush=True)
        return int(statuses.readline())

    try:
        yield order
    finally:
        orders.close()
        statuses.close()
        os.waitpid(zygote, 0)


def _fork_on_order(orders: Any, status: int) -> None:
    try:
        for line in orders:
            child = os.fork()
            if not child:
                _move_and_die(**json.loads(line))
            os.write(status, f"{os.waitpid(child, 0)[1]}\n".encode())
    finally:
        os._exit(0)


def _move_and_die(instance: str, to: str, function: str, after: bool) -> None:
    code = 3
    try:
        module_name, name = function.split(".")
        module = import_module(
            f"kitehub.{'tenancy' if module_name == 'gates' else 'moving'}.{module_name}"
        )
        whole = getattr(module, name)

        def dying(*args: Any, **kwargs: Any) -> Any:
            if after:
                whole(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, dying)
        run.SEALED = run.OPENS = timedelta(seconds=2)
        run._SWITCH_WITHIN = timedelta(seconds=20)
        found = Instance.all_objects.get(pk=instance)
        move(instance=found, to=to, actor="ops", refuse_for=REFUSE_FOR)
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.__stderr__)
    finally:
        os._exit(code)


class Writers:
    """Threads that write events for one school, wherever it lives, until they are told to end.

    Each event has an id of its own, by which a new try after a refusal or a lost answer counts
    once. `kept` are the ids that were acknowledged.
    """

    def __init__(self, instance: Instance, count: int = 2) -> None:
        self.kept: list[UUID] = []
        self.refused = 0
        self.errors: list[Exception] = []
        self._instance = instance
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self) -> None:
        """Returns once an event was acknowledged that was begun after the call."""
        before, deadline = len(self.kept) + len(self._threads), time.monotonic() + PATIENCE
        while len(self.kept) <= before:
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, "nobody can write"
            time.sleep(0.01)

    def end(self) -> None:
        """Waits until all have ended."""
        self._ending.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert not self.errors, self.errors

    def _write(self) -> None:
        try:
            while not self._ending.is_set():
                self._write_once(uuid4())
                time.sleep(0.005)
        except Exception as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def _write_once(self, event_id: UUID) -> None:
        while True:
            try:
                # Read anew each time: that is what the refusal asks for.
                with tenancy.use(Instance.objects.get(pk=self._instance.pk)):
                    upload(self._instance.pk, size=1, event_id=event_id)
            except tenancy.WritesRefused as refused:
                if not refused.retry:
                    raise
                self.refused += 1
                time.sleep(0.02)
            except Error:
                time.sleep(0.02)  # the silo was dropped between reading the row and writing
                connections.close_all()
            else:
                self.kept.append(event_id)
                return
