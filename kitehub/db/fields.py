"""Model fields for what PostgreSQL has and Django has no field for."""

import copy
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ForwardOneToOneDescriptor,
)
from django.db.models.sql.compiler import SQLCompiler


class EnumField(models.CharField):  # type: ignore[type-arg]
    """A column of a native PostgreSQL enum, written and read as its TextChoices.

    An unknown label in a filter matches no row, as it would in a text column, where PostgreSQL
    itself would raise. Writes are cast to the enum, so bulk_create, bulk_update and update() take
    values, text columns and Case/When alike. Order is the order of the labels.

    Text functions do not exist for enums: put `Cast(field, TextField())` around the column in
    Lower, Length, Concat, Coalesce(…, ""), and where a text column is compared *to* the enum
    (`filter(tier=Cast("status", TextField()))`). A Case that mixes Value and F needs an
    `output_field`.
    """

    def __init__(
        self,
        *args: Any,
        enum_type: str,
        enum: type[models.TextChoices] | None = None,
        **kwargs: Any,
    ) -> None:
        self.enum_type = enum_type
        self.enum = enum
        if enum is not None:
            kwargs["choices"] = enum.choices
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Leaves the labels out: the enum type's SQL file is where a migration declares them."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        kwargs["enum_type"] = self.enum_type
        return name, path, args, kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The enum's own type name."""
        return self.enum_type

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """A cast, because psycopg sends text and PostgreSQL casts text to an enum only if asked.

        Having a placeholder also keeps Django from inserting through `UNNEST(…::varchar[])`.
        """
        return f"CAST(%s AS {self.enum_type})"

    def knows(self, label: Any) -> bool:
        """Whether `label` is one of the enum's; always true in a historical model."""
        return self.enum is None or label in self.enum.values


class _EnumLookup(lookups.FieldGetDbPrepValueMixin, lookups.BuiltinLookup):  # type: ignore[type-arg]
    """A comparison that treats an unknown label as equal to nothing, and text as text."""

    def get_prep_lookup(self) -> Any:
        if isinstance(self.rhs, models.Value):
            self.rhs = self.rhs.value
        return super().get_prep_lookup()

    def process_lhs(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, lhs: Any = None
    ) -> Any:
        sql, params = super().process_lhs(compiler, connection, lhs)
        other = getattr(self.rhs, "output_field", None)
        if not self.rhs_is_direct_value() and not isinstance(other, EnumField):
            sql = f"({sql})::text"
        return sql, params

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        if self.rhs_is_direct_value():
            self._drop_unknown()
        return super().as_sql(compiler, connection)

    def _drop_unknown(self) -> None:
        if not self.lhs.output_field.knows(self.rhs):
            raise EmptyResultSet


@EnumField.register_lookup
class EnumExact(_EnumLookup, lookups.Exact):
    """Equality."""


@EnumField.register_lookup
class EnumGreaterThan(_EnumLookup, lookups.GreaterThan):
    """Later among the labels."""


@EnumField.register_lookup
class EnumGreaterThanOrEqual(_EnumLookup, lookups.GreaterThanOrEqual):
    """The same or later among the labels."""


@EnumField.register_lookup
class EnumLessThan(_EnumLookup, lookups.LessThan):
    """Earlier among the labels."""


@EnumField.register_lookup
class EnumLessThanOrEqual(_EnumLookup, lookups.LessThanOrEqual):
    """The same or earlier among the labels."""


@EnumField.register_lookup
class EnumIn(_EnumLookup, lookups.In):
    """Membership; unknown labels are dropped from the list."""

    def _drop_unknown(self) -> None:
        knows = self.lhs.output_field.knows
        self.rhs = [label for label in self.rhs if hasattr(label, "as_sql") or knows(label)]
        if not self.rhs:
            raise EmptyResultSet


@EnumField.register_lookup
class EnumRange(_EnumLookup, lookups.Range):
    """Between two labels, both included."""

    def _drop_unknown(self) -> None:
        if not all(map(self.lhs.output_field.knows, self.rhs)):
            raise EmptyResultSet


class _NullSafe:
    """Reads a reference whose row is gone as None."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        try:
            return super().__get__(instance, cls)  # type: ignore[misc]
        except self.field.remote_field.model.DoesNotExist:
            return None


class _NullSafeManyToOne(_NullSafe, ForwardManyToOneDescriptor):  # type: ignore[type-arg]
    """The forward side of a LooseForeignKey."""


class _NullSafeOneToOne(_NullSafe, ForwardOneToOneDescriptor):  # type: ignore[type-arg]
    """The forward side of a LooseOneToOneField."""


class _Loose(models.ForeignKey):  # type: ignore[type-arg]
    """What LooseForeignKey and LooseOneToOneField share."""

    def __init__(self, to: Any, on_delete: Any = models.DO_NOTHING, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs["db_index"] = False
        super().__init__(to, on_delete, **kwargs)

    def get_path_info(self, filtered_relation: Any = None) -> Any:
        """Joins as a nullable field does: Django reads the nullability of the path's field."""
        outer = copy.copy(self)
        outer.null = True
        return [
            path._replace(join_field=outer) for path in super().get_path_info(filtered_relation)
        ]


class LooseForeignKey(_Loose):
    """A reference by id that the schema does not enforce: no constraint, no index of its own.

    The plan relates its platform tables by bare UUID columns, so the row referred to may be gone.
    Joins are therefore outer joins (an inner one would drop the referring row from every list) and
    a dangling reference reads as None, while the column itself may well be NOT NULL.
    """

    forward_related_accessor_class = _NullSafeManyToOne


class LooseOneToOneField(_Loose, models.OneToOneField):  # type: ignore[type-arg]
    """A LooseForeignKey with at most one row a target.

    The column is UNIQUE in the table's definition, so PostgreSQL names the constraint
    `<table>_<column>_key` as it does for the plan.
    """

    forward_related_accessor_class = _NullSafeOneToOne


class PlainTimestampField(models.DateTimeField):  # type: ignore[type-arg]
    """The plan's `TIMESTAMP` without time zone, for the migrations V1 to V8 alone.

    With USE_TZ a read-then-save through it shifts the value by the zone's offset, so no model uses
    it: V9 turns every such column into `timestamptz`.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """PostgreSQL's type without zone."""
        return "timestamp"


class EmailLoginField(models.EmailField):  # type: ignore[type-arg]
    """An e-mail address that is one login however it is typed: kept and looked up in lower case."""

    def get_prep_value(self, value: Any) -> Any:
        """The address in lower case, without blanks around it."""
        value = super().get_prep_value(value)
        return value.strip().lower() if isinstance(value, str) else value
