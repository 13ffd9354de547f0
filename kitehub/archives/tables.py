"""Which tables hold an instance's rows, found by the models: a new table is archived by itself.

*Tenant* tables are those of `tenancy.base.Tenant`; *platform* tables are `instances` and all whose
rows refer to it, at once or by way of another such table.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, Model
from psycopg import sql

from kitehub.db.json_lines import Column, Lines
from kitehub.db.secrets import EncryptedField
from kitehub.models import Instance
from kitehub.tenancy.base import Tenant

# A net under EncryptedField and `archive_omits`: what is called so leaves in no archive.
_SECRET = re.compile("password|passwd|secret|token|credential|private_key|key_hash")


class Part(StrEnum):
    """In which database a table is."""

    PLATFORM = "platform"
    TENANT = "tenant"


PLATFORM, TENANT = Part.PLATFORM, Part.TENANT


@dataclass(frozen=True, slots=True)
class Table:
    """A table of which an archive has the rows of one instance.

    `key` is the column that leads to the instance, in `parent` or by its own id.
    """

    model: type[Model]
    part: Part
    key: str
    parent: "Table | None" = None

    @property
    def name(self) -> str:
        """As the database has it."""
        return self.model._meta.db_table

    @property
    def depth(self) -> int:
        """How many tables are between it and the instance."""
        return self.parent.depth + 1 if self.parent else 0

    @property
    def lines(self) -> Lines:
        """All columns that leave the database, in the models' order."""
        return Lines(self.name, tuple(_column(field) for field in _archived(self.model)))

    def rows_of(self, instance_id: UUID) -> sql.Composable:
        """The condition that a row is about the instance."""
        key = sql.Identifier(self.key)
        if self.parent is None:
            return sql.SQL("{} = {}").format(key, sql.Literal(instance_id))
        return sql.SQL("{} IN (SELECT id FROM {} WHERE {})").format(
            key, sql.Identifier(self.parent.name), self.parent.rows_of(instance_id)
        )


@cache
def tables() -> tuple[Table, ...]:
    """Every table that belongs into an archive; those that others refer to come first."""
    models = [model for model in apps.get_models() if getattr(model, "archived", True)]
    tenants = [Table(model, TENANT, "instance_id") for model in models if issubclass(model, Tenant)]
    found: dict[type[Model], Table] = {Instance: Table(Instance, PLATFORM, "id")}
    growing = True
    while growing:
        more = {model: table for model in models if (table := _about(model, found))}
        growing = bool(more)
        found |= more
    return tuple(sorted([*found.values(), *tenants], key=lambda each: (each.depth, each.name)))


def _about(model: type[Model], found: dict[type[Model], Table]) -> Table | None:
    """The platform's table, if it is a new one that refers to one of those found."""
    if model in found or issubclass(model, Tenant):
        return None
    references: list[Any] = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model in found
    ]
    # The nearest to the instance says whose the row is.
    references.sort(key=lambda field: found[field.related_model].depth)
    if not references:
        return None
    target = references[0].related_model
    parent = None if target is Instance else found[target]
    return Table(model, PLATFORM, references[0].column, parent)


def _archived(model: type[Model]) -> list[Any]:
    omitted = getattr(model, "archive_omits", ())
    return [
        field
        for field in model._meta.concrete_fields
        if field.name not in omitted
        and not isinstance(field, EncryptedField)
        and not _SECRET.search(str(field.column))
        and not getattr(field, "generated", False)
    ]


def _column(field: Any) -> Column:
    # As a reference to it would be: a serial's own type is that of its sequence as well.
    return Column(field.column, str(field.rel_db_type(connection) or field.db_type(connection)))
