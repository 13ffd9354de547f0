"""Base class and managers of the tenants' tables.

Within `use` every query sees the instance's rows only and every write is held to it, in the pool as
in a silo that several share. Raw SQL is not: nobody reads it but PostgreSQL.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db import models
from django.db.models.query import QuerySet

from kitehub.db.querysets import AliveManager, Row
from kitehub.tenancy.context import OtherInstance, Scope, check_transaction, current

_KEY = "instance_id"


def _writing() -> Scope | None:
    """The scope of a write; raises AcrossDatabases under a transaction of another database."""
    scope = current()
    if scope is not None:
        check_transaction(scope.alias)
    return scope


def scoped(rows: Any) -> Any:
    """A queryset, held to the instance that code works for and to its database."""
    scope = current()
    return rows if scope is None else rows.using(scope.alias).filter(**{_KEY: scope.instance_id})


class _Writes(QuerySet[Row, Row]):
    """Writes of many rows, each held to the instance."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """Django's; raises OtherInstance for a row of another instance."""
        rows = list(objs)
        for row in rows:
            row.claim()
        return super().bulk_create(rows, *args, **kwargs)

    def update(self, **values: Any) -> int:
        """Django's; raises OtherInstance where rows would be given away."""
        scope = _writing()
        if scope is not None and values.get(_KEY, scope.instance_id) != scope.instance_id:
            raise _foreign(self.model, values[_KEY], scope)
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        """The table's own deletion."""
        _writing()
        return super().delete()

    # As Django has it: not on managers, where it would mean every row, nor for templates.
    delete.alters_data = delete.queryset_only = True  # type: ignore[attr-defined]


@cache
def _held(queryset: type[QuerySet[Any]]) -> type[QuerySet[Any]]:
    """A queryset class, with its writes held to the instance."""
    return type(queryset.__name__, (_Writes, queryset), {"__module__": queryset.__module__})


class TenantManager(models.Manager[Row]):
    """Sees the rows of the instance that code works for; all of the pool's outside `use`."""

    def get_queryset(self) -> QuerySet[Row]:
        """The model's queryset, scoped."""
        rows = super().get_queryset()
        rows.__class__ = _held(type(rows))
        held: QuerySet[Row] = scoped(rows)
        return held


class AliveTenantManager(TenantManager[Row], AliveManager[Row]):
    """Leaves softly deleted rows out as well."""


class Tenant(models.Model):
    """A table that lives in the instance's database; `instance_id` says whose a row is."""

    instance_id: Any

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's, for a row of the instance."""
        self.claim()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """The table's own deletion, for a row of the instance."""
        self.claim()
        return super().delete(*args, **kwargs)

    def claim(self) -> None:
        """Fills in the instance that code works for; raises OtherInstance if it is another's.

        Raises AcrossDatabases where a transaction of the platform couldn't undo the write.
        """
        scope = _writing()
        if scope is None:
            return
        if self.instance_id is None:
            self.instance_id = scope.instance_id
        if str(self.instance_id) != str(scope.instance_id):
            raise _foreign(type(self), self.instance_id, scope)

    def refresh_from_db(
        self, using: Any = None, fields: Any = None, from_queryset: Any = None
    ) -> None:
        """Django's, from the instance's rows."""
        rows = type(self)._base_manager.all() if from_queryset is None else from_queryset
        scope = current()
        super().refresh_from_db(
            using=using or (scope.alias if scope else None),
            fields=fields,
            from_queryset=scoped(rows) if from_queryset is None else rows,
        )

    # As on the models that come after it: no template may call it.
    delete.alters_data = True  # type: ignore[attr-defined]

    def _do_update(  # type: ignore[override]  # as Django 5.2 has it; the stubs are of a later one
        self, base_qs: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """An id that is another instance's row matches nothing."""
        scope = current()
        rows = base_qs if scope is None else base_qs.filter(**{_KEY: scope.instance_id})
        return bool(super()._do_update(rows, *args, **kwargs))


class PerDatabase(models.Model):
    """A table that each database of tenants has for itself: about them, and not their data.

    It is made wherever tenants' tables are; a move and an export leave it where it is.
    """

    class Meta:
        abstract = True


def _foreign(model: type[models.Model], instance_id: Any, scope: Scope) -> OtherInstance:
    return OtherInstance(
        f"A {model._meta.label} of instance {instance_id} can't be written while code works for "
        f"{scope.instance_id}."
    )
