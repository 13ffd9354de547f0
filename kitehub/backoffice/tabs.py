"""Tabs above a list: the states that its rows may be in, each with how many are."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise

TAB = "tab"


@dataclass(frozen=True)
class Tab:
    """A part of a list, under a name that stands in its address: `?tab=key`.

    Its rows need an index: the condition first, then the list's order. `where` may be a function
    of the moment at which the list is asked for.
    """

    key: str
    label: str | Promise
    where: Q | Callable[[datetime], Q]

    def condition(self) -> Q:
        """Which rows are in it now."""
        return self.where(timezone.now()) if callable(self.where) else self.where

    @property
    def columns(self) -> list[tuple[str, Any]]:
        """The column and its value where its condition is just that, else nothing."""
        parts = [] if callable(self.where) else self.where.children
        return [part for part in parts if isinstance(part, tuple)] if len(parts) == 1 else []


class ShownTab(NamedTuple):
    """A tab on its way to the page; no count where nobody counted."""

    label: str | Promise
    url: str
    active: bool
    said: str


def tabs_of(column: str, choices: Iterable[Any] | Mapping[str, Any]) -> tuple[Tab, ...]:
    """A tab for each of an enum's members, or of a mapping from values to words."""
    pairs: list[tuple[str, Any]]
    if isinstance(choices, Mapping):
        pairs = list(choices.items())
    else:
        pairs = [(choice.value, choice.label) for choice in choices]  # type: ignore[union-attr]
    return tuple(Tab(value, label, Q(**{column: value})) for value, label in pairs)
