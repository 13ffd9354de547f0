"""The engine for every DATABASE_URL: Django's own, on PostgreSQL 15 and later."""

from typing import Any

from django.db.backends.postgresql import base, features
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg.adapt import AdaptersMap

from kitehub.db.backends.postgresql import moments
from kitehub.db.gates import refusal_in

# Long enough for a slow network, short enough that a wrong address is told as one.
CONNECT_TIMEOUT_SECONDS = 10


class DatabaseFeatures(features.DatabaseFeatures):
    """Django's, from the version that the plan is written for; Django alone would accept 14."""

    minimum_database_version = (15,)


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's translation of errors, which knows one more: WritesRefused."""

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_value is not None and (refused := refusal_in(exc_value)):
            # The connection is as usable as before.
            raise refused.with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, which refuses a server that is too old and gives up on a silent one."""

    features_class = DatabaseFeatures

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        """How errors of the driver become Django's, or ours."""
        return ErrorWrapper(self)

    def get_connection_params(self) -> dict[str, Any]:
        """Says how to connect; OPTIONS may give another connect_timeout, in seconds."""
        params = super().get_connection_params()
        params.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
        if secret := self.settings_dict.get("SECRET"):
            # Decrypted here and nowhere else, so that nothing keeps it.
            params["password"] = secret.reveal()
        adapters = AdaptersMap(params["context"])
        moments.register(adapters)
        params["context"] = adapters
        return params

    def prepared_cursor(self) -> Any:
        """A cursor whose repeated statements the server keeps, where `prepare_threshold` is set.

        Django's own sends each statement whole, to be parsed and planned anew. For one
        statement at a time, in which the type of each value is clear.
        """
        self.ensure_connection()
        if self.connection.prepare_threshold is None:
            return self.cursor()
        with self.wrap_database_errors:
            cursor = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg]
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]
