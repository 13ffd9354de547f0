"""What a schema holds, read from PostgreSQL's catalogs, and how two schemas differ.

The queries are in `catalog.sql`, `dependents.sql` and `column_users.sql` beside this file. The
first says what is left out.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

_QUERY, _DEPENDENTS, _COLUMN_USERS = (
    (Path(__file__).parent / f"{name}.sql").read_text("utf-8")
    for name in ("catalog", "dependents", "column_users")
)

# Kinds that stand in a schema by themselves; every other kind is a part of a table.
FREE_KINDS = frozenset({"table", "view", "sequence", "enum", "type", "function"})
LONGEST_SHOWN = 60

Definition = Mapping[str, str]


class Key(NamedTuple):
    """What a thing is and what it is called; `table` is the one that it is a part of."""

    kind: str
    table: str
    name: str

    def __str__(self) -> str:
        match self.kind:
            case "table":
                return f"table {self.table}"
            case "column":
                return f"column {self.table}.{self.name}"
            case "comment" if self.name:
                return f"comment of column {self.table}.{self.name}"
            case "comment":
                return f"comment of table {self.table}"
            case kind if kind in FREE_KINDS:
                return f"{kind} {self.name}"
            case kind:
                return f"{kind} {self.name} on {self.table}"

    @property
    def free(self) -> "Key":
        """The thing that stands by itself: the table that this is a part of, or this."""
        return self if self.kind in FREE_KINDS else Key("table", self.table, "")

    @property
    def wholes(self) -> tuple["Key", ...]:
        """What takes this with it: the table, a comment's column, an index's constraint."""
        match self.kind:
            case kind if kind in FREE_KINDS:
                return ()
            case "comment" if self.name:
                return self.free, Key("column", self.table, self.name)
            case "index":
                return self.free, Key("constraint", self.table, self.name)
            case _:
                return (self.free,)


class Catalog(Mapping[Key, Definition]):
    """A schema's content, in the order of the tables' columns; equal if the definitions are."""

    def __init__(self, items: Mapping[Key, Definition] | Iterable[tuple[Key, Definition]]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: Key) -> Definition:
        return self._items[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def without(self, other: "Catalog") -> "Catalog":
        """What stands by itself here and not in `other`, with all its parts."""
        return Catalog((key, value) for key, value in self.items() if key.free not in other)

    def __or__(self, other: "Catalog") -> "Catalog":
        return Catalog({**self._items, **other._items})

    def of_kind(self, kind: str) -> list[Key]:
        """The keys of one kind, in order."""
        return [key for key in self if key.kind == kind]


def read(connection: BaseDatabaseWrapper, schema: str | None = None) -> Catalog:
    """Reads a schema, by default the one that new tables of this connection go to.

    Writes nothing, and leaves the connection's search path and transaction as they are. Raises
    LookupError if there is no such schema.
    """
    connection.ensure_connection()
    with connection.connection.transaction(force_rollback=True), connection.cursor() as cursor:
        if schema is not None:
            cursor.execute("SELECT set_config('search_path', quote_ident(%s), true)", [schema])
        cursor.execute("SELECT current_schema()")
        if cursor.fetchone()[0] is None:
            raise LookupError(f"There is no schema {schema or 'on the search path'}.")
        if schema is None:
            # What other schemas of the path hold must not come out unqualified.
            cursor.execute("SELECT set_config('search_path', quote_ident(current_schema()), true)")
        cursor.execute(_QUERY)
        return Catalog(
            (Key(kind, owner, name), _definition(kind, json.loads(aspects)))
            for kind, owner, name, aspects in cursor.fetchall()
        )


def dependents(connection: BaseDatabaseWrapper, dropped: Iterable[Key]) -> list[Key]:
    """What would go with tables and columns that are dropped with CASCADE, as Django does.

    Their own parts are not among it. Reads the catalogs only, and locks nothing.
    """
    gone = [(key.table, key.name) for key in dropped if key.kind in {"table", "column"}]
    with connection.cursor() as cursor:
        cursor.execute(
            _DEPENDENTS,
            {"tables": [table for table, _ in gone], "columns": [name for _, name in gone]},
        )
        return [Key(*row) for row in cursor.fetchall()]


def column_users(
    connection: BaseDatabaseWrapper, columns: Iterable[tuple[str, str]]
) -> list[tuple[Key, Key]]:
    """What keeps columns, given as (table, column), from changing their type: thing and column.

    That is views, rules, triggers, policies, publications, functions and generated columns; indexes
    and constraints PostgreSQL rebuilds. Reads the catalogs only, and locks nothing.
    """
    given = list(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            _COLUMN_USERS,
            {"tables": [table for table, _ in given], "columns": [name for _, name in given]},
        )
        return [
            (Key(kind, owner, name), Key("column", table, column))
            for kind, owner, name, table, column in cursor.fetchall()
        ]


# --- One spelling for what PostgreSQL treats as one ---------------------------------------------

_NEGATED_COLUMN = re.compile(r"(?<!IS )\bNOT ([a-z_][a-z0-9_]*)(?= AND | OR |\)|$)")


def _definition(kind: str, aspects: Mapping[str, Any]) -> Definition:
    return {name: _spelling(kind, name, str(value)) for name, value in aspects.items()}


def _spelling(kind: str, aspect: str, value: str) -> str:
    if aspect == "default" and value in {"CURRENT_TIMESTAMP", "transaction_timestamp()"}:
        return "now()"
    if aspect == "definition" and kind in {"index", "constraint"}:
        return _NEGATED_COLUMN.sub(r"\1 = false", value)
    if aspect == "body":
        # From a migration file that was written on Windows.
        return value.replace("\r\n", "\n")
    return value


# --- Differences --------------------------------------------------------------------------------


class Aspect(NamedTuple):
    """What differs about a thing that is on both sides; None where one side has nothing."""

    name: str
    expected: str | None
    actual: str | None

    def __str__(self) -> str:
        if self.expected is None and self.actual is None:
            return self.name
        sides = [self.expected or "none", self.actual or "none"]
        if any(len(side) > LONGEST_SHOWN or "\n" in side for side in sides):
            return self.name
        if any(side.startswith("not ") for side in sides):
            sides = [f"'{side}'" for side in sides]
        return f"{self.name} is {sides[1]}, not {sides[0]}"


class Change(StrEnum):
    """How something differs from what it should be."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Drift:
    """One difference of a schema from what it should be; as text, a line."""

    key: Key
    change: Change
    aspects: tuple[Aspect, ...] = ()

    def __str__(self) -> str:
        if self.change == Change.DIFFERS:
            return f"{self.key} differs: {'; '.join(map(str, self.aspects))}"
        if self.key.kind == "comment" and self.change == Change.MISSING:
            return f"{self.key} lost"
        return f"{self.change} {self.key}"


