"""Migration operations that bring new rules to old rows without stopping a running site."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

BATCH = 5000


class MendRows(Operation):
    """Runs `UPDATE <table> SET <change> WHERE <broken>` in batches by primary key.

    Each batch is a transaction of its own, so no row is locked for longer than a batch takes, and
    a run that was killed goes on where it was: what is mended is no longer broken. Belongs in a
    migration with `atomic = False`. On the way back it does nothing.
    """

    reversible = True
    # sqlmigrate must not run it.
    reduces_to_sql = False

    def __init__(self, model_name: str, *, change: str, broken: str) -> None:
        self.model_name = model_name
        self.change = change
        self.broken = broken

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
        last, count = None, 0
        while True:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(
                    f"WITH batch AS (SELECT id FROM {table} WHERE ({self.broken})"  # noqa: S608
                    " AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s FOR UPDATE),"
                    f" mended AS (UPDATE {table} SET {self.change} FROM batch"
                    f" WHERE {table}.id = batch.id)"
                    " SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1), count(*) FROM batch",
                    [last, last, BATCH],
                )
                last, mended = cursor.fetchone()
            count += mended
            if mended < BATCH:
                break
        if count:
            print(f"\n    {table}: mended {count} rows ({self.change})", end="")

    def database_backwards(self, *args: Any, **kwargs: Any) -> None:
        """Leaves the rows mended: the older schema takes them as well."""

    def describe(self) -> str:
        """What is mended."""
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
