"""What the commands about one instance share: finding it, and saying how far they are."""

import json
import time
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from kitehub.archives import ArchiveError
from kitehub.closing import ClosingError

# What an operator can mend; the message is a line.
MENDABLE = (ArchiveError, ClosingError, OSError)
_UNITS = {"d": "days", "h": "hours", "min": "minutes"}
_LONGEST_DAYS = 36_500


class InstanceCommand(BaseCommand):
    """A command about one instance's data."""

    def add_json(self, parser: CommandParser) -> None:
        """--json."""
        parser.add_argument("--json", action="store_true", help="the result for programs")

    def say(self, options: dict[str, Any], text: str, data: dict[str, Any]) -> None:
        """The result, for people or for programs."""
        as_json = json.dumps(data, indent=2, ensure_ascii=False, default=str)
        self.stdout.write(as_json if options["json"] else text)

    def watcher(self) -> "Watcher":
        """Progress for people, where it takes longer than a second."""
        return Watcher(self)


class Watcher:
    """Says on stderr which table is being worked on, once a second."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._said = time.monotonic()

    def __call__(self, table: str, rows: int) -> None:
        """Is told as often as there is something to tell."""
        now = time.monotonic()
        if now - self._said >= 1:
            self._said = now
            self._command.stderr.write(f"{table}: {rows:,} rows", self._command.style.NOTICE)


def line(error: Exception) -> str:
    """The error in a line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The file'}: {error.strerror}."
    return " ".join(str(error).split())


def duration(text: str) -> timedelta:
    """A time such as 30d, 12h or 45min."""
    stripped = text.strip()
    unit = next((unit for unit in _UNITS if stripped.endswith(unit)), "")
    number = stripped.removesuffix(unit).strip()
    if unit and number.isascii() and number.isdecimal() and len(number) < 9:
        found = timedelta(**{_UNITS[unit]: int(number)})
        if found.days <= _LONGEST_DAYS:
            return found
    raise ArgumentTypeError(f"{text!r} is no time such as 30d, 12h or 45min.")


def moment(text: str) -> datetime:
    """A date with its time; without an offset it is the platform's zone's."""
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no moment such as 2026-12-31T18:00.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def folder(text: str) -> Path:
    """A folder that is there."""
    found = Path(text)
    if not found.is_dir():
        raise ArgumentTypeError(f"{text} is no folder.")
    return found
