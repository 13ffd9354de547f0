"""`manage.py quickstart`: from a fresh clone to a signed-in admin with one command."""

import contextlib
import errno
import io
import logging
import os
import secrets
import socket
import threading
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.core.management.base import OutputWrapper
from django.core.servers.basehttp import WSGIServer, get_internal_wsgi_application, run
from django.db import ProgrammingError, connection, connections, transaction
from django.urls import reverse

from kitehub.db import locks
from kitehub.jobs.worker import Worker
from kitehub.management.sample_logins import SampleOwner, ensure_colleagues, ensure_sample_owner
from kitehub.models import Instance, User
from kitehub.roles import Role

HOST = "127.0.0.1"
FIRST_PORT = 8000
PORTS_TRIED = 100
EMAIL = "staff@kitehub.test"
# A job that takes longer is done again by the next worker.
LAST_JOB_SECONDS = 10.0
INDENT = "      "
CHOSEN = "(the one you gave it)"
# No letter or digit that is easily read as another.
PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - an alphabet


class Command(BaseCommand):
    """Brings up database, schema, demo data and login, each once, and serves the admin."""

    help = (
        "Starts KiteHub for trying it out: a PostgreSQL of its own (or DATABASE_URL), the schema, "
        "demo data, a staff login, and the admin on http://127.0.0.1:8000/admin/."
    )

    _owner: SampleOwner | None = None
    _colleagues: Sequence[tuple[str, Role]] = ()

    # Where it refuses to run, that is all it says; so it checks after that.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Takes --port, --no-demo and --no-serve."""
        parser.add_argument(
            "--port",
            type=_port,
            help=f"Serve on this port. Default: {FIRST_PORT}, or the next free one.",
        )
        parser.add_argument("--no-demo", action="store_true", help="Leave the demo data out.")
        parser.add_argument(
            "--no-serve", action="store_true", help="Set everything up, print the login, and end."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Does each step, says so, and serves until Ctrl-C."""
        if not settings.DEBUG:
            raise CommandError(
                "quickstart prints a staff password, so it runs with DJANGO_DEBUG on only. To "
                "deploy, run manage.py migrate and manage.py createsuperuser."
            )
        self.check()
        port: int | None = options["port"]
        if port and not options["no_serve"]:
            _require_free(port)
            lead_links_to(port)  # The demo's orders keep the address of their QR codes.
        with self._saying_what_the_server_does():
            self._say("[1/4] PostgreSQL", indent="")
            self._start_database()
            if settings.DEBUG_IS_ASSUMED:
                _refuse_other_peoples_database()
            with locks.turn(connection, "kitehub quickstart", self._say_that_it_waits):
                self._say("[2/4] Schema", indent="")
                self._migrate()
                self._say("[3/4] Demo data", indent="")
                self._load_demo(wanted=not options["no_demo"])
                self._say("[4/4] Staff login", indent="")
                reset = _read_password() is None
                password = self._ensure_login()
                self._ensure_owner(reset=reset)
        if options["no_serve"]:
            self._say_login(password)
            self.stdout.write("\nmanage.py quickstart serves the admin.")
        else:
            self._serve(port, password)

    # --- Steps --------------------------------------------------------------------------------

    def _start_database(self) -> None:
        connection.ensure_connection()
        version = ".".join(map(str, connection.get_database_version()))
        where = connection.settings_dict
        if where["ENGINE"] == "kitehub.db.backends.embedded":
            self._say(f"PostgreSQL {version} runs; its data is in {settings.DATA_DIR}")
        else:
            at = f"{where['HOST'] or 'localhost'}:{where['PORT'] or 5432}"
            self._say(f"PostgreSQL {version} at {at}, database {where['NAME']}")

    def _migrate(self) -> None:
        applying = _Indented(self.stdout, keep=("  Applying", " OK"))
        call_command(
            "migrate",
            interactive=False,
            verbosity=1,
            no_color=True,
            stdout=applying,
            skip_checks=True,
        )
        self._say("Up to date")

    def _load_demo(self, *, wanted: bool) -> None:
        if not wanted:
            self._say("Left out")
        elif Instance.all_objects.exists():
            self._say("There is data already; nothing loaded")
        else:
            self._say("Loading half a year of some schools' life; it takes a while")
            call_command("demo", stdout=_Indented(self.stdout))

    def _ensure_login(self) -> str | None:
        """Creates the login, or finds it; returns its password unless somebody changed it."""
        kept = _read_password()
        user = User.objects.filter(email=EMAIL).first()
        if user is not None and kept is not None:
            if user.check_password(kept):
                self._say(f"{EMAIL}, as before")
                return kept
            self._say(
                f"{EMAIL} has a password of its own since; delete {_login_file()} to reset it"
            )
            return None
        password = kept or "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(14))
        # One without the other would be a login that nobody knows.
        with transaction.atomic():
            if user is None:
                User.objects.create_superuser(EMAIL, password, full_name="Nhân viên KiteHub")
                self._say(f"Created {EMAIL}")
            else:
                user.set_password(password)
                user.save(update_fields=["password"])
                self._say(f"{_login_file()} was lost, so {EMAIL} has a new password")
            _write_password(password)
        return password

    def _ensure_owner(self, *, reset: bool) -> None:
        """An owner of a school and staff of the demo sign in with the same password."""
        password = _read_password()
        if password is not None:
            self._owner = ensure_sample_owner(password=password, reset=reset)
            self._colleagues = ensure_colleagues(password=password, reset=reset)
        if self._owner is not None:
            self._say(f"{self._owner.email} owns {self._owner.school}, which has an order to pay")

    # --- Serving ------------------------------------------------------------------------------

    def _serve(self, port: int | None, password: str | None) -> None:
        application = StaticFilesHandler(get_internal_wsgi_application())
        # A line for every request would scroll the password away; failures still show. Loading
        # the application has configured logging anew, so this comes after it.
        logging.getLogger("django.server").setLevel(logging.WARNING)
        connection.close()
        for candidate in [port] if port else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
            if self._serve_on(candidate, application, password, required=bool(port)):
                return
            self.stdout.write(f"\nPort {candidate} is in use; trying {candidate + 1}.")
        raise CommandError("None of these ports is free. Free one, or name another with --port.")

    def _serve_on(
        self, port: int, application: StaticFilesHandler, password: str | None, *, required: bool
    ) -> bool:
        """Serves until Ctrl-C; False if the port is another program's and isn't required."""
        bound = False

        def announce(_: object) -> None:
            nonlocal bound
            bound = True
            lead_links_to(port)
            keep_archives()
            self._say_login(password, port)
            self.stdout.write("Jobs      one worker runs them, in this process")
            self.stdout.write("\nCtrl-C stops KiteHub and all that it started.")
            self.stdout.flush()

        try:
            with _working():
                run(
                    HOST,
                    port,
                    application,
                    threading=True,
                    on_bind=announce,
                    server_cls=WSGIServer,
                )
        except KeyboardInterrupt:
            self.stdout.write("\nStopping.")
        except OSError as error:
            if bound:
                raise
            if required or error.errno != errno.EADDRINUSE:
                raise _unusable(port, error) from error
            return False
        return True

    # --- Saying -------------------------------------------------------------------------------

    def _say(self, line: str, indent: str = INDENT) -> None:
        self.stdout.write(indent + line)
        self.stdout.flush()

    def _say_that_it_waits(self) -> None:
        self._say("Another quickstart sets this database up; waiting for it")

    def _say_login(self, password: str | None, port: int | None = None) -> None:
        self.stdout.write("")
        if port is not None:
            self.stdout.write(f"Admin     http://{HOST}:{port}{reverse('admin:index')}")
        self.stdout.write(f"E-mail    {EMAIL}")
        self.stdout.write(f"Password  {password or CHOSEN}")
        for email, role in self._colleagues:
            self.stdout.write(f"Also      {email}, {role.name.lower()}, the same password")
        if self._owner is None:
            return
        self.stdout.write("")
        if port is not None:
            self.stdout.write(f"Portal    http://{HOST}:{port}{reverse('login')}")
        self.stdout.write(f"E-mail    {self._owner.email}")
        self.stdout.write(f"Password  {self._owner.password or CHOSEN}")
        self.stdout.write("Payment   manage.py demo_payment ORDER_CODE plays the bank")

    @contextlib.contextmanager
    def _saying_what_the_server_does(self) -> Iterator[None]:
        """Shows the embedded server's log while we wait for it."""
        logger = logging.getLogger("kitehub.db.embedded")
        handler = _Saying(self._say)
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.setLevel(level)
            logger.removeHandler(handler)


def lead_links_to(port: int) -> None:
    """Links in mail and QR codes lead to this port, unless KITEHUB_BASE_URL says where to."""
    if not os.environ.get("KITEHUB_BASE_URL"):
        settings.KITEHUB_BASE_URL = f"http://{HOST}:{port}"


def keep_archives() -> None:
    """Archives of closed schools go into the data folder, unless KITEHUB_ARCHIVES says where to."""
    if not settings.KITEHUB_ARCHIVES:
        folder = Path(settings.DATA_DIR).resolve() / "archives"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.KITEHUB_ARCHIVES = str(folder)


@contextlib.contextmanager
def _working() -> Iterator[None]:
    """A worker of background jobs in a thread; at the end it gets the time for its last job."""
    worker = Worker()

    def work() -> None:
        try:
            worker.run()
        except Exception:
            logging.getLogger("kitehub.jobs").exception("The worker ended; background jobs wait")
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(LAST_JOB_SECONDS)


class _Saying(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(record.getMessage())


class _Indented(io.TextIOBase):
    """A command's output as part of ours; with `keep`, only writes that begin with one of these."""

    def __init__(self, out: OutputWrapper, keep: tuple[str, ...] = ()) -> None:
        self._out = out
        self._keep = keep
        self._at_start = True

    def write(self, text: str) -> int:
        if not self._keep or text.startswith(self._keep):
            for line in text.splitlines(keepends=True):
                shown = INDENT + line.lstrip(" ") if self._at_start and line.strip() else line
                self._out.write(shown, ending="")
                self._at_start = line.endswith("\n")
            self._out.flush()
        return len(text)

    def isatty(self) -> bool:
        return self._out.isatty()


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535.")
    return int(text)


def _require_free(port: int) -> None:
    """Finds out before anything is set up; the server itself may still lose a race for the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise _unusable(port, error) from error


def _unusable(port: int, error: OSError) -> CommandError:
    if error.errno == errno.EADDRINUSE:
        return CommandError(
            f"Port {port} on {HOST} is in use. Free it, choose another with --port, or leave "
            "--port out to take the next free one."
        )
    return CommandError(
        f"Port {port} on {HOST} can't be used: {error.strerror}. Choose another with --port."
    )


def _refuse_other_peoples_database() -> None:
    """Makes no superuser where others sign in, unless somebody says that it's for development."""
    try:
        people = User.objects.exists() and not User.objects.filter(email=EMAIL).exists()
    except ProgrammingError:  # there is no such table yet
        return
    if people:
        raise CommandError(
            "The database that DATABASE_URL names has people of its own, and quickstart would add "
            "a superuser. If it is for development, set DJANGO_DEBUG=on."
        )


# --- The login, kept so that every later run can print it again -----------------------------------


def _login_file() -> Path:
    return Path(settings.DATA_DIR) / "quickstart-login.txt"


def _read_password() -> str | None:
    try:
        lines = _login_file().read_text().splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandError(f"{_login_file()} can't be read: {error.strerror}.") from error
    found = [line.partition(": ")[2].strip() for line in lines if line.startswith("password: ")]
    return found[0] if found and found[0] else None


def _write_password(password: str) -> None:
    path = _login_file()
    text = (
        "The staff login that manage.py quickstart made on this machine.\n"
        "Delete this file, and the next quickstart sets a new password.\n"
        f"email: {EMAIL}\npassword: {password}\n"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except OSError as error:
        raise CommandError(
            f"{path} can't be written: {error.strerror}. Give KITEHUB_DATA_DIR a folder that you "
            "may write to."
        ) from error
