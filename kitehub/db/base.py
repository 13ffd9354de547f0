"""The abstract models the apps build on."""

import uuid
from typing import Any

from django.contrib.postgres.functions import RandomUUID
from django.db import connections, models
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
    row that has moved on raises StaleRow and writes nothing. `update()` and `bulk_update()` write
    without looking, as a conditional update is meant to.
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

    def _do_update(
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
        with connections[using].cursor() as cursor:
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
