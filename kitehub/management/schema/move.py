"""`schema to`: what a move to another version drops and changes, and the move itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Change, Drift, Key
from kitehub.db.versions import MigrationKey, label
from kitehub.management.schema import live as records
from kitehub.management.schema.live import Live
from kitehub.management.schema.obstacles import refuse_lost_keys, refuse_obstacles, refuse_users
from kitehub.management.schema.outcome import Refused, SchemaError

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Loss:
    """Something that a move drops. `rows` is how many rows, or values of a column, go with it."""

    key: Key
    rows: int | None


@dataclass(frozen=True)
class Move:
    """A way to a version: first `undone`, then `run`, each in its order.

    `taken_along` is what others made of the things that are dropped, such as a view.
    """

    target: int
    undone: tuple[MigrationKey, ...]
    run: tuple[MigrationKey, ...]
    dropped: tuple[Loss, ...]
    taken_along: tuple[Key, ...]
    changed: tuple[Drift, ...]
    made: tuple[Key, ...]

    @property
    def empty(self) -> bool:
        """Whether the database is at the version already."""
        return not self.undone and not self.run


def plan(live: Live, target: int) -> Move:
    """Works out a move and what it costs; changes nothing.

    V0 keeps what the plan takes for granted: people and Django's own tables. Raises Refused where
    there is no way, or where the database isn't ours to move.
    """
    if live.unknown:
        strangers = ", ".join(".".join(key) for key in live.unknown)
        raise Refused(f"The database has migrations that this code doesn't know: {strangers}.")
    wanted = live.versions.up_to(target)
    undone = tuple(
        key for key in reversed(live.versions.order) if key in live.recorded and key not in wanted
    )
    run = tuple(key for key in wanted if key not in live.recorded)
    for key in undone:
        migration = live.versions.migration(key)
        if not all(operation.reversible for operation in migration.operations):
            raise Refused(f"There is no way back from {'.'.join(key)}.")
    refuse_lost_keys(live, undone)
    refuse_obstacles(live, run)
    if not undone and not run:
        return Move(target, (), (), (), (), (), ())
    now, then = scratch.catalogs(live.connection, live.recorded, wanted)
    drifts = catalog.diff(now, then)
    refuse_users(live, _retyped(drifts), "change their types", ours=now)
    present = catalog.read(live.connection)
    dropped = [
        drift.key for drift in drifts if drift.change == Change.MISSING and drift.key in present
    ]
    users = catalog.dependents(live.connection, dropped)
    return Move(
        target=target,
        undone=undone,
        run=run,
        dropped=tuple(Loss(key, _rows(live.connection, key)) for key in dropped),
        taken_along=tuple(key for key in users if key not in now),
        changed=tuple(drift for drift in drifts if drift.change == Change.DIFFERS),
        made=tuple(drift.key for drift in drifts if drift.change == Change.EXTRA),
    )


def _retyped(drifts: Iterable[Drift]) -> list[tuple[str, str]]:
    return [
        (drift.key.table, drift.key.name)
        for drift in drifts
        if drift.change == Change.DIFFERS
        and drift.key.kind == "column"
        and any(aspect.name == "type" for aspect in drift.aspects)
    ]


def _rows(connection: BaseDatabaseWrapper, key: Key) -> int | None:
    quote = connection.ops.quote_name
    counted = {"table": "*", "column": quote(key.name)}.get(key.kind)
    if counted is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count({counted}) FROM {quote(key.table)}")  # noqa: S608
        return int(cursor.fetchone()[0])


def go(live: Live, move: Move, tell: Tell = lambda line: None) -> None:
    """Makes the move, each migration in its own transaction, as `migrate` does.

    Raises SchemaError where a migration fails, having kept those before it; its own changes are
    rolled back.
    """
    alias = live.connection.alias
    for keys, backwards in ((move.undone, True), (move.run, False)):
        if not keys:
            continue
        steps = [(live.versions.migration(key), backwards) for key in keys]
        progress = _Progress(tell)
        try:
            executor = MigrationExecutor(live.connection, progress)
            before = executor.loader.project_state(list(records.read(live.connection).recorded))
            emit_pre_migrate_signal(0, False, alias, apps=before.apps, plan=steps)
            after = executor.migrate([], plan=steps, state=None if backwards else before.clone())
            _rendered(after)
            emit_post_migrate_signal(0, False, alias, apps=after.apps, plan=steps)
        except (Error, IrreversibleError) as error:
            raise SchemaError(_stopped(live, progress, error)) from error


class _Progress:
    """Tells each migration as it begins, and remembers it."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.current: Migration | None = None

    def __call__(
        self, action: str, migration: Migration | None = None, fake: bool | None = None, /
    ) -> None:
        if action in {"apply_start", "unapply_start"}:
            self.current = migration
            self.tell(f"{'Undoing' if action.startswith('un') else 'Running'} {migration}")


def _rendered(state: ProjectState) -> None:
    """Gives the receivers of post_migrate whole models, as Django's migrate does."""
    state.clear_delayed_apps_cache()
    with state.apps.bulk_update():
        keys = [(each.app_label, each.name_lower) for each in state.apps.real_models]
        for key in keys:
            state.apps.unregister_model(*key)
    state.apps.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in keys])


def _stopped(live: Live, progress: _Progress, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    connection = connections[live.connection.alias]
    connection.close_if_unusable_or_obsolete()
    reached = records.read(connection)
    whole = [
        label(step.number)
        for step in reached.versions.steps
        if step.migrations and len(step.applied(reached.recorded)) == len(step.migrations)
    ]
    kept = "" if progress.current and not progress.current.atomic else " and was rolled back"
    return (
        f"{progress.current or 'The move'} failed{kept}: {reason}. "
        f"Complete in the database: {', '.join(whole) or 'nothing'}."
    )
