"""`manage.py worker`: runs background jobs until it is told to stop."""

import logging
import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)

from kitehub.jobs.worker import STOPPING, NoQueue, Worker, WorkerFailed, staying_connected


class Command(BaseCommand):
    """Runs a worker in this process; start as many processes as there is work for."""

    help = (
        "Runs background jobs and starts the periodic ones. SIGTERM or Ctrl-C lets the running "
        "jobs finish. Start as many as you need, on any machine."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How many jobs at once, and which."""
        parser.add_argument(
            "--concurrency",
            type=_count,
            default=1,
            metavar="N",
            help="how many jobs it runs at once (default: %(default)s)",
        )
        parser.add_argument(
            "--queue",
            action="append",
            default=[],
            metavar="NAME",
            help="only jobs of this queue; may be given again",
        )
        parser.add_argument("--once", action="store_true", help="end when no job is due")

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Works until a signal comes."""
        _log_to_stderr(logging.DEBUG if options["verbosity"] > 1 else logging.INFO)
        worker = Worker(
            concurrency=options["concurrency"], queues=options["queue"], once=options["once"]
        )
        self.stdout.write("Working. Ctrl-C lets the running jobs finish and ends it.")
        self.stdout.flush()
        try:
            with staying_connected():
                worker.run(signals=STOPPING)
        except (NoQueue, WorkerFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Stopped.")


def _log_to_stderr(level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("procrastinate", "jobs"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to 100")
    return int(text)
