"""What an operator can mend, said in one line: in English, as a sentence that can be translated.

A wrong address, a missing right or a full server is the operator's; everything else is a bug and
keeps its traceback. Errors that happen while connecting carry no SQLSTATE, so those are told apart
by the server's English words; a server that speaks another language is quoted instead.
"""

import re
from collections.abc import Callable, Iterator

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections
from django.db.migrations.exceptions import MigrationSchemaMissing

# Not by way of django.utils.translation, which reads the settings: an error may be about them.
from django.utils.translation.trans_real import gettext_noop as noop

from kitehub.db.gates import refusal_in
from kitehub.db.sentences import Sentence

SUPPORTED = "15 to 18"
# Where the address is that may be wrong, unless whoever asks knows better.
SETTING = "DATABASE_URL"


class EmbeddedServerError(Exception):
    """The embedded server can't run; the message tells the operator why and what to do."""


def explain(error: BaseException, *, using: str = DEFAULT_DB_ALIAS) -> str | None:
    """Returns one line that says what is wrong and what to do, or None if the error is a bug.

    `using` is the database alias to name where the error itself doesn't say which server it came
    from. Never contains a password.
    """
    for link in _causes(error):
        for rule in (_configuration, _too_old, _connecting, _working):
            if line := rule(link, using):
                one_line = " ".join(line.split())
                return line if line == one_line else one_line
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it. What merely happened before a bug doesn't explain the bug."""
    link: BaseException | None = error
    while link is not None:
        yield link
        # Django raises this one while it handles the cause, not from it.
        implicit = link.__context__ if isinstance(link, MigrationSchemaMissing) else None
        link = link.__cause__ or implicit


# --- Rules: each returns a line for the errors that it knows -----------------------------------


def _configuration(error: BaseException, using: str) -> str | None:
    return str(error) if isinstance(error, ImproperlyConfigured | EmbeddedServerError) else None


def _too_old(error: BaseException, using: str) -> str | None:
    found = re.search(r"PostgreSQL .* required \(found ([\d.]+)\)", str(error))
    if not isinstance(error, NotSupportedError) or not found:
        return None
    return Sentence(
        noop(
            "%(server)s is PostgreSQL %(version)s, and KiteHub runs on %(supported)s. Point "
            "%(setting)s at one of these."
        ),
        server=_Server(using),
        version=found[1],
        supported=SUPPORTED,
        setting=SETTING,
    )


def _connecting(error: BaseException, using: str) -> str | None:
    message = str(error)
    # An unknown host is found out before there is an attempt.
    attempted = getattr(error, "pgconn", None) is not None or "failed to resolve host" in message
    if not isinstance(error, psycopg.OperationalError) or not attempted:
        return None
    server = _Server(using, error.pgconn)
    if unknown := re.search(r"failed to resolve host '(.+?)'", message):
        server.host = unknown[1]
    for pattern, say in _REFUSALS.items():
        if re.search(pattern, message):
            return say(server)
    return Sentence(
        noop("%(server)s refused the connection: %(reason)s Check %(setting)s."),
        server=server,
        reason=_reason(message),
        setting=SETTING,
    )


def _working(error: BaseException, using: str) -> str | None:
    if not isinstance(error, psycopg.Error):
        return None
    if refused := refusal_in(error):
        return str(refused)
    server = _Server(using)
    if error.sqlstate in {"42501", "3F000"}:
        return _missing_right(str(error.diag.message_primary or error), server)
    assumed = (connections[using].settings_dict.get("OPTIONS") or {}).get("assume_role")
    unknown = _UNKNOWN_ROLE.fullmatch(error.diag.message_primary or "")
    if unknown and unknown[1] == f'"{assumed}"':
        return Sentence(
            noop("%(server)s has no role %(role)s. Correct assume_role in %(setting)s."),
            server=server,
            role=unknown[1],
            setting=SETTING,
        )
    if error.sqlstate in _STATES:
        return _STATES[error.sqlstate](server)
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return Sentence(
            noop("%(server)s ended the connection: %(reason)s Try again."),
            server=server,
            reason=_reason(str(error)),
        )
    return None


_UNKNOWN_ROLE = re.compile(r'role ("[^"]+") does not exist')

# --- The server that an error is about ----------------------------------------------------------


class _Server:
    """Names for the server, role and database of an error, from the attempt or the settings."""

    def __init__(self, using: str, attempt: "psycopg.pq.abc.PGconn | None" = None) -> None:
        settings = connections[using].settings_dict
        self.host: str = settings["HOST"] or "localhost"
        self.port: str = settings["PORT"] or "5432"
        self.role: str = settings["USER"]
        self.database: str = settings["NAME"]
        if attempt is not None:
            self.host = _text(attempt.host) or self.host
            self.port = _text(attempt.port) or self.port
            self.role = _text(attempt.user) or self.role
            self.database = _text(attempt.db) or self.database
        elif assumed := settings["OPTIONS"].get("assume_role"):
            self.role = assumed
        elif (live := connections[using].connection) is not None and not live.closed:
            self.role = live.info.user

    def __str__(self) -> str:
        if self.host.startswith("/"):
            return Sentence(noop("The server at the socket in %(host)s"), host=self.host)
        return Sentence(noop("The server at %(address)s"), address=f"{self.host}:{self.port}")

    @property
    def quoted_role(self) -> str:
        """The role as SQL spells it; a place to fill in where it isn't known."""
        return _identifier(self.role) if self.role else "<your role>"


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _reason(message: str) -> str:
    """The part of libpq's message that says why, as a sentence."""
    first = next((line for line in message.splitlines() if line.strip()), "no reason given")
    for mark in ("FATAL:  ", "failed: ", "connection is bad: "):
        first = first.rpartition(mark)[2]
    return first.strip().rstrip(".") + "."


