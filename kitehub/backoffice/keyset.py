"""Pages by key: a page begins where the last one ended, so that all of them cost the same.

An OFFSET reads all the rows that it leaves out. A cursor names the last row by the columns of the
list's order, and the index of these columns leads to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature, Signer
from django.db.models import BooleanField, F, Func, Model, QuerySet, Value

from kitehub.db.backends.postgresql.moments import Beyond

AFTER, BEFORE = "after", "before"
# The parameters of an address that say which page of a list is meant.
PAGE_PARAMETERS = (AFTER, BEFORE, "p")


@dataclass(frozen=True)
class Order:
    """The order of a list: columns that together are unique, all of them up or all down.

    Only then one comparison of rows says what comes next, and one index gives it either way.
    """

    columns: tuple[str, ...]
    descending: bool = False
    # Whether it is only for a range of its first column, in which there is no NULL.
    ranged: bool = False

    @property
    def names(self) -> list[str]:
        """As `order_by` takes it."""
        return [f"-{column}" if self.descending else column for column in self.columns]

    def turned(self) -> "Order":
        """The same the other way round."""
        return replace(self, descending=not self.descending)

    def cursor(self, row: Model, *, of: str) -> str:
        """Where the row stands, for an address; signed, and good only in the list `of`."""
        values = [_said(getattr(row, column)) for column in self.columns]
        return self._signer(type(row), of).sign_object(values)

    def position(self, model: type[Model], cursor: str, *, of: str) -> list[Any] | None:
        """The values of a cursor; None if it is none, or of another list, order or filter."""
        try:
            said = self._signer(model, of).unsign_object(cursor)
            fields = [model._meta.get_field(column) for column in self.columns]
            values = zip(fields, said, strict=True)
            return [_read(field, value) for field, value in values]
        except (BadSignature, ValueError, TypeError):
            return None

    def _signer(self, model: type[Model], of: str) -> Signer:
        return Signer(salt=f"{__name__} {model._meta.label} {' '.join(self.names)} {of}")

    def beyond(self, rows: QuerySet[Any], values: Sequence[Any]) -> QuerySet[Any]:
        """The rows behind these values."""
        fields = [rows.model._meta.get_field(column) for column in self.columns]
        given = [Value(value, field) for value, field in zip(values, fields, strict=True)]
        return rows.filter(_Behind(*map(F, self.columns), *given, descending=self.descending))


def order_of(model: type[Model], names: Sequence[str], *, ranged: bool = False) -> Order:
    """The order by these columns, as a ModelAdmin's `ordering` names them, and then by the key.

    Raises ImproperlyConfigured for columns that go different ways, and where one may be NULL:
    no comparison says what comes after that.
    """
    opts = model._meta
    ways = {name.startswith("-") for name in names}
    fields: list[Any] = [
        opts.get_field(name.removeprefix("-")) for name in names or ("pk",) if name != "pk"
    ]
    if len(ways) > 1 or any(field.null for field in fields[ranged:]):
        raise ImproperlyConfigured(f"{opts.label} has no pages by {', '.join(names)}.")
    columns = [field.attname for field in fields]
    if not _is_unique(model, columns):
        columns.append(opts.pk.attname)
    return Order(tuple(columns), descending=ways == {True}, ranged=ranged)


def _is_unique(model: type[Model], columns: Sequence[str]) -> bool:
    opts = model._meta
    keys = [[field.attname] for field in opts.concrete_fields if field.unique]
    keys += [
        [opts.get_field(name).attname for name in each.fields]  # type: ignore[union-attr]
        for each in opts.total_unique_constraints
    ]
    return any(set(key) <= set(columns) for key in keys)


def _said(value: Any) -> Any:
    if isinstance(value, Beyond):
        return [value.isoformat(), value.stored]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read(field: Any, said: Any) -> Any:
    if isinstance(said, list):
        return Beyond.of(field.to_python(said[0]), said[1])
    return field.to_python(said)


class _Behind(Func):
    """`(a, b) < (x, y)`: first the columns, then as many values."""

    output_field = BooleanField()

    def __init__(self, *expressions: Any, descending: bool, **extra: Any) -> None:
        super().__init__(*expressions, descending=descending, **extra)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]
        """The comparison, which an index of the columns answers from where it begins."""
        parts, params = [], []
        for each in self.source_expressions:
            sql, its_params = compiler.compile(each)
            parts.append(sql)
            params.extend(its_params)
        half = len(parts) // 2
        sign = "<" if self.extra["descending"] else ">"
        return f"({', '.join(parts[:half])}) {sign} ({', '.join(parts[half:])})", params
