"""Arguments that billing's commands take."""

from argparse import ArgumentTypeError
from datetime import datetime

from django.core.management.base import CommandParser
from django.utils import timezone


def add_moment(parser: CommandParser) -> None:
    """--at, the moment that counts as now."""
    parser.add_argument(
        "--at",
        type=_moment,
        help="the moment that counts as now, ISO; Vietnamese time where no offset is given",
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no ISO moment such as 2026-01-30T20:15") from None
    return moment if moment.tzinfo else timezone.make_aware(moment)


def add_batch(parser: CommandParser, default: int, what: str) -> None:
    """--batch, how many rows a transaction takes."""
    parser.add_argument(
        "--batch",
        type=_count,
        default=default,
        help=f"the most {what} a transaction (default: %(default)s)",
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)
