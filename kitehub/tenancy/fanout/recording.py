"""A migration as SQL that is the same for every silo, or the reason why there is none.

An allow-list: what is not known to be sound goes through Django. Recording runs the operations with
a schema editor that collects, on a connection that refuses queries, so that no SQL depends on what
one silo happens to hold.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations import operations as django_operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import ModelOperation
from django.db.migrations.state import ProjectState

from kitehub.db.operations import RunSQLFile

# These make SQL of nothing but the migration's own words. A subclass is another class.
_KNOWN = {
    django_operations.CreateModel,
    django_operations.DeleteModel,
    django_operations.RenameModel,
    django_operations.AlterModelTable,
    django_operations.AlterModelTableComment,
    django_operations.AlterModelOptions,
    django_operations.AlterModelManagers,
    django_operations.AlterUniqueTogether,
    django_operations.AddField,
    django_operations.RemoveField,
    django_operations.AlterField,
    django_operations.RenameField,
    django_operations.AddIndex,
    django_operations.RemoveIndex,
    django_operations.RenameIndex,
    django_operations.AddConstraint,
    django_operations.RemoveConstraint,
    django_operations.RunSQL,
    AddConstraintNotValid,
    ValidateConstraint,
    RunSQLFile,
}


class NotSound(Exception):
    """The migration can't be sent as SQL; the message says why in a few words."""


def record(migration: Migration, state: ProjectState, connection: BaseDatabaseWrapper) -> list[str]:
    """The statements of a migration on a silo, none where nothing of it belongs there.

    `state` is the one before it, and is changed to the one after it. Raises NotSound.
    """
    editor = _collector(connection)
    with connection.execute_wrapper(_refuse), editor:
        for operation in migration.operations:
            before = state.clone()
            operation.state_forwards(migration.app_label, state)
            operation.database_forwards(migration.app_label, editor, before, state)
    statements: list[str] = editor.statements
    return statements


def require_sound(migration: Migration) -> None:
    """Raises NotSound where what the migration is made of rules SQL out."""
    if not migration.atomic:
        raise NotSound("not atomic")
    for operation in _flat(migration.operations):
        if type(operation) not in _KNOWN:
            raise NotSound(type(operation).__name__)


def concerns(alias: str, migration: Migration) -> bool:
    """Whether something in the migration may be for this database, as the routers have it.

    Of an operation that names no model and gives no hints, nobody knows.
    """
    return any(
        _concerns(alias, migration.app_label, operation)
        for operation in _flat(migration.operations)
    )


def _concerns(alias: str, app_label: str, operation: Operation) -> bool:
    name = operation.name if isinstance(operation, ModelOperation) else None
    name = getattr(operation, "model_name", name)
    hints = getattr(operation, "hints", None)
    if name:
        return bool(router.allow_migrate(alias, app_label, model_name=name.lower()))
    if hints is not None:
        return bool(router.allow_migrate(alias, app_label, **hints))
    return True


def _flat(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if type(operation) is django_operations.SeparateDatabaseAndState:
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _refuse(execute: Callable[..., Any], *args: Any) -> Any:
    raise NotSound("reads the database")


def _collector(connection: BaseDatabaseWrapper) -> Any:
    editor = connection.SchemaEditorClass
    assert editor is not None  # noqa: S101 - PostgreSQL's wrapper has one
    made = type("CollectingSchemaEditor", (_Collecting, editor), {})
    return made(connection, collect_sql=True, atomic=False)


class _Collecting:
    """Keeps each statement apart and whole; Django's own puts a `;` into a closing comment."""

    connection: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statements: list[str] = []

    def execute(self, sql: Any, params: Any = ()) -> None:
        text = str(sql)
        if params is not None:
            text = self.connection.ops.compose_sql(text, params)
        self.statements.append(text)

    def effective_default(self, field: Any) -> Any:
        # Python would be asked once, and every row of every silo would get the same answer.
        made = field.default if field.has_default() else None
        clock = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
        if callable(made) or clock:
            raise NotSound("a default that Python makes")
        return super().effective_default(field)  # type: ignore[misc]
