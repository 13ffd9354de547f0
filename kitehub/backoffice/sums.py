"""Sums of what a list shows: with the page where that is little, else when somebody asks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet
from django.utils.functional import Promise

from kitehub.backoffice.counts import within
from kitehub.display import money

SUM = "sum"
# Who asks for a sum waits for it; nobody else does.
SUM_SECONDS = 15


class Sum(NamedTuple):
    """An amount on its way to the page."""

    label: str | Promise
    text: str


def sums_of(rows: QuerySet[Any], sums: Mapping[Any, Any]) -> list[Sum]:
    """The exact sums of the rows, in đồng; `sums` gives an aggregate for each label."""
    return _sums(rows, sums)[1]


def count_and_sums(rows: QuerySet[Any], sums: Mapping[Any, Any]) -> tuple[int, list[Sum]]:
    """How many rows there are, exactly, and their sums; raises TooLong after 15 seconds."""
    with within(SUM_SECONDS, using=rows.db):
        return _sums(rows, sums)


def _sums(rows: QuerySet[Any], sums: Mapping[Any, Any]) -> tuple[int, list[Sum]]:
    wanted = {f"sum_{number}": each for number, each in enumerate(sums.values())}
    found = rows.order_by().aggregate(found=Count("pk"), **wanted)
    texts = [money(found[name] or 0) for name in wanted]
    return found["found"], [Sum(*pair) for pair in zip(sums, texts, strict=True)]
