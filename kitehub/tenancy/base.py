"""Base class and managers of the tenants' tables.

Within `use` every query sees the instance's rows only and every write is held to it, in the pool as
in a silo that several share. Raw SQL is not: nobody reads it but PostgreSQL.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db import models
from django.db.models.query import QuerySet

from kitehub.db.base import Record
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


class _Held(QuerySet[Row, Row]):
    """A queryset that belongs to the `use` that it was made in, with its writes held to it.

    `_scope` is that of the making; a queryset from outside `use`, such as a view's class attribute,
    would show everybody's rows inside.
    """

    _scope: Scope | None = None

    @property
    def query(self) -> Any:
        """Django's, which all that a queryset can do begins with.

        Raises OtherInstance in the block of another `use`.
        """
        self._check_scope()
        return super().query

    @query.setter
    def query(self, value: Any) -> None:
        _set_query(self, value)

    def _clone(self) -> Any:
        clone: Any = super()._clone()  # type: ignore[misc]
        clone._scope = self._scope
        return clone

    def _check_scope(self) -> None:
        scope = current()
        if scope is not None and self._scope != scope:
            made = f"for {self._scope.instance_id}" if self._scope else "outside of any use"
            raise OtherInstance(
                f"This queryset of {self.model._meta.label} was made {made}, and code works for "
                f"{scope.instance_id} now. Make it within the block."
            )

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """Django's; raises OtherInstance for a row of another instance.

        So it does for an upsert whose key another instance's row may have: PostgreSQL would
        overwrite that.
        """
        scope = _writing()
        overwrites = kwargs.get("update_conflicts") or (len(args) > 2 and args[2])
        keys = kwargs.get("unique_fields") or (args[4] if len(args) > 4 else None) or ()
        if scope is not None and overwrites and _KEY not in keys:
            raise OtherInstance(
                f"An upsert of {self.model._meta.label} may overwrite another instance's row: its "
                f"unique_fields leave {_KEY} out."
            )
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

    def hard_delete(self) -> tuple[int, dict[str, int]]:
        """The deletion for good, where the table has softer ones."""
        _writing()
        lose: Any = super().hard_delete  # type: ignore[misc]
        lost: tuple[int, dict[str, int]] = lose()
        return lost

    # As Django has it: not on managers, where it would mean every row, nor for templates.
    delete.alters_data = hard_delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = hard_delete.queryset_only = True  # type: ignore[attr-defined]


_set_query: Any = QuerySet.query.fset  # type: ignore[attr-defined]


@cache
def _held(queryset: type[QuerySet[Any]]) -> type[QuerySet[Any]]:
    """A queryset class, held to the instance."""
    return type(queryset.__name__, (_Held, queryset), {"__module__": queryset.__module__})


class TenantManager(models.Manager[Row]):
    """Sees the rows of the instance that code works for; all of the pool's outside `use`."""

    def get_queryset(self) -> QuerySet[Row]:
        """The model's queryset, scoped."""
        rows = super().get_queryset()
        rows.__class__ = _held(type(rows))
        rows._scope = current()  # type: ignore[attr-defined]
        held: QuerySet[Row] = scoped(rows)
        return held


class AliveTenantManager(TenantManager[Row], AliveManager[Row]):
    """Leaves softly deleted rows out as well."""


class Tenant(models.Model):
    """A table that lives in the instance's database; `instance_id` says whose a row is."""

    instance_id: Any

    objects: Any = TenantManager()

    class Meta:
        abstract = True
        # What Django goes by where code names no manager is to be scoped as well.
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's, for a row of the instance."""
        self.claim()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """The table's own deletion, for a row of the instance; nothing for another's id."""
        self.claim()
        return super().delete(*args, **kwargs) if self.is_reachable() else (0, {})

    def is_reachable(self) -> bool:
        """Whether the row with this key is the instance's: Django deletes by the key alone."""
        return current() is None or type(self)._base_manager.filter(pk=self.pk).exists()

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


class TenantRecord(Tenant, Record):
    """A tenant's table with the plan's audit columns."""

    all_objects: Any = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "all_objects"

    def hard_delete(self, *args: Any, **kwargs: Any) -> Any:
        """The record's, for a row of the instance; nothing for another's id."""
        self.claim()
        return super().hard_delete(*args, **kwargs) if self.is_reachable() else (0, {})

    hard_delete.alters_data = True  # type: ignore[attr-defined]


def _foreign(model: type[models.Model], instance_id: Any, scope: Scope) -> OtherInstance:
    return OtherInstance(
        f"A {model._meta.label} of instance {instance_id} can't be written while code works for "
        f"{scope.instance_id}."
    )
