"""Counts that cost the same on a thousand rows and on five million, and statements with an end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import OperationalError, connections, transaction
from django.db.models import QuerySet, Value
from django.utils.formats import number_format
from psycopg.errors import QueryCanceled

# A list counts one row more at most, and says "1.000+" then.
MOST_COUNTED = 1_000
# Of rows that Django knows not to be there.
_NONE = "0"


class TooLong(Exception):
    """A statement was ended because it took longer than it may."""


def count_up_to(rows: QuerySet[Any], most: int = MOST_COUNTED) -> int:
    """How many rows there are, but no more than `most` + 1, which means "more"."""
    return counts_up_to([rows], most)[0]


def counts_up_to(sets: Sequence[QuerySet[Any]], most: int = MOST_COUNTED) -> list[int]:
    """The same for several sets of rows of one database, in one query.

    The rows keep their order, but for its last column, by which PostgreSQL would sort what an index
    of the others gives: that index gives a page's rows too, and of a state that is rare nobody
    looks for the first ones through all the others.
    """
    counts = [_count(rows, most) for rows in sets]
    if all(sql == _NONE for sql, _params in counts):
        return [0] * len(counts)
    with connections[sets[0].db].cursor() as cursor:
        params = [each for _sql, its in counts for each in its]
        cursor.execute(f"SELECT {', '.join(sql for sql, _params in counts)}", params)
        return list(cursor.fetchone() or ())


def counts_within(
    whole: QuerySet[Any], parts: Sequence[QuerySet[Any]], most: int = MOST_COUNTED
) -> list[int]:
    """The same for a set and for sets within it; where one of them has more, so has the whole.

    Then the whole isn't counted: PostgreSQL runs a subquery only when something asks for it.
    """
    of_all, params = _count(whole, most)
    counts = [_count(rows, most) for rows in parts]
    names = [f"part_{number}" for number in range(len(counts))]
    listed = ", ".join(f"{sql} AS {name}" for (sql, _), name in zip(counts, names, strict=True))
    statement = f"""
        WITH parts AS MATERIALIZED (SELECT {listed})
        SELECT CASE WHEN greatest({", ".join(names)}) > %s THEN %s ELSE {of_all} END, parts.*
        FROM parts"""  # noqa: S608
    before = [each for _sql, its in counts for each in its]
    with connections[whole.db].cursor() as cursor:
        cursor.execute(statement, [*before, most, most + 1, *params])
        return list(cursor.fetchone() or ())


def _count(rows: QuerySet[Any], most: int) -> tuple[str, tuple[Any, ...]]:
    ordered = rows.order_by(*rows.query.order_by[:-1]) if rows.query.order_by[1:] else rows
    query = ordered.select_related(None).annotate(one=Value(1)).values("one")[: most + 1].query
    try:
        sql, params = query.get_compiler(using=rows.db).as_sql()
    except EmptyResultSet:
        return _NONE, ()
    return f"(SELECT count(*) FROM ({sql}) AS counted)", tuple(params)  # noqa: S608


def spoken(count: int, most: int = MOST_COUNTED) -> str:
    """The count as people read it: `998`, or `1.000+` where there are more."""
    said: str = number_format(min(count, most), force_grouping=True)
    return f"{said}+" if count > most else said


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """For choosers, which ask only whether there is more: pages of the first 1,000 rows."""

    @property
    def count(self) -> int:
        """At most 1,001."""
        if isinstance(self.object_list, QuerySet):
            return count_up_to(self.object_list)
        return len(self.object_list)


@contextmanager
def within(seconds: int, *, using: str) -> Iterator[None]:
    """Ends statements in the block that take longer; raises TooLong then.

    What was in force before is so again afterwards, inside a transaction of somebody else's too.
    """
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooLong from error
        raise
