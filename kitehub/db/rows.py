"""Rows read, inserted and changed by statements that are put together once.

The ORM composes its SQL anew each time, which takes several times as long as a statement on one row
itself. This is for the few places where that is most of the time, such as the settling of a bank
line; everywhere else the ORM reads better. Values go in and come out through the same fields.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import DatabaseDefault

from kitehub.db.base import KEPT, Record

Row = TypeVar("Row", bound=models.Model)


def read(model: type[Row], rest: str, values: Sequence[Any]) -> list[Row]:
    """The rows of the platform that SQL names: what comes after FROM, `WHERE … FOR UPDATE`.

    Deleted ones too.
    """
    select, readers = _selected(model)
    connection = connections[DEFAULT_DB_ALIAS]
    found = [list(row) for row in fetch(f"{select} {rest}", values)]
    for place, field, convert in readers:
        for row in found:
            row[place] = convert(row[place], field.cached_col, connection)
    names = [field.attname for field in _fields(model)]
    return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in found]


def fetch(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What a query of the platform gives."""
    with _cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def insert(row: models.Model, *, kept: Sequence[str] = ()) -> None:
    """Inserts a row of the platform; reads back what the database fills in, and the fields `kept`.

    Raises what saving it would.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    columns, places, values, filled = [], [], [], list(kept)
    for field in _fields(type(row)):
        value = field.pre_save(row, add=True)
        if isinstance(value, DatabaseDefault):
            filled.append(field.attname)
            continue
        columns.append(f'"{field.column}"')
        if hasattr(value, "as_sql"):  # a function without arguments
            places.append(value.as_sql(None, connection)[0])
            continue
        places.append(_place(field))
        values.append(field.get_db_prep_save(value, connection))
    sql = (
        f'INSERT INTO "{row._meta.db_table}" ({", ".join(columns)}) VALUES ({", ".join(places)})'  # noqa: S608
        f" RETURNING {', '.join(filled or ['id'])}"
    )
    with _cursor() as cursor:
        cursor.execute(sql, values)
        for name, value in zip(filled, cursor.fetchone(), strict=False):
            setattr(row, name, value)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def update(row: models.Model, *names: str) -> None:
    """Writes some fields of a row of the platform that is locked, so whatever its version is.

    Reads back what the database keeps of a Record.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    fields: list[Any] = [row._meta.get_field(name) for name in names]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    said = ", ".join(f'"{field.column}" = {_place(field)}' for field in fields)
    kept = KEPT if isinstance(row, Record) else ()
    with _cursor() as cursor:
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET {said} WHERE id = %s'  # noqa: S608
            f" RETURNING {', '.join(kept) or 'id'}",
            [*values, row.pk],
        )
        for name, value in zip(kept, cursor.fetchone(), strict=False):
            setattr(row, name, value)


# --- Parts --------------------------------------------------------------------------------------


def _cursor() -> Any:
    return connections[DEFAULT_DB_ALIAS].prepared_cursor()  # type: ignore[attr-defined]


@cache
def _fields(model: type[models.Model]) -> tuple[Any, ...]:
    return tuple(model._meta.concrete_fields)


@cache
def _selected(model: type[models.Model]) -> tuple[str, list[tuple[int, Any, Any]]]:
    """The start of the SELECT, and at which place whose converter makes values of what it gives."""
    connection = connections[DEFAULT_DB_ALIAS]
    fields = _fields(model)
    readers = [
        (place, field, convert)
        for place, field in enumerate(fields)
        for convert in field.get_db_converters(connection)
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return f'SELECT {columns} FROM "{model._meta.db_table}"', readers  # noqa: S608


@cache
def _place(field: Any) -> str:
    """The field's placeholder, which for an enum casts."""
    if hasattr(field, "get_placeholder"):
        return str(field.get_placeholder(None, None, connections[DEFAULT_DB_ALIAS]))
    return "%s"
