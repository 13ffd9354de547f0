"""Migration operations: SQL kept in files beside the migration."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.postgres import operations
from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db import migrations, router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.migrations.operations import AddConstraint
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class RunSQLFile(migrations.RunSQL):
    """Runs `sql/<migration>[.<part>].up.sql`, and the `.down.sql` beside it on the way back.

    `models` names the models ("app.Model") that the SQL is about; routers get them as the hint
    `models`, so that a statement runs only in the databases where these tables live. Platform and
    tenant tables therefore never share a file.

    Raises FileNotFoundError when the migration is loaded and either file is missing.
    """

    def __init__(
        self,
        migration: str,
        *,
        models: Sequence[str],
        part: str = "",
        state_operations: Sequence[Operation] = (),
    ) -> None:
        path = Path(migration)
        stem = f"{path.stem}.{part}" if part else path.stem
        self.name = stem
        up, down = (path.parent / "sql" / f"{stem}.{way}.sql" for way in ("up", "down"))
        super().__init__(
            up.read_text("utf-8"),
            down.read_text("utf-8"),
            state_operations=list(state_operations),
            hints={"models": tuple(models)},
        )

    def describe(self) -> str:
        """The file's name, which says more than the SQL's first words."""
        return f"Run {self.name}.up.sql"


class CreateExtension(operations.CreateExtension):
    """Makes an extension in the databases where these models' tables live, if it isn't there.

    Django's own names no model, so routers keep it out of silos. A role without the right fails;
    once a superuser has made the extension, the migration finds it there.
    """

    def __init__(self, name: str, *, models: Sequence[str]) -> None:
        super().__init__(name)
        self.hints = {"models": tuple(models)}

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Makes it."""
        alias = schema_editor.connection.alias
        if router.allow_migrate(alias, app_label, **self.hints) and not self.extension_exists(
            schema_editor, self.name
        ):
            # As who signed in: the group that owns silos' tables may make none, its members may
            # where they own the database.
            with schema_editor.connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('role')")
                role = cursor.fetchone()[0]
                cursor.execute("SET ROLE NONE")
                schema_editor.execute(f"CREATE EXTENSION {schema_editor.quote_name(self.name)}")
                cursor.execute("SELECT set_config('role', %s, false)", [role])

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drops it."""
        alias = schema_editor.connection.alias
        if router.allow_migrate(alias, app_label, **self.hints):
            name = schema_editor.quote_name(self.name)
            schema_editor.execute(f"DROP EXTENSION IF EXISTS {name}")


class BuildIndex(AddIndexConcurrently):
    """Builds an index while the table is read and written; alone in a non-atomic migration.

    A build that was killed leaves an invalid index of its name, which the next run replaces. One
    that the killed run had finished is kept; a sound index of the name that is another one is an
    error. It waits for older transactions as long as they take: it blocks nobody meanwhile, so
    migrate's `lock_timeout` is not for it.
    """

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Adds the index to the model's state.

        Django would render anew the model and all that refer to it, which is half of what
        migrating takes. Their fields are the same, so the rendered model is told of the index.
        """
        key = (app_label, self.model_name_lower)
        options = state.models[key].options
        options["indexes"] = [*options.get("indexes", ()), self.index.clone()]
        if "apps" in vars(state):
            meta = state.apps.get_model(*key)._meta
            meta.indexes = [*meta.indexes, self.index]

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drops the remains of a killed build, then builds what isn't built already."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        said = self.index.create_sql(model, schema_editor)
        with _unhurried(schema_editor, self.index.name):
            if not _is_built(schema_editor, self.index.name, model._meta.db_table, said):
                super().database_forwards(app_label, schema_editor, from_state, to_state)


class BuildUnique(NotInTransactionMixin, AddConstraint):
    """Builds the unique index of a partial UniqueConstraint as BuildIndex builds an index."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drops the remains of a killed build, then builds what isn't built already."""
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        said = self.constraint.create_sql(model, schema_editor)
        name, table = self.constraint.name, model._meta.db_table
        with _unhurried(schema_editor, name):
            if not _is_built(schema_editor, name, table, said):
                schema_editor.execute(
                    str(said).replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1)
                )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drops it while the table is read and written."""
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            name = schema_editor.quote_name(self.constraint.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


@contextmanager
def _unhurried(schema_editor: BaseDatabaseSchemaEditor, index: str) -> Iterator[None]:
    """Takes an invalid index of this name away, and lets what is within wait for its locks."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        timeout = cursor.fetchone()[0]
        cursor.execute("SET lock_timeout = 0")
        try:
            cursor.execute(
                "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))"
                " AND NOT indisvalid",
                [index],
            )
            if cursor.fetchone():
                schema_editor.execute(f'DROP INDEX CONCURRENTLY "{index}"')
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [timeout])


def _is_built(schema_editor: BaseDatabaseSchemaEditor, index: str, table: str, said: Any) -> bool:
    """Whether a table has just the index that a statement would create.

    Several builds may share a migration, and one that was killed between two of them begins anew.
    PostgreSQL spells definitions in its own way, so the statement is tried on an empty copy.
    """
    definition = "SELECT pg_get_indexdef(to_regclass(quote_ident(%s)))"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(definition, [index])
        (standing,) = cursor.fetchone()
        if standing is None:
            return False
        names = {"name": '"kitehub_probe_index"', "table": '"kitehub_probe"'}
        probe = Statement(said.template, **{**said.parts, **names})
        cursor.execute(f'CREATE TEMPORARY TABLE "kitehub_probe" (LIKE "{table}")')
        try:
            cursor.execute(str(probe))
            cursor.execute(definition, ["kitehub_probe_index"])
            (wanted,) = cursor.fetchone()
        finally:
            cursor.execute('DROP TABLE "kitehub_probe"')
    return bool(_body(standing) == _body(wanted))


def _body(definition: str) -> tuple[bool, str]:
    """An index's definition without its own name and its table's: unique or not, and of what."""
    head, _, rest = definition.partition(" USING ")
    return head.startswith("CREATE UNIQUE"), rest
