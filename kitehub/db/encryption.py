"""The migration operation that encrypts what a column held before it was an EncryptedField."""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field, Model

from kitehub.db.secrets import UnreadableSecret, keyring, longest_that_fits, looks_like_token

BATCH = 500
LISTED = 20


class EncryptRows(Operation):
    """Encrypts plain text in the rows of a column, and decrypts it on the way back.

    Each batch is a transaction of its own, so a run that was killed goes on where it was. What one
    of the keys opens is encrypted already: that rests on the token's signature, not its looks. What
    has no one right answer is left as it is and listed by primary key: text that is too long for
    the column once it is encrypted, and what looks like a token of a key that isn't here.

    Belongs twice into a migration with `atomic = False`: before the database begins to refuse plain
    text, and after it with `closing=True`, for what was written between the two. The closing one
    lists what is left; on the way back it comes first, and only makes sure that the keys are here.
    """

    reversible = True
    # Otherwise sqlmigrate would run it.
    reduces_to_sql = False

    def __init__(self, model_name: str, field_name: str, *, closing: bool = False) -> None:
        self.model_name = model_name
        self.field_name = field_name
        self.closing = closing

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no schema."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Encrypts, says how many rows, and lists those that are left."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        column = _Column(schema_editor.connection, model, model._meta.get_field(self.field_name))
        left: dict[str, list[Any]] = {}
        count = 0
        for key, why in column.rewrite(lambda value: _encrypted(value, column.length)):
            if why:
                left.setdefault(why, []).append(key)
            else:
                count += 1
        if count:
            print(f"\n    {column.name}: encrypted {count} rows", end="")
        for why, keys in left.items() if self.closing else ():
            named = ", ".join(map(str, keys[:LISTED]))
            more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
            print(f"\n    {column.name}: left {len(keys)} rows, {why}: {named}{more}", end="")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Decrypts; where a key is missing, raises UnreadableSecret before anything is changed."""
        model = from_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        column = _Column(connection, model, model._meta.get_field(self.field_name))
        if lost := column.lost():
            raise UnreadableSecret(lost[0], is_token=True)
        if not self.closing:
            list(column.rewrite(lambda value: (_opened(value), "")))

    def lost(self, app_label: str, connection: BaseDatabaseWrapper) -> list[str]:
        """The rows that keep the way back from being gone, as today's model finds them."""
        model = apps.get_model(app_label, self.model_name)
        return _Column(connection, model, model._meta.get_field(self.field_name)).lost()

    def describe(self) -> str:
        """What is encrypted."""
        return f"Encrypt {self.field_name} of {self.model_name}"


def _opened(value: str) -> str | None:
    return keyring().open(value)


def _encrypted(value: str, length: int) -> tuple[str | None, str]:
    """The token, or None and, if the value isn't fine as it is, why."""
    if _opened(value) is not None:
        return None, ""
    if looks_like_token(value):
        return None, "encrypted under a key that is not in KITEHUB_FIELD_KEYS"
    token = keyring().seal(value)
    if len(token) > length:
        return None, f"longer than the {longest_that_fits(length)} bytes that fit once encrypted"
    return token, ""


class _Column:
    """One column, row by row, outside Django's log of queries: that would show plain text."""

    def __init__(
        self, connection: BaseDatabaseWrapper, model: type[Model], field: "Field[Any, Any]"
    ) -> None:
        quote = connection.ops.quote_name
        key = model._meta.pk
        if key is None or key.column is None or field.column is None or not field.max_length:
            raise TypeError(f"{field} is no column of limited length in a table with a key")
        self.name = f"{model._meta.db_table}.{field.column}"
        self.length = field.max_length
        self._connection = connection
        self._table, self._key, self._value = map(
            quote, (model._meta.db_table, key.column, field.column)
        )

    def lost(self) -> list[str]:
        """The rows with tokens of keys that aren't here: "instances.database_password of 5f1c…"."""
        found: list[str] = []
        after = None
        while rows := self._batch(after, lock=False):
            found += [
                f"{self.name} of {key}"
                for key, value in rows
                if looks_like_token(value) and _opened(value) is None
            ]
            after = rows[-1][0]
        return found

    def rewrite(self, change: Callable[[str], tuple[str | None, str]]) -> Iterator[tuple[Any, str]]:
        """Writes what `change` makes of each value; yields each key with "", or why it is left.

        A value that `change` has nothing to say of is passed over.
        """
        after = None
        while True:
            done = []
            with transaction.atomic(using=self._connection.alias):
                rows = self._batch(after, lock=True)
                for key, value in rows:
                    made, why = change(value)
                    if made is not None:
                        self._run(
                            f"UPDATE {self._table} SET {self._value} = %s"  # noqa: S608
                            f" WHERE {self._key} = %s",
                            [made, key],
                        )
                    if made is not None or why:
                        done.append((key, why))
            yield from done
            if not rows:
                return
            after = rows[-1][0]

    def _batch(self, after: Any, *, lock: bool) -> list[tuple[Any, str]]:
        """The next rows that aren't empty, by key; `lock` keeps other writers off them."""
        return self._run(
            f"SELECT {self._key}, {self._value} FROM {self._table}"  # noqa: S608
            f" WHERE {self._value} <> ''"
            + (f" AND {self._key} > %s" if after is not None else "")
            + f" ORDER BY {self._key} LIMIT {BATCH}"
            + (" FOR NO KEY UPDATE" if lock else ""),
            [after] if after is not None else [],
        )

    def _run(self, sql: str, values: list[Any]) -> list[tuple[Any, str]]:
        self._connection.ensure_connection()
        with self._connection.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []
