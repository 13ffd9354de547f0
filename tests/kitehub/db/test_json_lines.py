"""Rows that leave as JSON Lines come back as the rows they were, whatever is in them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from kitehub.db.json_lines import Column, Lines

COLUMNS = {
    "id": "bigint",
    "words": "text",
    "few": "varchar(50)",
    "details": "jsonb",
    "spelt": "json",
    "raw": "bytea",
    "moment": "timestamptz",
    "naive": "timestamp",
    "exact": "numeric",
    "large": "bigint",
    "about": "double precision",
    "key": "uuid",
    "many": "text[]",
    "span": "interval",
    "yes": "boolean",
    "mood": "payment_status",
}
LINES = Lines("things", tuple(Column(name, type_) for name, type_ in COLUMNS.items()))

# PostgreSQL has no NUL in texts; lone surrogates are no text.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
numbers = st.integers(-(2**63), 2**63 - 1)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**60), 10**60) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
moments = st.sampled_from(["infinity", "-infinity", "0044-03-15 12:00:00 BC"]) | st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
).map(lambda moment: moment.replace(tzinfo=UTC).isoformat())
things = st.fixed_dictionaries(
    {},
    optional={
        "words": words,
        "few": words,
        "details": documents.map(Jsonb),
        "spelt": st.sampled_from(['{"a":1, "a":2.50}', "null", " [1e400]", r'"\u2028\\u0000"']),
        "raw": st.binary(max_size=30),
        "moment": moments,
        "naive": moments.map(lambda text: text.replace("+00:00", "")),
        "exact": st.decimals(allow_nan=False) | st.just(Decimal("NaN")),
        "large": numbers,
        "about": st.floats(),
        "key": st.uuids(),
        "many": st.lists(words | st.none(), max_size=3),
        "span": st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
        "yes": st.booleans(),
        "mood": st.sampled_from(["PENDING", "PAID"]),
    },
)
EVERY = sql.SQL("true")


@pytest.fixture
def cursor(db: None) -> Iterator[psycopg.Cursor[Any]]:
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
        cursor.execute(f"CREATE TABLE things ({columns})")
        yield cursor


def state(cursor: psycopg.Cursor[Any]) -> list[tuple[str]]:
    return cursor.execute("SELECT t::text FROM things AS t ORDER BY id").fetchall()


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(rows=st.lists(things, max_size=4), cut=st.integers(1, 100))
def test_round_trip(rows: list[dict[str, Any]], cut: int, cursor: psycopg.Cursor[Any]) -> None:
    with cursor.connection.transaction(force_rollback=True):
        insert(cursor, rows)
        # Whatever the session is used to.
        cursor.execute("SET TimeZone = 'Asia/Ho_Chi_Minh'; SET IntervalStyle = 'iso_8601'")
        text = b"".join(LINES.read(cursor, EVERY))
        before = state(cursor)
        assert text.count(b"\n") == len(before)
        cursor.execute("TRUNCATE things")
        blocks = (text[at : at + cut] for at in range(0, len(text), cut))
        assert LINES.stage(cursor, blocks).insert() == len(before)
        assert state(cursor) == before
        assert b"".join(LINES.read(cursor, EVERY)) == text


def insert(cursor: psycopg.Cursor[Any], rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        names = ["id", *row]
        places = ", ".join(f"CAST(%s AS {COLUMNS[name]})" for name in names)
        cursor.execute(
            f"INSERT INTO things ({', '.join(names)}) VALUES ({places})", [number, *row.values()]
        )


def test_a_line_is_plain_json(cursor: psycopg.Cursor[Any]) -> None:
    cursor.execute(
        "INSERT INTO things (id, words, details, moment, large) VALUES"
        " (1, 'Lê \"Na\"', '{\"b\": 1.50}', '2026-03-01 14:00:00.5+07', 9007199254740993)"
    )
    lines = Lines("things", LINES.columns[:4] + LINES.columns[6:7] + LINES.columns[9:10])
    assert b"".join(lines.read(cursor, EVERY)).decode() == (
        r'{"id":1,"words":"Lê \"Na\"","few":null,"details":"{\"b\": 1.50}",'
        r'"moment":"2026-03-01T07:00:00.5+00:00","large":9007199254740993}' + "\n"
    )
