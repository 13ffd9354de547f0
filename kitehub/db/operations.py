"""Migration operations: SQL kept in files beside the migration."""

from collections.abc import Sequence
from pathlib import Path

from django.db import migrations
from django.db.migrations.operations.base import Operation


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
