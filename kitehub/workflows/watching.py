"""What is seen of instances' databases: storage, schema, whether the opening was finished.

Pages read what was seen; only duties and levers look, because a silo may be away.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Exists, OuterRef
from django.utils import timezone
from psycopg import errors

from kitehub import tenancy
from kitehub.models import Instance, InstanceWatch
from kitehub.tenancy.fanout import (
    Reached,
    Result,
    Silo,
    State,
    applied,
    explained,
    gather,
    newest,
    reached,
    run_each,
)
from storage.models import UNLIMITED

JOBS = 8
_AT_ONCE = 1_000
_ERROR_LENGTH = 500

# A database that is older than a table or a column says nothing of it.
_TOO_OLD = (errors.UndefinedTable, errors.UndefinedColumn)
_LOOK = """
SELECT wanted.id, config.instance_id IS NOT NULL, usage.used_bytes, usage.limit_bytes
FROM unnest(%s::uuid[]) AS wanted (id)
LEFT JOIN instance_configs config ON config.instance_id = wanted.id
LEFT JOIN storage_usage usage ON usage.instance_id = wanted.id
"""
_STATE = ("reachable", "error", "looked_at")
_SEEN = (
    *("used_bytes", "limit_bytes", "nearly_full", "schema_version", "missing_migrations"),
    *("whole", "reached_at", *_STATE),
)


@dataclass(frozen=True)
class Watched:
    """What a round saw: so many instances, and the ids of those whose database can't be read."""

    looked: int
    unreachable: tuple[str, ...]


@dataclass
class _Sight:
    """One database as it was found. `rows` are config, used and limit by instance."""

    ids: list[UUID]
    have: frozenset[tuple[str, str]] = frozenset()
    rows: dict[UUID, tuple[bool, int | None, int | None]] = field(default_factory=dict)
    error: str = ""


def watch_instances(*, jobs: int = JOBS, at: datetime | None = None) -> Watched:
    """Looks into the pool and every silo, and keeps what it sees; `jobs` silos at a time.

    A silo that can't be read is kept as such, with why, and stops nobody. What is known of
    instances that are deleted is forgotten.
    """
    every = [(str(row.pk), row) for row in Instance.objects.order_by("pk")]
    gone = ~Exists(Instance.objects.filter(pk=OuterRef("instance_id")))
    InstanceWatch.objects.filter(gone).delete()
    return _watch(every, jobs=jobs, at=at or timezone.now())


def watch_instance(*, instance: Instance, at: datetime | None = None) -> InstanceWatch:
    """Looks into one instance's database, and keeps what it sees, also that it can't be read."""
    _watch([(str(instance.pk), instance)], jobs=1, at=at or timezone.now())
    return InstanceWatch.objects.get(instance=instance)


def note_schemas(results: Iterable[Result]) -> None:
    """Keeps what a run over silos made of their schemas, without looking again.

    `results` are of silos whose tenants go by their subdomains. What nobody has looked at yet, and
    what the run held back, is left to the next round.
    """
    lacking: dict[int, list[str]] = {}
    for result in results:
        if result.state in (State.UP_TO_DATE, State.MIGRATED, State.FAILED) and result.silo.alias:
            lacking.setdefault(len(result.left), []).extend(result.silo.tenants)
    for missing, names in lacking.items():
        schools = Instance.objects.filter(subdomain__in=names).values("pk")
        said: dict[str, Any] = {"missing_migrations": missing}
        if not missing:
            said["schema_version"] = newest()
        InstanceWatch.objects.filter(instance__in=schools).update(**said)


def _watch(named: Sequence[tuple[str, Instance]], *, jobs: int, at: datetime) -> Watched:
    silos, misplaced = gather(named)
    unreachable: list[str] = []
    standings: dict[frozenset[tuple[str, str]], Reached] = {}

    def keep(sight: _Sight) -> None:
        if sight.error:
            unreachable.extend(str(key) for key in sight.ids)
        elif sight.have not in standings:
            standings[sight.have] = reached(sight.have)
        _keep(sight, standings.get(sight.have), at)

    elsewhere = {UUID(name) for silo in silos for name in silo.tenants}
    for each in misplaced:
        elsewhere.add(UUID(each.tenant))
        keep(_Sight([UUID(each.tenant)], error=str(each.error)))
    pooled = [row.pk for _name, row in named if row.pk not in elsewhere]
    for start in range(0, len(pooled), _AT_ONCE):
        keep(_sight(tenancy.POOL, pooled[start : start + _AT_ONCE]))
    if silos:
        run_each(silos, _visit, jobs=jobs, tell=keep)
    return Watched(len(named), tuple(sorted(unreachable)))


def _visit(silo: Silo) -> _Sight:
    keys = [UUID(name) for name in silo.tenants]
    try:
        return _sight(silo.alias, keys)
    except Exception as error:
        return _Sight(keys, error=explained(error, silo.alias))


def _sight(alias: str, keys: Collection[UUID]) -> _Sight:
    connection = connections[alias]
    sight = _Sight(sorted(keys), have=applied(connection) or frozenset())
    with connection.cursor() as cursor:
        try:
            cursor.execute(_LOOK, [sight.ids])
        except Exception as error:
            if not isinstance(error.__cause__, _TOO_OLD):
                raise
        else:
            sight.rows = {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}
    return sight


def _keep(sight: _Sight, standing: Reached | None, at: datetime) -> None:
    """One upsert; of a database that couldn't be read what was seen before stays."""
    InstanceWatch.objects.bulk_create(
        # In one order, so that two rounds at once don't wait for each other both ways.
        [_seen_of(key, sight, standing, at) for key in sorted(sight.ids)],
        update_conflicts=True,
        unique_fields=["instance"],
        update_fields=_STATE if sight.error else _SEEN,
    )


def _seen_of(key: UUID, sight: _Sight, standing: Reached | None, at: datetime) -> InstanceWatch:
    watch = InstanceWatch(instance_id=key, looked_at=at, error=sight.error[:_ERROR_LENGTH])
    watch.reachable = not sight.error
    watch.nearly_full = watch.whole = False
    watch.schema_version, watch.missing_migrations = "", 0
    if standing is None:
        return watch
    has_config, used, limit = sight.rows.get(key, (False, None, None))
    watch.schema_version, watch.missing_migrations = standing.version, len(standing.missing)
    watch.whole = has_config
    watch.used_bytes = used
    watch.limit_bytes = None if limit == UNLIMITED else limit
    watch.nearly_full = used is not None and limit is not None and used * 10 > limit * 9
    watch.reached_at = at
    return watch
