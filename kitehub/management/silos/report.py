"""What people and programs see of `migrate_tenants`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from kitehub.management.schema.report import aligned, counted, name
from kitehub.management.silos.status import Standing
from kitehub.tenancy.fanout import Result, Silo, State, Step, Way

Lines = Iterator[str]
_SHOWN = 3


def _who(silo: Silo) -> str:
    return f"{_some(silo.tenants)} ({silo.address})"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"


# --- A run --------------------------------------------------------------------------------------


def result_lines(result: Result) -> Lines:
    """A line on what became of a silo, and what its data migrations printed."""
    done = f", {counted(len(result.done), 'migration')} done" if result.done else ""
    what = {
        State.MIGRATED: f"migrated{done}",
        State.FAILED: f"FAILED{done}: {result.error}",
        State.STOPPED: f"stopped{done}, {len(result.left):,} to do",
    }
    yield f"{_who(result.silo)}: {what.get(result.state, result.state)}"
    yield from (f"  {note}" for note in result.notes)


def plan_lines(results: Sequence[Result]) -> Lines:
    """What a run would do: each plan once, with the silos that it is for."""
    plans: dict[int, list[Result]] = {}
    for result in results:
        if result.state is State.TO_DO:
            plans.setdefault(id(result.steps), []).append(result)
    for same in plans.values():
        silos = [_who(result.silo) for result in same]
        yield f"{counted(len(same), 'silo')} would get, {_some(silos)}:"
        yield from aligned([_step(step) for step in same[0].steps], indent="  ")


def _step(step: Step) -> tuple[str, str]:
    how = {
        Way.SQL: "its SQL",
        Way.DJANGO: f"by Django ({step.why})",
        Way.RECORD: "only recorded",
    }
    names = [name(key) for key in step.migrations]
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return names[0] + more, how[step.way]


def summary(results: Sequence[Result]) -> str:
    """The number of silos, and of each state."""
    counts = Counter(result.state for result in results)
    each = ", ".join(f"{counts[state]:,} {state}" for state in State if counts[state])
    return f"{counted(len(results), 'silo')}: {each}." if results else "There is no silo."


def run_json(results: Sequence[Result], *, dry_run: bool) -> dict[str, Any]:
    """The same for programs."""
    counts = Counter(result.state for result in results)
    return {
        "dry_run": dry_run,
        "counts": {state.name.lower(): counts[state] for state in State},
        "silos": [
            {
                **_silo_json(result.silo),
                "state": result.state.name.lower(),
                "done": [name(key) for key in result.done],
                "left": [name(key) for key in result.left],
                "steps": [_step_json(step) for step in result.steps],
                "error": result.error or None,
                "notes": result.notes,
            }
            for result in results
        ],
    }


def _silo_json(silo: Silo) -> dict[str, Any]:
    return {"database": silo.address, "instances": list(silo.tenants)}


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "migrations": [name(key) for key in step.migrations],
        "way": step.way,
        "why": step.why or None,
    }


# --- Status -------------------------------------------------------------------------------------


def status_lines(standings: Sequence[Standing]) -> Lines:
    """A line for each silo, and below it each difference."""
    for standing in standings:
        yield f"{_who(standing.silo)}: {_state(standing)}"
        yield from (f"  {line}" for line in _strangers(standing))


def _state(standing: Standing) -> str:
    if standing.error:
        return f"FAILED: {standing.error}"
    behind = counted(len(standing.pending), "migration")
    where = f"{behind} to do" if standing.pending else "up to date"
    version = standing.version or "nothing yet"
    if standing.drift is None:
        return f"{version}, {where}"
    drift = counted(len(standing.drift), "difference") if standing.drift else "no differences"
    return f"{version}, {where}, {drift}"


def _strangers(standing: Standing) -> list[str]:
    unknown = [f"{name(key)} is recorded, but not in the code" for key in standing.unknown]
    return [*unknown, *(standing.drift or ())]


def status_json(standings: Sequence[Standing]) -> dict[str, Any]:
    """The same for programs; `drift` is null without --validate."""
    return {
        "silos": [
            {
                **_silo_json(standing.silo),
                "version": standing.version,
                "pending": [name(key) for key in standing.pending],
                "unknown": [name(key) for key in standing.unknown],
                "drift": standing.drift,
                "error": standing.error or None,
            }
            for standing in standings
        ]
    }
