"""`migrate_tenants --status`: the version of each silo, and what was changed there by hand."""

from dataclasses import dataclass, field

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Catalog, Key
from kitehub.db.versions import MigrationKey
from kitehub.management.schema import live as records
from kitehub.management.schema.info import info
from kitehub.management.schema.obstacles import refuse_untaken
from kitehub.management.schema.validate import differences
from kitehub.tenancy import POOL
from kitehub.tenancy.fanout import Silo, explained
from kitehub.tenancy.fanout.plans import STATES, applied


@dataclass
class Standing:
    """Where a silo stands. `drift` is None where nobody looked; `error` is one line."""

    silo: Silo
    version: str | None = None
    pending: tuple[MigrationKey, ...] = ()
    unknown: tuple[MigrationKey, ...] = ()
    drift: list[str] | None = None
    error: str = ""


@dataclass
class _Known:
    """What silos with the same migrations applied have in common."""

    version: str | None
    pending: tuple[MigrationKey, ...]
    unknown: tuple[MigrationKey, ...]
    expected: Catalog | None = None
    reserved: frozenset[Key] = field(default_factory=frozenset)


class Survey:
    """Looks at silos, from several threads; what their migrations make is built once."""

    def __init__(self, *, validate: bool) -> None:
        self._validate = validate
        self._known: dict[tuple[int, frozenset[MigrationKey]], _Known] = {}

    def visit(self, silo: Silo) -> Standing:
        """Where the silo stands; a silo that can't be read is an error of its own."""
        standing = Standing(silo)
        try:
            connection = connections[silo.alias]
            known = self._of(connection)
            standing.version, standing.pending = known.version, known.pending
            standing.unknown = known.unknown
            if known.expected is not None:
                found = catalog.read(connection)
                drifts = differences(known.expected, found, reserved=known.reserved)
                standing.drift = [str(drift) for drift in drifts]
        except Exception as error:
            standing.error = explained(error, silo.alias)
        return standing

    def _of(self, connection: BaseDatabaseWrapper) -> _Known:
        have = applied(connection) or frozenset()
        pg_version: int = connection.pg_version  # type: ignore[attr-defined]
        # Each major version of PostgreSQL prints its catalog in its own way.
        key = pg_version // 10_000, have
        with STATES:
            if key not in self._known:
                self._known[key] = self._learn(connection)
            return self._known[key]

    def _learn(self, connection: BaseDatabaseWrapper) -> _Known:
        live = records.read(connection)
        known = _Known(info(live).current, live.pending, live.unknown)
        if self._validate:
            refuse_untaken(live)
            known.expected, everything = scratch.catalogs(
                _workshop(connection), live.recorded, live.versions.order
            )
            known.reserved = frozenset(everything)
        return known


def _workshop(silo: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Where a scratch schema may be made: a silo's own role has no right to make one there.

    The platform's database under the silo's alias, so that routers decide as for the silo; the silo
    itself where its server is of another version, which prints its catalog in another way.
    """
    pool = connections[POOL]
    versions = [each.pg_version // 10_000 for each in (pool, silo)]  # type: ignore[attr-defined]
    if versions[0] != versions[1]:
        return silo
    pool.ensure_connection()  # the embedded server's address is known from then on
    return type(pool)(dict(pool.settings_dict), silo.alias)
