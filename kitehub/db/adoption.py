"""Migration operations that bring new rules to old rows without stopping a running site."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

BATCH = 5000


class MendRows(Operation):
    """Runs `UPDATE <table> SET <change> WHERE <broken>` in batches by primary key.

    Each batch is a transaction of its own, so no row is locked for longer than a batch takes, and
    a run that was killed goes on where it was: what is mended is no longer broken. A row that
    another rule keeps from being written at all is left as it is and counted. Belongs in a
    migration with `atomic = False`. On the way back it does nothing.
    """

    reversible = True
    # sqlmigrate must not run it.
    reduces_to_sql = False

    def __init__(self, model_name: str, *, change: str, broken: str, what: str = "") -> None:
        """`what` says the change to people, where the SQL doesn't."""
        self.model_name = model_name
        self.change = change
        self.broken = broken
        self.what = what or change

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no schema."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Mends every broken row and says how many there were."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        table = model._meta.db_table
        last: Any = None
        mended, left = 0, 0
        while True:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT id FROM {table} WHERE ({self.broken})"  # noqa: S608
                    " AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s FOR UPDATE",
                    [last, last, BATCH],
                )
                batch = [key for (key,) in cursor.fetchall()]
                done = self._mend(connection, table, batch)
            mended, left = mended + done, left + len(batch) - done
            if len(batch) < BATCH:
                break
            last = batch[-1]
        if mended:
            print(f"\n    {table}: mended {mended} rows ({self.what})", end="")
        if left:
            print(
                f"\n    {table}: left {left} rows without {self.what}, because another rule keeps"
                " them from being written; manage.py check_invariants lists them",
                end="",
            )

    def _mend(self, connection: BaseDatabaseWrapper, table: str, keys: list[Any]) -> int:
        """Mends what can be, and returns how many; halves the rows until those in the way show."""
        if not keys:
            return 0
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} SET {self.change} WHERE id = ANY (%s)",  # noqa: S608
                    [keys],
                )
                return len(keys)
        except IntegrityError:
            half = len(keys) // 2
            if not half:
                return 0
            return self._mend(connection, table, keys[:half]) + self._mend(
                connection, table, keys[half:]
            )

    def database_backwards(self, *args: Any, **kwargs: Any) -> None:
        """Leaves the rows mended: the older schema takes them as well."""

    def describe(self) -> str:
        """What is mended."""
        if self.what != self.change:
            return f"Mend rows of {self.model_name}: {self.what}"
        return f"Mend rows of {self.model_name} where {self.broken}"


class ValidateWhereClean(Operation):
    """Validates a NOT VALID constraint, or says how many rows break it and leaves it as it is.

    An unvalidated constraint holds for every new write; `manage.py check_invariants` lists the old
    rows that break it and validates it once they are gone.
    """

    reversible = True
    # sqlmigrate must not run it.
    reduces_to_sql = False

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes nothing that a model knows."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Validates under a lock that lets reads and writes go on."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        table = model._meta.db_table
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {self.name}")
        except IntegrityError:
            print(
                f"\n    {table}: old rows break {self.name}, which holds for new writes only"
                " until they are mended by hand: manage.py check_invariants lists them",
                end="",
            )

    def database_backwards(self, *args: Any, **kwargs: Any) -> None:
        """A validated constraint has no way back, and needs none."""

    def describe(self) -> str:
        """Which constraint."""
        return f"Validate {self.name} on {self.model_name}"
