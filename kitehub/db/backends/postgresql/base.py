"""The engine for every DATABASE_URL: Django's own, on PostgreSQL 15 and later."""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql import base, features
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import TimestamptzLoader

# Long enough for a slow network, short enough that a wrong address is told as one.
CONNECT_TIMEOUT_SECONDS = 10


class DatabaseFeatures(features.DatabaseFeatures):
    """Django's, from the version that the plan is written for; Django alone would accept 14."""

    minimum_database_version = (15,)


class InstantLoader(TimestamptzLoader):
    """Reads an instant as it is, in UTC.

    Django's loader writes UTC over the offset that the server sent: after a `SET TIME ZONE` in the
    session each value it reads is off by hours, and saving it stores the shift.
    """

    timezone = UTC  # what Django compares with the connection's zone

    def load(self, data: Buffer) -> datetime:
        """The same instant, with UTC as its zone."""
        return super().load(data).astimezone(self.timezone)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, which refuses a server that is too old and gives up on a silent one."""

    features_class = DatabaseFeatures

    def get_connection_params(self) -> dict[str, Any]:
        """Says how to connect; OPTIONS may give another connect_timeout, in seconds."""
        params = super().get_connection_params()
        params.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
        if secret := self.settings_dict.get("SECRET"):
            # Decrypted here and nowhere else, so that nothing keeps it.
            params["password"] = secret.reveal()
        adapters = AdaptersMap(params["context"])
        adapters.register_loader("timestamptz", InstantLoader)
        params["context"] = adapters
        return params
