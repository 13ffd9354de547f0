"""What people and programs see of a schema command: aligned lines, and JSON."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from kitehub.db.catalog import Drift, Key
from kitehub.db.versions import MigrationKey, label
from kitehub.management.schema.baseline import Baseline
from kitehub.management.schema.info import Info, Row
from kitehub.management.schema.move import Loss, Move
from kitehub.management.schema.obstacles import not_taken_over
from kitehub.management.schema.validate import Validation

Lines = Iterator[str]


# --- Pieces -------------------------------------------------------------------------------------


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> Lines:
    """Rows as columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield indent + "  ".join(cells).rstrip()


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: 1 row, 1,204 rows."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def name(key: MigrationKey) -> str:
    """A migration as Django writes it."""
    return ".".join(key)


def _names(keys: Iterable[MigrationKey]) -> list[str]:
    return [name(key) for key in keys]


def _local(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


# --- info ---------------------------------------------------------------------------------------


def info_lines(info: Info) -> Lines:
    """A table of the versions, and what to do next."""
    zone = timezone.get_current_timezone_name()
    head = ("Version", "Description", "State", f"Applied at ({zone})")
    rows = [
        (
            label(row.number),
            textwrap.shorten(row.description, 60, placeholder=" …"),
            _state(row),
            _local(row.applied_at),
        )
        for row in info.rows
    ]
    lines = list(aligned([head, *rows]))
    yield lines[0]
    yield "-" * max(map(len, lines))
    yield from lines[1:]
    yield ""
    for key in info.unknown:
        yield f"Recorded in the database, but not in the code: {name(key)}"
    if info.flyway_table:
        yield not_taken_over(info.flyway_table)
    elif info.pending:
        yield f"Pending: {', '.join(info.pending)}. Run `manage.py migrate`."
    else:
        yield "Up to date."


def _state(row: Row) -> str:
    if row.applied and row.pending:
        return f"{row.state} ({len(row.applied)} of {len(row.applied) + len(row.pending)})"
    return row.state


def info_json(info: Info) -> dict[str, Any]:
    """The same for programs; moments are ISO 8601 with their offset."""
    return {
        "current": info.current,
        "pending": info.pending,
        "unknown": _names(info.unknown),
        "flyway_table": info.flyway_table,
        "versions": [
            {
                "version": label(row.number),
                "description": row.description,
                "state": row.state,
                "applied_at": row.applied_at and timezone.localtime(row.applied_at).isoformat(),
                "applied": _names(row.applied),
                "pending": _names(row.pending),
            }
            for row in info.rows
        ],
    }


# --- validate -----------------------------------------------------------------------------------


def validation_lines(validation: Validation) -> Lines:
    """A line for each difference."""
    yield from validation.lines
    if validation.clean:
        yield f"No differences in {counted(validation.compared, 'part')} of the schema."


def validation_json(validation: Validation) -> dict[str, Any]:
    """The same for programs, with both sides of each difference in full."""
    return {
        "clean": validation.clean,
        "compared": validation.compared,
        "unknown": _names(validation.unknown),
        "differences": [_drift_json(drift) for drift in validation.drifts],
    }


def _drift_json(drift: Drift) -> dict[str, Any]:
    return {
        "change": drift.change,
        **_key_json(drift.key),
        "text": str(drift),
        "aspects": [aspect._asdict() for aspect in drift.aspects],
    }


def _key_json(key: Key) -> dict[str, str]:
    return {"kind": key.kind, "table": key.table, "name": key.name}


# --- to -----------------------------------------------------------------------------------------


def move_lines(move: Move) -> Lines:
    """What a move drops, changes and makes."""
    if move.dropped:
        yield "Will be dropped:"
        yield from aligned([(str(loss.key), _rows(loss)) for loss in move.dropped], indent="  ")
    if move.taken_along:
        yield "Will be dropped with it, though KiteHub did not make it:"
        yield from (f"  {key}" for key in move.taken_along)
    if move.changed:
        yield "Will be changed:"
        yield from (f"  {_change(drift)}" for drift in move.changed)
    if move.made:
        yield "Will be made:"
        yield from (f"  {key}" for key in move.made)
    if move.undone:
        yield f"{counted(len(move.undone), 'migration')} to undo."
    if move.run:
        yield f"{counted(len(move.run), 'migration')} to run."


def _rows(loss: Loss) -> str:
    if loss.rows is None:
        return ""
    return counted(loss.rows, "row" if loss.key.kind == "table" else "value")


def _change(drift: Drift) -> str:
    aspects = ", ".join(
        f"{aspect.name} {aspect.expected or 'none'} -> {aspect.actual or 'none'}"
        if str(aspect) != aspect.name
        else aspect.name
        for aspect in drift.aspects
    )
    return f"{drift.key}: {aspects}"


def move_json(move: Move, *, done: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "target": label(move.target),
        "done": done,
        "dropped": [{**_key_json(loss.key), "rows": loss.rows} for loss in move.dropped],
        "taken_along": [_key_json(key) for key in move.taken_along],
        "changed": [_drift_json(drift) for drift in move.changed],
        "made": [_key_json(key) for key in move.made],
        "undone": _names(move.undone),
        "run": _names(move.run),
    }


# --- baseline, clean ----------------------------------------------------------------------------


def baseline_lines(baseline: Baseline, *, dry_run: bool) -> Lines:
    """What was, or would be, recorded and run."""
    source = f"Flyway's history ({baseline.table})" if baseline.table else "--at"
    yield f"The schema is exactly what {label(baseline.version)} makes, as {source} says."
    yield f"{'Would be run' if dry_run else 'Run'}, for people and Django's own tables:"
    yield from (f"  {each}" for each in _names(baseline.run) or ["nothing: they are there"])
    yield f"{'Would be recorded' if dry_run else 'Recorded'} as applied, without running:"
    yield from (f"  {each}" for each in _names(baseline.recorded))
    for description in baseline.repeatable:
        yield f"Left alone: the repeatable migration {description}; no migration here replaces it."
    yield (
        "Nothing was changed: this was a dry run."
        if dry_run
        else "No row was touched. Go on with `manage.py migrate`."
    )


def baseline_json(baseline: Baseline, *, dry_run: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "version": label(baseline.version),
        "dry_run": dry_run,
        "flyway_table": baseline.table,
        "repeatable": list(baseline.repeatable),
        "run": _names(baseline.run),
        "recorded": _names(baseline.recorded),
    }


def clean_lines(dropped: Sequence[Key]) -> Lines:
    """What was dropped."""
    yield from (f"Dropped {key}" for key in dropped)
    if not dropped:
        yield "Nothing to drop: no migration is recorded."


def clean_json(dropped: Sequence[Key]) -> dict[str, Any]:
    """The same for programs."""
    return {"dropped": [_key_json(key) for key in dropped]}
