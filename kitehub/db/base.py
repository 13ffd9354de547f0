"""The abstract models the apps build on."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib.postgres.functions import RandomUUID
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.sql.subqueries import UpdateQuery
from django.utils.translation import gettext_lazy as _

from kitehub.db.fields import ReadBackCharField, ReadBackDateTimeField
from kitehub.db.functions import Now

# What the triggers may make of a row, beside what the writer said.
KEPT = ("version", "updated_at", "updated_by", "deleted", "deleted_at")


class StaleRow(Exception):
    """A save of a row that somebody else changed or removed since it was read; nothing was written.

    `row` is the object whose save was refused, as the caller left it.
    """

    def __init__(self, row: "Record") -> None:
        what = f"{row._meta.label} {row.pk}"
        super().__init__(f"{what} was changed or removed since version {row.version} was read")
        self.row = row


class Identified(models.Model):
    """A row with a UUID key, made by Python for the ORM and by the database for everybody else."""

    id = models.UUIDField(
        _("ID"), primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )

    class Meta:
        abstract = True


class Record(Identified):
    """A row with the plan's audit columns: who and when, version, soft deletion.

    `objects`, declared by each model from its own queryset, hides deleted rows; `all_objects` does
    not. The database keeps `version`, `updated_at` and `deleted_at`, whoever writes; `save()` of a
    row that has moved on raises StaleRow and writes nothing.

    `delete()`, here and on querysets, marks rows as deleted and can be undone by `restore()`; to
    lose a row for good takes `hard_delete()`. Rows that refer to a deleted one stay as they are.

    After a rollback read the row again: as with every value that a save filled in, the object keeps
    the version that the row never got, and its next save would be a stale one.
    """

    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=Now(), editable=False)
    created_by = ReadBackCharField(
        _("created by"), max_length=100, null=True, blank=True, editable=False
    )
    updated_by = ReadBackCharField(
        _("updated by"), max_length=100, null=True, blank=True, editable=False
    )
    version = models.BigIntegerField(_("version"), db_default=0, editable=False)
    deleted = models.BooleanField(_("deleted"), db_default=False, editable=False)
    deleted_at = ReadBackDateTimeField(_("deleted at"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        """Marks the row as deleted; returns, as Django does, how many rows that changed.

        Raises StaleRow if the row has moved on since it was read.
        """
        return self._mark(deleted=True, using=using)

    def restore(self, using: str | None = None) -> tuple[int, dict[str, int]]:
        """Takes the mark of deletion off; returns and raises what `delete()` does."""
        return self._mark(deleted=False, using=using)

    def hard_delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        """Loses the row for good; ProtectedError where an audit trail refers to it."""
        return super().delete(using=using, keep_parents=keep_parents)

    # No template may call these.
    delete.alters_data = True  # type: ignore[attr-defined]
    restore.alters_data = True  # type: ignore[attr-defined]
    hard_delete.alters_data = True  # type: ignore[attr-defined]

    def _mark(self, *, deleted: bool, using: str | None) -> tuple[int, dict[str, int]]:
        if self.deleted == deleted:
            return 0, {}
        self.deleted = deleted
        try:
            self.save(using=using, update_fields=["deleted"])
        except BaseException:
            self.deleted = not deleted
            raise
        return 1, {self._meta.label: 1}

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Deleted rows keep their keys, though `objects` doesn't show them: says so by field.

        The error's code is `unique_deleted`, and its params hold the `row` in the way.
        """
        super().validate_unique(exclude)
        # A private method, which the stubs leave out.
        checks: Any = self._get_unique_checks  # type: ignore[attr-defined]
        keys, _dates = checks(exclude=exclude, include_meta_constraints=True)
        errors: dict[str, list[ValidationError]] = {}
        for _owner, names in keys:
            row = self._deleted_twin(names)
            if row is not None:
                where = names[0] if len(names) == 1 else NON_FIELD_ERRORS
                errors.setdefault(where, []).append(_blocked(row, names))
        if errors:
            raise ValidationError(errors)

    def _deleted_twin(self, names: Collection[str]) -> "Record | None":
        """The deleted row with the same values in these fields."""
        fields: list[Any] = [self._meta.get_field(name) for name in names]
        values = {field.attname: getattr(self, field.attname) for field in fields}
        if None in values.values() or self._meta.pk in fields:
            return None
        # The manager that hides nothing.
        twins = type(self)._base_manager.filter(deleted=True, **values)
        return twins.exclude(pk=self.pk).first()

    def _do_update(  # type: ignore[override]  # as Django 5.2 has it; the stubs are of a later one
        self,
        base_qs: Any,
        using: str | None,
        pk_val: Any,
        values: Any,
        update_fields: Any,
        forced_update: bool,
    ) -> bool:
        """Updates only the version that was read, in one statement that returns the new one."""
        if "version" in self.get_deferred_fields():
            raise ValueError(f"{self._meta.label} {pk_val} was read without its version.")
        values = [value for value in values if value[0].name not in {"version", "updated_at"}]
        row = base_qs.filter(pk=pk_val)
        if not values:
            return update_fields is not None or row.exists()
        # What was never read (a fixture that loaddata brings) has no version to compare.
        if not self._state.adding:
            row = row.filter(version=self.version)
        query = row.query.chain(UpdateQuery)
        query.add_update_fields(values)
        sql, params = query.get_compiler(using).as_sql()
        with connections[using or DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(f"{sql} RETURNING {', '.join(KEPT)}", params)
            kept = cursor.fetchone()
        if kept:
            for name, value in zip(KEPT, kept, strict=True):
                setattr(self, name, value)
            return True
        if self._state.adding:
            return False
        # Also where the row is gone: Django would insert it again.
        raise StaleRow(self)


def _blocked(row: Record, names: Collection[str]) -> ValidationError:
    fields: list[Any] = [row._meta.get_field(name) for name in names]
    return ValidationError(
        _("A deleted %(model)s still has this %(field)s. Restore it, or enter another one."),
        code="unique_deleted",
        params={
            "model": row._meta.verbose_name,
            "field": ", ".join(str(field.verbose_name) for field in fields),
            "row": row,
        },
    )
