"""What must be true of rows, whoever wrote them: the registry of checks, and those of any table.

An app declares its own in `<app>/invariants.py`, each a generator of findings under `@invariant`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import IntegrityError, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ForeignKey, Model
from django.utils.module_loading import autodiscover_modules

from kitehub.db import locks
from kitehub.db.fields import LooseForeignKey, LooseOneToOneField

# How many rows of a finding are named.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows, or a part of the schema, that aren't as they must be.

    `rows` says which, a line each, the first SHOWN of `count`. `broken` is False where the finding
    is for information: the schema allows it.
    """

    table: str
    what: str
    count: int = 0
    rows: tuple[str, ...] = ()
    broken: bool = True


Check = Callable[[BaseDatabaseWrapper], Iterable[Finding]]

_checks: dict[Check, tuple[str, ...]] = {}


def invariant(*models: str) -> Callable[[Check], Check]:
    """Registers a check, for the databases that have the tables of these models ("app.Model")."""

    def register(check: Check) -> Check:
        _checks[check] = models
        return check

    return register


def findings(connection: BaseDatabaseWrapper) -> list[Finding]:
    """Runs every check that concerns this database, and changes nothing."""
    autodiscover_modules("invariants")
    return [
        finding
        for check, models in _checks.items()
        if all(_lives_in(connection, apps.get_model(label)) for label in models)
        for finding in check(connection)
    ]


def rows(connection: BaseDatabaseWrapper, query: str) -> tuple[int, list[tuple[Any, ...]]]:
    """How many rows a query gives, and the first SHOWN of them by their first column."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT *, count(*) OVER () FROM ({query}) found"  # noqa: S608 - our own SQL
            f" ORDER BY 1 LIMIT {SHOWN}"
        )
        found = cursor.fetchall()
    return (found[0][-1] if found else 0), [row[:-1] for row in found]


def _lives_in(connection: BaseDatabaseWrapper, model: type[Model]) -> bool:
    return router.allow_migrate_model(connection.alias, model)


# --- Constraints that do not hold for old rows --------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unvalidated:
    """A constraint that holds for new writes only; `condition` is a CHECK's."""

    table: str
    name: str
    condition: str | None


def _unvalidated(connection: BaseDatabaseWrapper) -> list[_Unvalidated]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname),"
            " CASE contype WHEN 'c' THEN pg_get_expr(conbin, conrelid) END"
            " FROM pg_constraint"
            " WHERE NOT convalidated AND connamespace = quote_ident(current_schema())::regnamespace"
            " ORDER BY 1, 2"
        )
        return [_Unvalidated(*row) for row in cursor.fetchall()]


@invariant()
def constraints(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Constraints left NOT VALID, with the rows that break them."""
    for each in _unvalidated(connection):
        if each.condition is None:
            yield Finding(each.table, f"{each.name} does not hold for old rows: not validated")
            continue
        count, found = rows(
            connection,
            # A condition that is NULL is kept, as PostgreSQL has it.
            "SELECT COALESCE(to_jsonb(broken) ->> 'id', broken.ctid::text)"  # noqa: S608
            f" FROM {each.table} broken WHERE NOT ({each.condition})",
        )
        what = (
            f"{each.name} is broken by rows from before it"
            if count
            else f"{each.name} is not validated, though no row breaks it: use --validate"
        )
        yield Finding(each.table, what, count, tuple(str(row[0]) for row in found))


def validate_constraints(connection: BaseDatabaseWrapper) -> list[str]:
    """Validates every constraint that no row breaks, and returns their names.

    Reads and writes go on meanwhile. Raises OperationalError where DDL keeps a table locked.
    """
    done = []
    for each in _unvalidated(connection):
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{locks.PATIENCE}'")
                cursor.execute(f"ALTER TABLE {each.table} VALIDATE CONSTRAINT {each.name}")
        except IntegrityError:
            continue
        done.append(each.name)
    return done


# --- Guards that are switched off ---------------------------------------------------------------


@invariant()
def triggers(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Triggers that don't fire for everybody, a foreign key's own included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text, COALESCE(conname, tgname)"
            " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " LEFT JOIN pg_constraint ON pg_constraint.oid = tgconstraint"
            " WHERE tgenabled NOT IN ('O', 'A')"
            " AND relnamespace = quote_ident(current_schema())::regnamespace ORDER BY 1, 2"
        )
        for table, name in cursor.fetchall():
            yield Finding(table, f"{name} is switched off")


# --- References to rows that are gone -----------------------------------------------------------


@invariant()
def references(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """References without a constraint whose row is gone; the plan's schema allows them."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, (LooseForeignKey, LooseOneToOneField)) and all(
                _lives_in(connection, each) for each in (model, field.related_model)
            ):
                yield from _dangling(connection, field)


def _dangling(connection: BaseDatabaseWrapper, field: ForeignKey[Any, Any]) -> Iterator[Finding]:
    table, column = field.model._meta.db_table, field.column
    other, key = field.target_field.model._meta.db_table, field.target_field.column
    count, found = rows(
        connection,
        f"SELECT id, {column} FROM {table} source"  # noqa: S608 - the names of our models
        f" WHERE {column} IS NOT NULL"
        f" AND NOT EXISTS (SELECT FROM {other} target WHERE target.{key} = source.{column})",
    )
    if count:
        lines = tuple(f"{pk} -> {value}" for pk, value in found)
        yield Finding(
            table, f"{column} refers to {other} that are gone", count, lines, broken=False
        )
