"""What in a silo stands in the way of its migrations, looked for before the first of them."""

from collections.abc import Sequence
from dataclasses import replace

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.versions import MigrationKey
from kitehub.management.schema import live as records
from kitehub.management.schema import obstacles
from kitehub.management.schema.live import Live
from kitehub.management.schema.outcome import Refused
from kitehub.tenancy.fanout.plans import STATES
from kitehub.tenancy.fanout.recording import concerns


class InTheWay(ImproperlyConfigured):
    """Why nothing was done in a silo, in one line."""


class Lookout:
    """Looks at silos, from several threads; what is known of the code is read once."""

    def __init__(self) -> None:
        self._known: dict[frozenset[MigrationKey], Live] = {}

    def look(
        self,
        connection: BaseDatabaseWrapper,
        have: frozenset[MigrationKey],
        keys: Sequence[MigrationKey],
    ) -> None:
        """Raises InTheWay where not all migrations of `keys` can run in this silo."""
        with STATES:
            if have not in self._known:
                self._known[have] = records.read(connection)
            found = replace(self._known[have], connection=connection)
        # A squashed migration's parts are in no order of ours.
        known = [key for key in keys if key in found.versions.of]
        migrations = ((key, found.versions.migration(key)) for key in known)
        here = [key for key, migration in migrations if concerns(connection.alias, migration)]
        try:
            obstacles.refuse_obstacles(found, here)
        except Refused as error:
            details = f" {'; '.join(error.details)}" if error.details else ""
            raise InTheWay(f"{error}{details}") from error
