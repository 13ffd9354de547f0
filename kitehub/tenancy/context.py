"""For which instance code works at the moment: a thread's and a coroutine's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.tenancy.connections import holding, make_room
from kitehub.tenancy.placement import POOL, Placed, alias_of, is_silo


class NoInstance(Exception):
    """A tenant's table was asked for where an instance must be named, and none is."""


class OtherInstance(Exception):
    """A row of one instance was to be written while code works for another."""


class AcrossDatabases(Exception):
    """Rows of two databases in one query or transaction, which neither database can keep."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The instance that code works for, and the connection alias of its database."""

    instance_id: UUID
    alias: str


_scope: ContextVar[Scope | None] = ContextVar("kitehub_tenancy_scope", default=None)
_required: ContextVar[bool] = ContextVar("kitehub_tenancy_required", default=False)


@contextmanager
def use(instance: Placed) -> Iterator[None]:
    """Works for one instance in the block: its rows alone, in the database where they live.

    Blocks nest; the outer instance is back afterwards. Raises BadPlacement where the instance's
    address can't be read. Nothing is connected until the first query.
    """
    alias = alias_of(instance)
    token = _scope.set(Scope(instance.id, alias))
    try:
        if is_silo(alias):
            with holding(alias):
                yield
        else:
            yield
    finally:
        _scope.reset(token)


def admit(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Receiver of `connection_created`: bounds what threads connect to within `use`.

    `holding` does so too, but not for coroutines, whose queries run in other threads.
    """
    scope = _scope.get()
    if scope is not None and scope.alias == connection.alias and is_silo(scope.alias):
        make_room(scope.alias)


@contextmanager
def require() -> Iterator[None]:
    """In the block, tenants' tables can be reached within `use` only; else NoInstance is raised.

    Requests of owners and of instances run in it, so that code which forgot to name the instance
    fails rather than show everybody's rows.
    """
    token = _required.set(True)
    try:
        yield
    finally:
        _required.reset(token)


def current() -> Scope | None:
    """The scope of the innermost `use`, or None; raises NoInstance where one is required."""
    scope = _scope.get()
    if scope is None and _required.get():
        raise NoInstance(
            "This code runs for an owner or an instance and reaches a tenant's table without "
            "tenancy.use(instance)."
        )
    return scope


@contextmanager
def atomic(**options: Any) -> Iterator[str]:
    """A transaction in the database of the instance that code works for; in the pool outside.

    Yields the database's alias, for `acting(…, using=alias)`.
    """
    scope = current()
    alias = scope.alias if scope else POOL
    with transaction.atomic(using=alias, **options):
        yield alias


def check_transaction(alias: str) -> None:
    """Raises AcrossDatabases where a write to a silo would escape a transaction of the platform.

    Whoever opened `transaction.atomic()` expects the write to be undone with it, which a
    transaction of another database cannot do.
    """
    if not is_silo(alias) or connections[alias].in_atomic_block:
        return
    blocks: list[Any] = connections[POOL].atomic_blocks
    # What a test runner wraps around a test is nobody's expectation.
    if any(not getattr(block, "_from_testcase", False) for block in blocks):
        raise AcrossDatabases(
            "This write goes to the instance's own database, and the open transaction is the "
            "platform's, which could not undo it. Write outside of it, or open tenancy.atomic() "
            "for the instance and leave the platform's tables to a job."
        )
