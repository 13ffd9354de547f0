"""What the querysets and managers of all apps share."""

from typing import Any, Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model, covariant=True)


class RecordQuerySet(models.QuerySet[Row, Row]):
    """Filters that every table of records has; the apps' querysets build on it."""

    def alive(self) -> Self:
        """Rows that are not softly deleted."""
        return self.filter(deleted=False)

    def only(self, *fields: Any) -> Self:
        """Django's, with the version, without which a row can't be saved."""
        return super().only(*fields, "version")

    def defer(self, *fields: Any) -> Self:
        """Django's, but for the version."""
        return super().defer(*(field for field in fields if field != "version"))

    def newest_first(self) -> Self:
        """By creation, newest first, on the plan's `created_at DESC` indexes."""
        return self.order_by("-created_at")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Marks the rows as deleted, in one UPDATE; returns how many that changed.

        Django's own deletes for good, which is rarely meant and never undone: `hard_delete()`.
        """
        return self._counted(self.filter(deleted=False).update(deleted=True))

    def restore(self) -> tuple[int, dict[str, int]]:
        """Takes the mark of deletion off; `all_objects` is where such rows are found."""
        return self._counted(self.filter(deleted=True).update(deleted=False))

    def hard_delete(self) -> tuple[int, dict[str, int]]:
        """Loses the rows for good; ProtectedError where an audit trail refers to them."""
        return super().delete()

    def _counted(self, rows: int) -> tuple[int, dict[str, int]]:
        return rows, {self.model._meta.label: rows} if rows else {}

    # As Django has it for delete(): not on managers, where it would mean every row, nor for
    # templates.
    delete.alters_data = restore.alters_data = hard_delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = restore.queryset_only = hard_delete.queryset_only = True  # type: ignore[attr-defined]


class AliveManager(models.Manager[Row]):
    """Leaves softly deleted rows out; `AliveManager.from_queryset(SomeQuerySet)()` in a model."""

    def get_queryset(self) -> models.QuerySet[Row]:
        """The model's queryset without deleted rows."""
        return super().get_queryset().filter(deleted=False)