# --- Missing rights -----------------------------------------------------------------------------

# PostgreSQL's words to the statement that its owner runs; {0} is what the message names.
_GRANTS = {
    r"permission denied for schema (.+)": "GRANT USAGE, CREATE ON SCHEMA {0} TO {role};",
    r"permission denied for database (.+)": "GRANT CONNECT, CREATE ON DATABASE {0} TO {role};",
    r"permission denied for (?:table|view) (.+)": (
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {0} TO {role};"
    ),
    r"permission denied for sequence (.+)": "GRANT USAGE, SELECT ON SEQUENCE {0} TO {role};",
    r"permission denied for function (.+)": "GRANT EXECUTE ON FUNCTION {0} TO {role};",
    r"permission denied for language (.+)": "GRANT USAGE ON LANGUAGE {0} TO {role};",
    r"permission denied for type (.+)": "GRANT USAGE ON TYPE {0} TO {role};",
    r"permission denied to create database": "ALTER ROLE {role} CREATEDB;",
    r"permission denied to create role": "ALTER ROLE {role} CREATEROLE;",
    r"permission denied to create extension (.+)": "CREATE EXTENSION {0};",
    r"must be owner of (\w+) (.+)": "ALTER {0} {1} OWNER TO {role};",
}


def _missing_right(message: str, server: _Server) -> str:
    where: dict[str, object] = {"role": server.quoted_role, "database": server.database}
    if "no schema has been selected" in message:
        return Sentence(
            noop(
                "No schema of the search path is there for the role %(role)s in the database "
                "%(database)s. Correct search_path where it is set, or as the owner run: "
                "%(statement)s"
            ),
            statement=f"GRANT USAGE, CREATE ON SCHEMA public TO {server.quoted_role};",
            **where,
        )
    for pattern, grant in _GRANTS.items():
        if found := re.search(pattern, message):
            names = [name.upper() if name == "table" else name for name in found.groups()]
            return Sentence(
                noop(
                    "The role %(role)s lacks a right in the database %(database)s (%(said)s). As "
                    "the owner or a superuser run: %(statement)s"
                ),
                said=message,
                statement=grant.format(*names, role=server.quoted_role),
                **where,
            )
    return Sentence(
        noop(
            "The role %(role)s lacks a right in the database %(database)s: %(said)s. Ask the owner "
            "of the database for it."
        ),
        said=message,
        **where,
    )


# --- What the server says while connecting, and later ---------------------------------------------


_Say = Callable[[_Server], str]


def _saying(message: str) -> _Say:
    """A rule that says a message of a server, which may name its role and its database."""

    def say(server: _Server) -> str:
        return Sentence(
            message,
            server=server,
            host=server.host,
            role=server.quoted_role,
            database=server.database,
            identifier=_identifier(server.database),
            setting=SETTING,
        )

    return say


def _no_connect_right(server: _Server) -> str:
    return _missing_right(f"permission denied for database {_identifier(server.database)}", server)


_no_answer = _saying(
    noop("%(server)s doesn't answer. Start it, or correct the host and port in %(setting)s.")
)
_no_host = _saying(noop("The host %(host)s is unknown. Correct it in %(setting)s."))
_no_database = _saying(
    noop(
        "%(server)s has no database %(database)s. Create it (CREATE DATABASE %(identifier)s;), or "
        "correct the name in %(setting)s."
    )
)
_bad_login = _saying(
    noop(
        "%(server)s doesn't let the role %(role)s in: the role or its password is wrong. Correct "
        "them in %(setting)s."
    )
)
_no_entry = _saying(
    noop(
        "%(server)s has no entry in pg_hba.conf that lets the role %(role)s connect to "
        "%(database)s from here. Add one there, or correct %(setting)s."
    )
)
_full = _saying(
    noop("%(server)s has no connection left. Close some, or raise its max_connections.")
)
_not_ready = _saying(noop("%(server)s is starting up or shutting down. Try again in a moment."))
_ended = _saying(
    noop("%(server)s ended the connection: it is being shut down. Try again once it is back.")
)
_read_only = _saying(
    noop("%(server)s is read-only, so probably a standby. Point %(setting)s at the primary.")
)
_locked = _saying(
    noop(
        "%(server)s has a table locked by somebody else, and the wait for it ran out. What was not "
        "done yet can be run again once they have finished."
    )
)
_deadlocked = _saying(
    noop(
        "%(server)s ended a deadlock with somebody else's transaction by ending ours. What was not "
        "done yet can be run again."
    )
)
_disk_full = _saying(noop("%(server)s has no disk space left. Free some, then try again."))


_REFUSALS: dict[str, _Say] = {
    r"database \".*\" does not exist": _no_database,
    r"authentication failed|role \".*\" does not exist|no password supplied": _bad_login,
    r"is not permitted to log in": _bad_login,
    r"no pg_hba.conf entry|pg_hba.conf rejects": _no_entry,
    r"permission denied for database": _no_connect_right,
    r"too many (clients|connections)|remaining connection slots": _full,
    r"the database system is": _not_ready,
    r"could not translate host name|failed to resolve host": _no_host,
    r"Connection refused|No such file or directory|timeout|timed out|unreachable": _no_answer,
}
_STATES: dict[str, _Say] = {
    "3D000": _no_database,
    "28000": _no_entry,
    "28P01": _bad_login,
    "53100": _disk_full,
    "55P03": _locked,
    "40P01": _deadlocked,
    "53300": _full,
    "57P01": _ended,
    "57P03": _not_ready,
    "25006": _read_only,
}
