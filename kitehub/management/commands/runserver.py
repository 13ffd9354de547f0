"""`manage.py runserver`, which ends in order whatever ends it, with all that it started.

Django's ends by `os._exit` where it can't serve, and kills the reloader's child when the parent is
told to end; neither leaves the time to stop the embedded server.
"""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as StaticFilesCommand
from django.core.servers.basehttp import WSGIServer
from django.utils import autoreload

from kitehub.management.cli import CannotServe

CODE_CHANGED = 3  # how a child of Django's reloader ends to be started again


class _Server(WSGIServer):
    def __init__(self, server_address: tuple[str, int], *args: Any, **kwargs: Any) -> None:
        with _explained(*server_address):
            super().__init__(server_address, *args, **kwargs)

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        with _explained(self.server_name, self.server_port):
            super().serve_forever(poll_interval)


class Command(StaticFilesCommand):
    """Django's command, with an orderly end."""

    server_cls = _Server
    addr: str
    port: str

    def run(self, **options: Any) -> None:
        """Serves; with the reloader in a child, which is started again when the code changes."""
        if not options["use_reloader"]:
            super().run(**options)
            return
        # Not Django's run_with_reloader: it replaces what manage.py does at SIGTERM.
        with suppress(KeyboardInterrupt):
            if os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true":
                autoreload.start_django(autoreload.get_reloader(), self.inner_run, **options)
            else:
                sys.exit(_serve_in_children())

    def get_handler(self, *args: Any, **options: Any) -> Any:
        """Loads the application."""
        with _explained(self.addr, self.port):
            return super().get_handler(*args, **options)

    def on_bind(self, server_port: int) -> None:
        """Says the address; nobody may be there any more to read it."""
        with _explained(self.addr, server_port):
            super().on_bind(server_port)


def _serve_in_children() -> int:
    """Runs child after child until one ends for another reason than new code; its exit code."""
    arguments = autoreload.get_child_arguments()
    environment = {**os.environ, autoreload.DJANGO_AUTORELOAD_ENV: "true"}
    while True:
        child = subprocess.Popen(arguments, env=environment)  # noqa: S603 - this very command
        try:
            code = child.wait()
        except BaseException:
            # The terminal's Ctrl-C reaches the child too; one that is ending ignores the second.
            child.terminate()
            child.wait()
            raise
        if code != CODE_CHANGED:
            return code


@contextmanager
def _explained(host: str, port: int | str) -> Iterator[None]:
    """Turns an OSError, at which Django would leave by os._exit, into CannotServe."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"Port {port} on {host} is in use. Free it, or name another: manage.py runserver "
                f"{int(port) + 1}"
            ) from error
        raise CannotServe(f"{host}:{port} can't be served: {error.strerror or error}.") from error
