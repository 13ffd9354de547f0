"""The columns of an export: where each comes from, what stands above it, how values are written."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Expression, F, Func, Model, TextField, Value
from django.db.models.functions import Cast
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kitehub.db.secrets import EncryptedField
from kitehub.models import Instance

# What no file is for: secrets, and bodies that hold whatever somebody sent.
NEVER = (EncryptedField, models.JSONField, models.BinaryField)


class Kind(Enum):
    """What a column's values are once they are read."""

    TEXT = "text"
    NUMBER = "number"
    # A text such as `2026-11-26 09:30:00`: PostgreSQL writes it many times faster than Python.
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a list's admin declares it.

    `source` is the path of a field, or an expression. Without a `heading` it is the field's own
    label, with a `unit` in brackets behind it. `words` writes a stored value for people; `names`
    gives the names of many keys by one query, where the other table may be in another database.
    """

    source: str | Expression
    heading: Any = ""
    unit: Any = ""
    words: Callable[[Any], str] | None = None
    names: Callable[[Collection[Any]], Mapping[Any, str]] | None = None


def amount(source: str | Expression, heading: Any = "") -> Column:
    """A column of đồng, as plain whole numbers."""
    return Column(source, heading, unit="VND")


def instance_column() -> Column:
    """The instance's name beside a row of a tenant table, which knows only the id."""
    return Column("instance_id", _("instance"), names=_organizations)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A column as it is read and written, in the language that was active when it was prepared."""

    heading: str
    kind: Kind
    expression: Any
    write: Callable[[Sequence[Any]], Iterable[Any]]


def prepare(model: type[Model], columns: Iterable[str | Column]) -> list[Prepared]:
    """The columns of a model's export; raises ImproperlyConfigured for what no file is for."""
    return [
        _prepared(model, each if isinstance(each, Column) else Column(each)) for each in columns
    ]


def _prepared(model: type[Model], column: Column) -> Prepared:
    field = _field(model, column.source) if isinstance(column.source, str) else None
    if isinstance(field, NEVER) or (field is not None and field.name == "password"):
        raise ImproperlyConfigured(f"{model._meta.label}: {column.source} is not for files.")
    heading = str(column.heading or (field.verbose_name if field else ""))
    output = field or column.source.output_field  # type: ignore[union-attr]
    kind, unit, expression = Kind.TEXT, str(column.unit), column.source
    if isinstance(output, models.DateTimeField):
        kind, unit, expression = Kind.MOMENT, gettext("Vietnamese time"), _clock(column.source)
    elif column.words or column.names or output.choices:
        pass
    elif isinstance(output, models.IntegerField):
        kind = Kind.NUMBER
    elif isinstance(output, models.UUIDField):
        expression = Cast(column.source, TextField())
    return Prepared(
        capfirst(f"{heading} ({unit})" if unit else heading),
        kind,
        expression,
        _writer(column, output, kind),
    )


def _field(model: type[Model], path: str) -> Any:
    """The last field of a path such as `subscription__instance__subdomain`."""
    field: Any = None
    for name in path.split("__"):
        field = (field.related_model if field else model)._meta.get_field(name)
    return field


def _clock(source: Any) -> Expression:
    """What the clock on the wall in Vietnam said, as text; `infinity` and BC as they are."""
    moment = F(source) if isinstance(source, str) else source
    zoned = Func(
        Value(settings.TIME_ZONE),
        moment,
        function="timezone",
        output_field=models.DateTimeField(),
    )
    return Cast(zoned, TextField())


def _writer(column: Column, field: Any, kind: Kind) -> Callable[[Sequence[Any]], Iterable[Any]]:
    """How the values of a chunk are written; None stays None."""
    if column.names:
        return _Names(column.names)
    if words := column.words:
        return lambda values: [None if it is None else words(it) for it in values]
    if field.choices:
        labels = {key: str(label) for key, label in field.flatchoices}
        return lambda values: [labels.get(it, it) for it in values]
    if isinstance(field, models.BooleanField):
        said = {True: gettext("Yes"), False: gettext("No"), None: None}
        return lambda values: [said[it] for it in values]
    if kind is Kind.MOMENT:
        return lambda values: [it and _to_the_second(it) for it in values]
    return lambda values: values


def _to_the_second(clock: str) -> str:
    return clock if clock.endswith("BC") else clock.partition(".")[0]


class _Names:
    """Writes keys as names, and asks for each key once unless there are very many."""

    MOST = 4_000

    def __init__(self, ask: Callable[[Collection[Any]], Mapping[Any, str]]) -> None:
        self._ask, self._known = ask, dict[Any, str]()

    def __call__(self, keys: Sequence[Any]) -> Iterable[Any]:
        asked = set(keys) - {None}
        if len(self._known) > self.MOST:
            self._known.clear()
        if new := asked - self._known.keys():
            found = self._ask(new)
            self._known |= {key: found.get(key) or str(key) for key in new}
        return [self._known.get(key) for key in keys]


def _organizations(keys: Collection[UUID]) -> Mapping[UUID, str]:
    found = Instance.all_objects.filter(id__in=keys)
    return dict(found.values_list("id", "organization_name"))
