"""When the embedded server runs, and who uses it.

The first connection of any process starts it, and the end of the last process that used it stops
it. Each process that uses it holds a shared lock on `postgres.users` in the data folder; making,
starting and stopping hold an exclusive one on `postgres.lock`. The kernel gives up the locks of a
process however it ends, so a killed process is never counted: at worst the server that it leaves
running is taken over by the next process that connects, and stopped at that one's end.

A forked process uses the server on its own account. Threads of one process share one server.

Environment: `KITEHUB_EMBEDDED_FSYNC=off` starts the server without waiting for the disk, for tests;
whatever else is set, and by default, it is durable.
"""

import atexit
import contextlib
import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from kitehub.db.backends.embedded.cluster import (
    FIRST_NOTICE_SECONDS,
    POLL_SECONDS,
    Address,
    Cluster,
)
from kitehub.db.errors import EmbeddedServerError

logger = logging.getLogger("kitehub.db.embedded")


class EmbeddedServer:
    """The server on one data folder, as this process uses it. Make one with `server_for`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._cluster = Cluster(data_dir)
        self._mutex = threading.RLock()
        self._address: Address | None = None
        self._use: int | None = None
        self._use_of_child: int | None = None

    def address(self) -> Address:
        """Returns where the server is, after starting it if this process hasn't used it yet.

        Raises EmbeddedServerError.
        """
        with self._mutex:
            if self._address is None:
                self._address = self._join()
            return self._address

    def recover(self) -> Address:
        """Asks whether the server still answers, starts it again if not, and says where it is.

        Raises EmbeddedServerError.
        """
        with self._mutex:
            self._address = None
            return self.address()

    def ensure_database(self, name: str) -> None:
        """Creates an empty UTF-8 database unless there is one of that name."""
        with psycopg.connect(self.address().conninfo(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if found.fetchone():
                return
            logger.info("Creating the database %s", name)
            create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
            try:
                connection.execute(create.format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another process was first

    def release(self) -> None:
        """Ends this process's use of the server, and the server if nobody else uses it."""
        with self._mutex:
            use, self._use, self._address = self._use, None, None
            if use is None:
                return
            try:
                with self._exclusive():
                    # A data folder that was deleted and made again has other users than we knew.
                    if self._is_current(use, self._users_file) and _try_lock(use, fcntl.LOCK_EX):
                        self._cluster.stop()
            except (OSError, KeyboardInterrupt):
                logger.debug("The server could not be stopped in order", exc_info=True)
            finally:
                self._cluster.disown()
                os.close(use)

    def before_fork(self) -> None:
        """Takes the child's lock before there is a child, as the parent may end at once."""
        self._mutex.acquire()
        with contextlib.suppress(FileNotFoundError):
            if self._use is not None:
                # With a shared file description the child's lock would end with the parent's.
                self._use_of_child = os.open(self._users_file, os.O_RDONLY)
                fcntl.flock(self._use_of_child, fcntl.LOCK_SH)

    def after_fork_in_parent(self) -> None:
        """Leaves the child's lock to the child."""
        if self._use_of_child is not None:
            os.close(self._use_of_child)
            self._use_of_child = None
        self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Makes the child a user of its own; without a lock its next connection joins anew."""
        self._mutex = threading.RLock()
        self._cluster.disown()
        if self._use is not None:
            os.close(self._use)
        self._use, self._use_of_child = self._use_of_child, None
        if self._use is None:
            self._address = None

    @property
    def _users_file(self) -> Path:
        return self._data_dir / "postgres.users"

    def _join(self) -> Address:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            with self._exclusive():
                address = self._cluster.bring_up()
                self._hold_use()
                return address
        except OSError as error:
            raise EmbeddedServerError(
                f"The data folder {self._data_dir} can't be used: "
                f"{error.strerror or error} ({error.filename or self._data_dir}). Give "
                "KITEHUB_DATA_DIR a folder that you may write to, or set DATABASE_URL."
            ) from error

    def _hold_use(self) -> None:
        if self._use is not None:
            if self._is_current(self._use, self._users_file):
                return
            os.close(self._use)
        else:
            # Once per use: release() is harmless where there is none.
            atexit.unregister(self.release)
            atexit.register(self.release)
        self._use = os.open(self._users_file, os.O_RDONLY | os.O_CREAT, 0o644)
        fcntl.flock(self._use, fcntl.LOCK_SH)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Holds the lock under which the cluster is made, started and stopped."""
        path = self._data_dir / "postgres.lock"
        begun = time.monotonic()
        notice = FIRST_NOTICE_SECONDS
        while True:
            lock = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
            if _try_lock(lock, fcntl.LOCK_EX) and self._is_current(lock, path):
                break
            os.close(lock)
            waited = time.monotonic() - begun
            if waited > notice:
                logger.warning(
                    "Another process starts or stops PostgreSQL; waiting (%.0f s so far)", waited
                )
                notice *= 2
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            # Explicitly: a process that was forked meanwhile has the lock too, until one unlocks.
            fcntl.flock(lock, fcntl.LOCK_UN)
            os.close(lock)

    @staticmethod
    def _is_current(lock: int, path: Path) -> bool:
        """Whether the file that is locked is still the one at its path."""
        try:
            return os.path.samestat(os.fstat(lock), path.stat())
        except FileNotFoundError:
            return False


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


_servers: dict[Path, EmbeddedServer] = {}
_registry = threading.RLock()


def server_for(data_dir: Path) -> EmbeddedServer:
    """Returns this process's server for a data folder; nothing is started yet."""
    path = data_dir.resolve()
    with _registry:
        return _servers.setdefault(path, EmbeddedServer(path))


def _before_fork() -> None:
    _registry.acquire()
    for server in _servers.values():
        server.before_fork()


def _after_fork_in_parent() -> None:
    for server in _servers.values():
        server.after_fork_in_parent()
    _registry.release()


def _after_fork_in_child() -> None:
    global _registry
    _registry = threading.RLock()
    for server in _servers.values():
        server.after_fork_in_child()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
