"""A table's rows as JSON Lines, to PostgreSQL and back, exact to the last digit.

PostgreSQL itself writes and reads the lines, so that no value passes through Python's types:
`infinity`, microseconds and integers of any size stay what they are. JSON columns are strings that
hold their text, because within a line JSON's own null and no value at all would be the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

Cursor = psycopg.Cursor[Any]

# How values are spelt, whatever the session is used to.
_SPELLING = {
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
# A line is one field of CSV whose delimiter and quote no line has: JSON escapes control characters.
_AS_IT_IS = r"(FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')"
_BLOCK = 256 * 1024
_STAGE = sql.Identifier("kitehub_json_lines")


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its type, as SQL spells it."""

    name: str
    type: str

    @property
    def is_json(self) -> bool:
        """Whether its values are JSON."""
        return self.type in {"json", "jsonb"}


@dataclass(frozen=True, slots=True)
class Lines:
    """Some of a table's columns, in the order that a line has them."""

    table: str
    columns: tuple[Column, ...]

    def read(self, cursor: Cursor, where: sql.Composable) -> Iterator[bytes]:
        """The lines of the rows that a condition holds for, by id, in blocks of whole lines."""
        spell(cursor)
        columns = [
            sql.SQL("{name}::text AS {name}" if column.is_json else "{name}").format(
                name=sql.Identifier(column.name)
            )
            for column in self.columns
        ]
        query = sql.SQL(
            "COPY (SELECT row_to_json(r) FROM (SELECT {columns} FROM {table} WHERE {where}) AS r"
            " ORDER BY r.id) TO STDOUT {format}"
        ).format(
            columns=sql.SQL(", ").join(columns),
            table=sql.Identifier(self.table),
            where=where,
            format=sql.SQL(_AS_IT_IS),
        )
        block = bytearray()
        with cursor.copy(query) as copy:
            for line in copy:
                block += line
                if len(block) >= _BLOCK:
                    yield bytes(block)
                    block.clear()
        yield bytes(block)

    def stage(self, cursor: Cursor, blocks: Iterable[bytes]) -> "Staged":
        """Brings lines to the server, in blocks of any size; they are gone with the transaction."""
        spell(cursor)
        _run(cursor, "DROP TABLE IF EXISTS pg_temp.{stage}")
        _run(cursor, "CREATE TEMPORARY TABLE {stage} (line json NOT NULL) ON COMMIT DROP")
        query = sql.SQL("COPY {stage} FROM STDIN {format}")
        with cursor.copy(query.format(stage=_STAGE, format=sql.SQL(_AS_IT_IS))) as copy:
            for block in blocks:
                copy.write(block)
        return Staged(self, cursor)


@dataclass(frozen=True, slots=True)
class Staged:
    """Lines that wait on the server. In conditions their row is called `r`."""

    lines: Lines
    cursor: Cursor

    def has(self, column: str) -> bool:
        """Whether the lines have a column: older ones lack what came later."""
        return any(each.name == column for each in self.lines.columns)

    def select(self, what: sql.Composable, where: sql.Composable) -> list[tuple[Any, ...]]:
        """Expressions over the lines that a condition holds for."""
        query = sql.SQL("SELECT {} FROM {} WHERE {}").format(what, self._source(), where)
        return self.cursor.execute(query).fetchall()

    def insert(self, where: sql.Composable | None = None, **extra: object) -> int:
        """Inserts the rows that a condition holds for; `extra` are columns that no line has."""
        names = [column.name for column in self.lines.columns]
        query = sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {source} WHERE {where}"
        ).format(
            table=sql.Identifier(self.lines.table),
            names=_list(sql.Identifier(name) for name in [*names, *extra]),
            values=_list([*self._values(), *map(sql.Literal, extra.values())]),
            source=self._source(),
            where=sql.SQL("true") if where is None else where,
        )
        return self.cursor.execute(query).rowcount

    def overwrite(self, where: sql.Composable) -> int:
        """Gives the rows that a condition holds for the values of the one line there is."""
        query = sql.SQL(
            "UPDATE {table} SET ({names}) = ROW({values}) FROM {source} WHERE {where}"
        ).format(
            table=sql.Identifier(self.lines.table),
            names=_list(sql.Identifier(column.name) for column in self.lines.columns),
            values=_list(self._values()),
            source=self._source(),
            where=where,
        )
        return self.cursor.execute(query).rowcount

    def _source(self) -> sql.Composable:
        columns = _list(
            sql.SQL("{} {}").format(
                sql.Identifier(column.name),
                sql.SQL("text" if column.is_json else _literal(column.type)),
            )
            for column in self.lines.columns
        )
        return sql.SQL("pg_temp.{} CROSS JOIN LATERAL json_to_record(line) AS r({})").format(
            _STAGE, columns
        )

    def _values(self) -> Sequence[sql.Composable]:
        return [
            sql.SQL("r.{}::{}" if column.is_json else "r.{}").format(
                sql.Identifier(column.name), sql.SQL(_literal(column.type))
            )
            for column in self.lines.columns
        ]


def spell(cursor: Cursor) -> None:
    """Has the transaction spell values in the one way that lines have."""
    for name, value in _SPELLING.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _run(cursor: Cursor, statement: LiteralString) -> None:
    cursor.execute(sql.SQL(statement).format(stage=_STAGE))


def _list(parts: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(list(parts))


def _literal(type_name: str) -> LiteralString:
    # A model field's own type, never what a file says.
    return type_name
