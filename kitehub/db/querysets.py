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


class AliveManager(models.Manager[Row]):
    """Leaves softly deleted rows out; `AliveManager.from_queryset(SomeQuerySet)()` in a model."""

    def get_queryset(self) -> models.QuerySet[Row]:
        """The model's queryset without deleted rows."""
        return super().get_queryset().filter(deleted=False)
