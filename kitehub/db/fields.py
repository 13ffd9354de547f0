"""Model fields for what PostgreSQL has and Django has no field for."""

import copy
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups
from django.db.models.expressions import ExpressionList
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ForwardOneToOneDescriptor,
)
from django.db.models.sql.compiler import SQLCompiler


class EnumField(models.CharField):  # type: ignore[type-arg]
    """A column of a native PostgreSQL enum, written and read as its TextChoices.

    An unknown label in a filter matches no row, as it would in a text column, where PostgreSQL
    itself would raise. Writes are cast to the enum, so bulk_create, bulk_update and update() take
    values, text columns and Case/When alike. Order is the order of the labels, but against a text
    expression it is the alphabet's.

    Text functions do not exist for enums: put `Cast(field, TextField())` around the column in
    Lower, Length, Concat, ArrayAgg, Coalesce(…, Value("")), union() with text, and where a text
    column is compared *to* the enum (`filter(tier=Cast("status", TextField()))`), also in a
    subquery whose rows are of another enum. A Case that mixes Value and F needs this field as its
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

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The enum here too: a CharField without length would be cast to varchar."""
        return self.enum_type

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """A cast, because psycopg sends text and PostgreSQL casts text to an enum only if asked.

        Having a placeholder also keeps Django from inserting through `UNNEST(…::varchar[])`.
        """
        return f"CAST(%s AS {self.enum_type})"

    def knows(self, label: Any) -> bool:
        """Whether `label` is one of the enum's; always true in a historical model."""
        return self.enum is None or label in self.enum.values


# What matches no row. Not EmptyResultSet, which Django reads as 0 in annotate(x=Q(…)) and which
# empties the whole query from within a FilteredRelation; not FALSE, which may not be ordered by.
_NOWHERE = "1 = 0"


class _EnumLookup(lookups.FieldGetDbPrepValueMixin, lookups.BuiltinLookup):
    """A comparison that treats an unknown label as equal to nothing, and text as text."""

    def get_prep_lookup(self) -> Any:
        if isinstance(self.rhs, models.Value):
            self.rhs = self.rhs.value
        return super().get_prep_lookup()

    def _against(self) -> Any:
        """The field of an expression on the right; the left one's own for plain labels."""
        if self.rhs_is_direct_value():
            return self.lhs.output_field
        return getattr(self.rhs, "output_field", None)

    def process_lhs(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, lhs: Any = None
    ) -> Any:
        sql, params = super().process_lhs(compiler, connection, lhs)
        if getattr(self._against(), "enum_type", None) != self.lhs.output_field.enum_type:
            sql = f"({sql})::text"
        return sql, params

    def process_rhs(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        sql, params = super().process_rhs(compiler, connection)
        other = getattr(self._against(), "enum_type", None)
        if other not in (None, self.lhs.output_field.enum_type):
            sql = f"({sql})::text"
        return sql, params

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        if self.rhs_is_direct_value() and not self.lhs.output_field.knows(self.rhs):
            return _NOWHERE, []
        return super().as_sql(compiler, connection)


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

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """The labels that exist, or a comparison with each item where columns are among them."""
        if isinstance(self.rhs, ExpressionList):
            choices = [EnumExact(self.lhs, item) for item in self.rhs.get_source_expressions()]
            return _joined(" OR ", choices, compiler)
        if not self.rhs_is_direct_value():
            return lookups.In.as_sql(self, compiler, connection)
        lookup = self.copy()
        lookup.rhs = [label for label in self.rhs if self.lhs.output_field.knows(label)]
        if not lookup.rhs:
            return _NOWHERE, []
        return lookups.In.as_sql(lookup, compiler, connection)


@EnumField.register_lookup
class EnumRange(_EnumLookup, lookups.Range):
    """Between two labels, both included."""

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Two comparisons: BETWEEN would need both bounds in one type."""
        bounds = self.rhs
        if isinstance(bounds, ExpressionList):
            bounds = bounds.get_source_expressions()
        first, last = bounds
        ends = [EnumGreaterThanOrEqual(self.lhs, first), EnumLessThanOrEqual(self.lhs, last)]
        return _joined(" AND ", ends, compiler)


def _joined(operator: str, conditions: list[Any], compiler: SQLCompiler) -> tuple[str, list[Any]]:
    """The conditions in one pair of parentheses."""
    parts = [compiler.compile(condition) for condition in conditions]
    sql = operator.join(part for part, _ in parts)
    return f"({sql})", [param for _, params in parts for param in params]


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


class _ReadBack:
    """Read back after an INSERT, because a trigger may have filled it; Django's own to migrations.

    Without it a row that was created and saved again would overwrite the trigger's value with None.
    """

    db_returning = True

    def deconstruct(self) -> Any:
        """Names Django's field: the column is the same."""
        name, _path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        return name, f"django.db.models.{type(self).__mro__[2].__name__}", args, kwargs


class ReadBackCharField(_ReadBack, models.CharField):  # type: ignore[type-arg]
    """Text that the database may fill."""


class ReadBackDateTimeField(_ReadBack, models.DateTimeField):  # type: ignore[type-arg]
    """A moment that the database may fill."""


class ReadBackUUIDField(_ReadBack, models.UUIDField):  # type: ignore[type-arg]
    """A UUID that the database may fill."""
