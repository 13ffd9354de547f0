"""What belongs to a row, in boxes on its page, and what of it people copy elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Model

from kitehub.backoffice.references import To, address_of, list_address


class Fact(NamedTuple):
    """A line of a panel: what it says of what, and the row behind it."""

    label: str
    value: str
    to: To | None = None
    note: str = ""


class ListLink(NamedTuple):
    """A link to the list that a panel shows the beginning of."""

    text: str
    model: type[Model]
    found: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Panel:
    """A box with a title; of no facts it says `empty`."""

    title: str
    facts: Sequence[Fact]
    links: Sequence[ListLink] = ()
    empty: str = ""


class Copy(NamedTuple):
    """Something that people copy: what it is, how it is shown, and the text that is copied."""

    label: str
    text: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel with the addresses that its reader may follow."""

    panel: Panel
    facts: list[tuple[Fact, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


def shown(user: Any, panels: Sequence[Panel]) -> list[ShownPanel]:
    """The panels for somebody: nobody gets a link to what they may not see."""
    return [
        ShownPanel(
            panel,
            [(fact, address_of(user, fact.to)) for fact in panel.facts],
            [
                (link.text, address)
                for link in panel.links
                if (address := list_address(user, link.model, link.found))
            ],
        )
        for panel in panels
    ]
