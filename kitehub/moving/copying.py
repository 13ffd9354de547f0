"""Taking an instance's rows from one database to another as they are, and comparing them.

Rows are never held in memory: COPY streams from server to server through this process.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_noop as noop
from psycopg import sql

from kitehub.db.sentences import Sentence
from kitehub.tenancy import gates
from kitehub.tenancy.base import Tenant
from kitehub.tenancy.router import tenant_models

Model = type[Tenant]

# How values are spelt must be the same on both sides of a comparison.
_SPELLING = (
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'iso_8601'"
)
# A sum does not depend on the order of rows.
_SUM = """
SELECT count(*),
    COALESCE(sum(('x' || left(md5(ROW({columns})::text), 16))::bit(64)::bigint), 0)
FROM {table}
WHERE instance_id = {instance}
"""
PURGED_AT_ONCE = 5000
CHANGES_AT_ONCE = 20_000

Sums = dict[str, tuple[int, int]]


class Different(Exception):
    """The rows of a table are not the same in both databases; says which table, and the counts."""


def models() -> list[Model]:
    """Every table that has rows of instances."""
    return tenant_models()


def copy_all(source: str, target: str, instance_id: UUID) -> dict[str, int]:
    """Copies all rows as they were at one moment, all or none; returns how many by table.

    What a former attempt left at the target is removed first.
    """
    with gates.moving(target) as into, transaction.atomic(using=source):
        with connections[source].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        out = connections[source].connection
        for model in models():
            _delete(into, model, _of(instance_id))
        return {
            model._meta.db_table: _stream(out, into, model, _of(instance_id)) for model in models()
        }


def copy_changes(source: str, target: str, instance_id: UUID, *, whole: bool) -> int:
    """Copies again what was written since it was copied; returns how many changes that were.

    `whole` also copies the tables anew that have one row an instance: their changes aren't logged.
    """
    with connections[source].cursor() as cursor:
        cursor.execute(
            "SELECT id, table_name, row_id FROM instance_changes WHERE instance_id = %s"
            " ORDER BY id LIMIT %s",
            [instance_id, CHANGES_AT_ONCE],
        )
        changes = cursor.fetchall()
    if not changes and not whole:
        return 0
    parts: dict[Model, sql.Composable] = {}
    for model in models():
        if whole and is_single(model):
            parts[model] = _of(instance_id)
        elif ids := _ids(changes, model):
            parts[model] = _and_ids(instance_id, ids)
    with gates.moving(target) as into:
        out = connections[source].connection
        # First everything that goes, for the sake of unique keys.
        for model, part in parts.items():
            _delete(into, model, part)
        for model, part in parts.items():
            _stream(out, into, model, part)
    with connections[source].cursor() as cursor:
        cursor.execute(
            "DELETE FROM instance_changes WHERE id = ANY (%s)", [[change[0] for change in changes]]
        )
    return len(changes)


def compare(source: str, target: str, instance_id: UUID) -> dict[str, int]:
    """Counts the rows by table; raises Different where these or their checksums aren't the same."""
    here, there = sums(source, instance_id), sums(target, instance_id)
    for table, found in here.items():
        if found != there[table]:
            if found[0] == there[table][0]:
                message = noop(
                    "%(table)s: %(here)s rows at the source and %(there)s at the target, and they "
                    "differ"
                )
            else:
                message = noop("%(table)s: %(here)s rows at the source and %(there)s at the target")
            raise Different(Sentence(message, table=table, here=found[0], there=there[table][0]))
    return {table: count for table, (count, _) in here.items()}


def sums(alias: str, instance_id: UUID) -> Sums:
    """By table how many rows an instance has, and a checksum, which the database computes."""
    found: Sums = {}
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(_SPELLING)
        for model in models():
            statement = sql.SQL(_SUM).format(
                columns=_columns(model), table=_table(model), instance=sql.Literal(instance_id)
            )
            cursor.execute(statement)
            count, total = cursor.fetchone()
            found[model._meta.db_table] = (count, int(total))
    return found


def counts(alias: str, instance_id: UUID) -> dict[str, int]:
    """How many rows an instance has in a database, by table."""
    found = {}
    with connections[alias].cursor() as cursor:
        for model in models():
            table = model._meta.db_table
            cursor.execute(
                sql.SQL("SELECT count(*) FROM {}{}").format(_table(model), _of(instance_id))
            )
            found[table] = cursor.fetchone()[0]
    return found


def late_changes(alias: str, instance_id: UUID) -> int:
    """How many changes are logged that no copy has taken along."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM instance_changes WHERE instance_id = %s", [instance_id]
        )
        return int(cursor.fetchone()[0])


def forget_changes(alias: str, instance_id: UUID) -> None:
    """Empties the log of an instance's changes."""
    with connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM instance_changes WHERE instance_id = %s", [instance_id])


def remove(alias: str, instance_id: UUID) -> int:
    """Removes an instance's rows from a database for good, also those that are append-only.

    In transactions of 5,000 rows. Its gate there must be closed for a move. Returns how many.
    """
    removed = 0
    for model in models():
        some = sql.SQL(" WHERE id IN (SELECT id FROM {}{} LIMIT {})").format(
            _table(model), _of(instance_id), sql.Literal(PURGED_AT_ONCE)
        )
        while True:
            with gates.moving(alias) as into:
                count = _delete(into, model, some)
            removed += count
            if count < PURGED_AT_ONCE:
                break
    return removed


def is_single(model: Model) -> bool:
    """Whether a table has one row an instance."""
    return any(
        isinstance(rule, UniqueConstraint) and tuple(rule.fields) == ("instance_id",)
        for rule in model._meta.constraints
    )


# --- Parts --------------------------------------------------------------------------------------


def _stream(out: Any, into: Any, model: Model, part: sql.Composable) -> int:
    """Sends rows from one connection to the other; returns how many."""
    rows = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT").format(
        _columns(model), _table(model), part
    )
    taken = sql.SQL("COPY {} ({}) FROM STDIN").format(_table(model), _columns(model))
    with out.cursor() as reader, into.cursor() as writer:
        with reader.copy(rows) as sent, writer.copy(taken) as received:
            for block in sent:
                received.write(block)
        return int(writer.rowcount)


def _delete(into: Any, model: Model, part: sql.Composable) -> int:
    with into.cursor() as cursor:
        cursor.execute(sql.SQL("DELETE FROM {}{}").format(_table(model), part))
        return int(cursor.rowcount)


def _table(model: Model) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)


def _columns(model: Model) -> sql.Composable:
    # What the database makes of others takes no value.
    fields = [each for each in model._meta.local_concrete_fields if not each.generated]
    return sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields)


def _of(instance_id: UUID) -> sql.Composed:
    return sql.SQL(" WHERE instance_id = {}").format(sql.Literal(instance_id))


def _and_ids(instance_id: UUID, ids: Sequence[UUID]) -> sql.Composed:
    return _of(instance_id) + sql.SQL(" AND id = ANY ({})").format(sql.Literal(list(ids)))


def _ids(changes: Iterable[tuple[int, str, UUID]], model: Model) -> list[UUID]:
    return list({row for _, table, row in changes if table == model._meta.db_table})
