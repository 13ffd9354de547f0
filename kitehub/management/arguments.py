"""Arguments that several commands take."""

import re
from argparse import ArgumentTypeError

from django.core.management.base import CommandError, CommandParser

from kitehub.db import locks
from kitehub.management.schema.outcome import Exit
from kitehub.models import Instance

# What PostgreSQL takes for a time; without a unit it means milliseconds.
_TIME = re.compile(r"(\d{1,9}) *(us|ms|s|min|h|d)?")
_LONGEST_MS = 2**31 - 1
_MS = {"us": 0.001, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def add_lock_timeout(parser: CommandParser) -> None:
    """--lock-timeout, PostgreSQL's own: how long a change of the schema queues for a table."""
    parser.add_argument(
        "--lock-timeout",
        type=_lock_timeout,
        default=locks.PATIENCE,
        metavar="TIME",
        help=(
            "Give up when a table stays locked by others for longer than this, because all"
            f" who come after would wait behind it. 0 waits for ever. Default: {locks.PATIENCE}."
        ),
    )


def _lock_timeout(text: str) -> str:
    found = _TIME.fullmatch(text.strip())
    if not found or int(found[1]) * _MS[found[2] or "ms"] > _LONGEST_MS:
        raise ArgumentTypeError(
            f"{text!r} is no time that PostgreSQL knows, such as 500ms, 5s or 2min."
        )
    return text.strip()


def add_instance(parser: CommandParser) -> None:
    """Which instance a command is about."""
    parser.add_argument("instance", help="the label before the platform's domain, or the id")


def instance_named(text: str, *, deleted: bool = False) -> Instance:
    """The instance of a subdomain or id, if asked for also a deleted one; raises CommandError."""
    among = Instance.all_objects if deleted else Instance.objects
    found: Instance | None = among.named(text).first()
    if found is None:
        raise CommandError(f"There is no instance {text}.", returncode=Exit.USAGE)
    return found
