"""The engine where DATABASE_URL is unset: the first connection starts a server of our own.

NAME is created if the server hasn't it; HOST, PORT and USER are filled in once the server runs.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql.client import DatabaseClient as PsqlClient
from psycopg import OperationalError

from kitehub.db.backends.postgresql import base

if sys.platform == "win32":
    raise ImproperlyConfigured("The embedded PostgreSQL needs Linux or macOS; set DATABASE_URL.")

from kitehub.db.backends.embedded.cluster import Address, program
from kitehub.db.backends.embedded.server import EmbeddedServer, server_for


class DatabaseClient(PsqlClient):
    """`manage.py dbshell` with the psql that comes with the server."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """Says how to run the server's own psql; nobody needs another installed."""
        arguments, environment = super().settings_to_cmd_args_env(settings_dict, parameters)
        return [str(program("psql")), *arguments[1:]], environment

    def runshell(self, parameters: Iterable[str]) -> None:
        """Opens psql on a server that runs and a database that exists."""
        self.connection.ensure_connection()
        super().runshell(parameters)


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the server on settings.DATA_DIR; raises EmbeddedServerError if it can't run."""

    client_class = DatabaseClient

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        super().__init__(settings_dict, alias)
        # Test runners put the test database's NAME into this dict, which all threads share. A
        # test database is theirs to create, so we remember which one is ours.
        settings_dict.setdefault("PROJECT_NAME", settings_dict["NAME"])

    @property
    def server(self) -> EmbeddedServer:
        """The server behind this connection."""
        return server_for(Path(settings.DATA_DIR))

    def get_connection_params(self) -> dict[str, Any]:
        """Says how to connect, after starting the server if it must be."""
        self._point_at(self.server.address())
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connects, also where the server has died or the database isn't made yet."""
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            # Either the server died since this process last connected, or it is new.
            address = self.server.recover()
            self._point_at(address)
            if conn_params["dbname"] == self.settings_dict["PROJECT_NAME"]:
                self.server.ensure_database(conn_params["dbname"])
            return super().get_new_connection(
                {**conn_params, "host": address.host, "port": address.port}
            )

    def _point_at(self, address: Address) -> None:
        self.settings_dict.update(HOST=address.host, PORT=str(address.port))
        self.settings_dict["USER"] = self.settings_dict["USER"] or address.user