def diff(expected: Catalog, actual: Catalog) -> list[Drift]:
    """Lists how `actual` differs, each difference once: a missing table without its parts."""
    missing = expected.keys() - actual.keys()
    extra = actual.keys() - expected.keys()
    found = [Drift(key, Change.MISSING) for key in expected if _is_topmost(key, missing)]
    found += [Drift(key, Change.EXTRA) for key in actual if _is_topmost(key, extra)]
    for key in expected:
        if key in actual and (aspects := _differing(key, expected, actual)):
            found.append(Drift(key, Change.DIFFERS, aspects))
    return found


def _is_topmost(key: Key, keys: set[Key]) -> bool:
    return key in keys and not any(whole in keys for whole in key.wholes)


def _differing(key: Key, expected: Catalog, actual: Catalog) -> tuple[Aspect, ...]:
    wanted, found = expected[key], actual[key]
    aspects = [
        Aspect(name, wanted.get(name), found.get(name))
        for name in dict.fromkeys([*wanted, *found])
        if wanted.get(name) != found.get(name) and name != "columns"
    ]
    if key.kind == "table":
        # The order of those that both have: a column too many is a difference of its own.
        order, actual_order = (
            [
                column
                for column in one.of_kind("column")
                if column.table == key.table and column in other
            ]
            for one, other in ((expected, actual), (actual, expected))
        )
        if order != actual_order:
            aspects.append(Aspect("order of columns", None, None))
    return tuple(aspects)
